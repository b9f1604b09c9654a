#include "store/cache/memory_layer.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "store/cache/checksum.hpp"

namespace inlay::store {
namespace {

constexpr std::size_t map_node_bytes = 64;  // of by_key_: the element, its hash and links, its share of the buckets

std::size_t heap_bytes(const std::string& text) { return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0; }

}  // namespace

std::size_t MemoryLayer::IdHash::operator()(const Id& id) const noexcept {
  return static_cast<std::size_t>(hash(id.key) ^ reinterpret_cast<std::uintptr_t>(id.model));
}

const CacheModel* MemoryLayer::known_model(const CacheModel& model) const noexcept {
  const auto found = std::ranges::find_if(
      models_, [&model](const CacheModel& known) { return known.fingerprint == model.fingerprint && known.dimension == model.dimension; });
  return found == models_.end() ? nullptr : &*found;
}

std::size_t MemoryLayer::size(const Node& node) noexcept {
  return sizeof(Node) + 2 * sizeof(void*) + map_node_bytes + heap_bytes(node.key) + heap_bytes(node.label) + heap_bytes(node.name) +
         node.vector.capacity() * sizeof(float);
}

Pending MemoryLayer::view(const Node& node) noexcept {
  return {node.model, node.key, node.label, node.name, node.vector, node.created, node.inserted};
}

void MemoryLayer::find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors, std::vector<bool>& known) {
  const std::lock_guard lock(mutex_);
  const CacheModel* id = known_model(model);
  if (id == nullptr) return;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = by_key_.find({id, keys[i]});
    if (found == by_key_.end()) continue;
    const Nodes::iterator node = found->second;
    std::ranges::copy(node->vector, vectors.begin() + static_cast<std::ptrdiff_t>(i * model.dimension));
    known[i] = true;
    if (node->place != Place::waiting) recent_.splice(recent_.begin(), recent_, node);
  }
}

std::size_t MemoryLayer::add(const Pending& entry, Place place) {
  if (most_bytes_ == 0) return place == Place::waiting ? 1 : 0;
  const std::lock_guard lock(mutex_);
  const CacheModel* model = known_model(*entry.model);
  if (model == nullptr) model = &models_.emplace_back(*entry.model);
  if (const auto old = by_key_.find({model, entry.key}); old != by_key_.end()) {
    if (place == Place::in_file && old->second->place == Place::waiting && old->second->inserted > entry.inserted) return 0;
    remove(old->second);
  }
  Nodes node;
  node.push_back({model, std::string(entry.key), std::string(entry.label), std::string(entry.name),
                  std::vector<float>(entry.vector.begin(), entry.vector.end()), entry.created, entry.inserted, next_number_++, place});
  const auto position = node.begin();
  by_key_.emplace(Id{model, position->key}, position);
  Nodes& list = list_of(place);
  list.splice(place == Place::waiting ? list.end() : list.begin(), node);
  bytes_ += size(*position);
  if (place == Place::waiting) waiting_bytes_ += size(*position);

  std::size_t lost = 0;
  while (bytes_ > most_bytes_) {
    if (!recent_.empty()) {
      remove(std::prev(recent_.end()));
    } else {
      remove(waiting_.begin());
      ++lost;
    }
  }
  return lost;
}

void MemoryLayer::remove(Nodes::iterator node) {
  bytes_ -= size(*node);
  if (node->place == Place::waiting) waiting_bytes_ -= size(*node);
  by_key_.erase({node->model, node->key});
  list_of(node->place).erase(node);
}

std::vector<Pending> MemoryLayer::waiting() const {
  const std::lock_guard lock(mutex_);
  std::vector<Pending> entries;
  entries.reserve(waiting_.size());
  std::ranges::transform(waiting_, std::back_inserter(entries), view);
  return entries;
}

void MemoryLayer::written() {
  const std::lock_guard lock(mutex_);
  for (Node& node : waiting_) node.place = Place::in_file;
  waiting_.reverse();
  recent_.splice(recent_.begin(), waiting_);
  waiting_bytes_ = 0;
}

std::vector<const MemoryLayer::Node*> MemoryLayer::in_order() const {
  std::vector<const Node*> nodes;
  nodes.reserve(by_key_.size());
  for (const Nodes* list : {&recent_, &waiting_}) {
    for (const Node& node : *list) nodes.push_back(&node);
  }
  std::ranges::sort(nodes, {}, &Node::number);
  return nodes;
}

std::vector<Kept> MemoryLayer::unwritten() const {
  const std::lock_guard lock(mutex_);
  std::map<const CacheModel*, std::shared_ptr<const CacheModel>> models;
  std::vector<Kept> entries;
  for (const Node* node : in_order()) {
    if (node->place == Place::in_file) continue;
    auto& model = models[node->model];
    if (model == nullptr) model = std::make_shared<const CacheModel>(*node->model);
    entries.push_back({model, {node->key, node->label, node->name, node->vector, node->created}});
  }
  return entries;
}

void MemoryLayer::drop_written() {
  const std::lock_guard lock(mutex_);
  for (auto node = recent_.begin(); node != recent_.end();) {
    const auto next = std::next(node);
    if (node->place == Place::in_file) remove(node);
    node = next;
  }
}

std::size_t MemoryLayer::remove_if(const std::function<bool(const Pending&)>& goes) {
  const std::lock_guard lock(mutex_);
  std::size_t removed = 0;
  for (const Node* node : in_order()) {
    if (!goes(view(*node))) continue;
    remove(by_key_.at({node->model, node->key}));
    ++removed;
  }
  return removed;
}

std::size_t MemoryLayer::entries() const {
  const std::lock_guard lock(mutex_);
  return by_key_.size();
}

std::size_t MemoryLayer::waiting_entries() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::size_t MemoryLayer::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t MemoryLayer::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return waiting_bytes_;
}

}  // namespace inlay::store
