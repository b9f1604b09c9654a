#include "tokenize/byte_trie.hpp"

#include <array>
#include <bit>

#include "inlay/error.hpp"

namespace inlay::tokenize {

class ByteTrie::Builder {
 public:
  Builder(std::vector<Node>& nodes, std::span<const Key> keys) : nodes_(nodes), keys_(keys) {}

  void build() {
    nodes_.clear();
    nodes_.reserve(keys_.size() * 8);
    add_block();
    blocks_[0].free[0] &= ~std::uint64_t{1};        // the root's slot
    blocks_[0].free_bases[0] &= ~std::uint64_t{1};  // base 0 is the leaves': nobody's child
    // Breadth first: the nodes next to the root, which every walk meets, come to lie together.
    std::vector<Task> tasks{{0, 0, keys_.size()}};
    std::vector<Task> next_tasks;
    for (std::size_t depth = 0; !tasks.empty(); ++depth) {
      next_tasks.clear();
      for (const Task& task : tasks) place_children(task, depth, next_tasks);
      tasks.swap(next_tasks);
    }
    nodes_.shrink_to_fit();
  }

 private:
  // A node, and the keys that go through it.
  struct Task {
    std::size_t node;
    std::size_t first;
    std::size_t last;
  };

  using Bits = std::array<std::uint64_t, 4>;
  struct Block {
    Bits free;
    Bits free_bases;
  };

  static constexpr std::size_t open_blocks = 2;  // looking into more of them for a place costs more time than it saves memory (3%)

  [[nodiscard]] static bool has(const Bits& bits, std::size_t index) noexcept { return bits[index >> 6] >> (index & 63) & 1; }
  static void clear(Bits& bits, std::size_t index) noexcept { bits[index >> 6] &= ~(std::uint64_t{1} << (index & 63)); }

  void add_block() {
    if (nodes_.size() >= std::size_t{1} << 31) throw Error(Status::unsupported, "the vocabulary is too large: more than 2^31 nodes");
    nodes_.resize(nodes_.size() + 256);
    constexpr std::uint64_t all = ~std::uint64_t{0};
    blocks_.push_back({{all, all, all, all}, {all, all, all, all}});
  }

  void place_children(const Task& task, std::size_t depth, std::vector<Task>& next_tasks) {
    std::size_t first = task.first;
    if (first < task.last && keys_[first].bytes.size() == depth) nodes_[task.node].set_value(keys_[first++].value);
    labels_.clear();
    starts_.clear();
    for (std::size_t key = first; key < task.last; ++key) {
      const auto label = static_cast<unsigned char>(keys_[key].bytes[depth]);
      if (labels_.empty() || labels_.back() != label) {
        labels_.push_back(label);
        starts_.push_back(key);
      }
    }
    if (labels_.empty()) return;
    starts_.push_back(task.last);

    const std::size_t base = take_base();
    nodes_[task.node].set_base(base);
    for (std::size_t child = 0; child < labels_.size(); ++child) {
      const std::size_t slot = base ^ labels_[child];
      nodes_[slot].set_label(labels_[child]);
      next_tasks.push_back({slot, starts_[child], starts_[child + 1]});
    }
  }

  // A base whose slots for all of labels_ are free; they are taken.
  std::size_t take_base() {
    for (std::size_t block = blocks_.size() > open_blocks ? blocks_.size() - open_blocks : 0;; ++block) {
      if (block == blocks_.size()) add_block();
      const std::size_t base = find_base(blocks_[block]);
      if (base == none) continue;
      clear(blocks_[block].free_bases, base);
      for (const unsigned char label : labels_) clear(blocks_[block].free, base ^ label);
      return block * 256 + base;
    }
  }

  [[nodiscard]] std::size_t find_base(const Block& block) const noexcept {
    for (std::size_t word = 0; word < 4; ++word) {
      for (std::uint64_t free = block.free[word]; free != 0; free &= free - 1) {
        const std::size_t base = (word * 64 + static_cast<std::size_t>(std::countr_zero(free))) ^ labels_[0];
        if (has(block.free_bases, base) && fits(block, base)) return base;
      }
    }
    return none;
  }

  [[nodiscard]] bool fits(const Block& block, std::size_t base) const noexcept {
    for (std::size_t child = 1; child < labels_.size(); ++child) {
      if (!has(block.free, base ^ labels_[child])) return false;
    }
    return true;
  }

  static constexpr std::size_t none = 256;
  std::vector<Node>& nodes_;
  std::span<const Key> keys_;
  std::vector<Block> blocks_;
  std::vector<unsigned char> labels_;
  std::vector<std::size_t> starts_;
};

ByteTrie::ByteTrie(std::span<const Key> sorted_keys) { Builder(nodes_, sorted_keys).build(); }

}  // namespace inlay::tokenize
