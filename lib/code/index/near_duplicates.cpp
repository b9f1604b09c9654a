#include "code/index/near_duplicates.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "inlay/error.hpp"
#include "inlay/similarity.hpp"
#include "platform/processors.hpp"
#include "store/near_pairs.hpp"

namespace inlay::code {
namespace {

// Which members are in one group, and each group's best score.
class Groups {
 public:
  explicit Groups(std::size_t members) : parent_(members), score_(members, -2) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }

  std::size_t find(std::size_t member) {
    while (parent_[member] != member) member = parent_[member] = parent_[parent_[member]];
    return member;
  }
  void join(std::size_t a, std::size_t b, float score) {
    a = find(a);
    b = find(b);
    const float best = std::max({score, score_[a], score_[b]});
    parent_[std::max(a, b)] = std::min(a, b);
    score_[std::min(a, b)] = best;
  }
  [[nodiscard]] float score(std::size_t root) const { return score_[root]; }

 private:
  std::vector<std::size_t> parent_;
  std::vector<float> score_;
};

class Search {
 public:
  Search(const store::MappedRows& vectors, std::span<const std::size_t> rows, const std::function<bool(std::size_t, std::size_t)>& may_pair,
         const DuplicateOptions& options)
      : vectors_(vectors), rows_(rows), may_pair_(may_pair), options_(options), groups_(rows.size()) {}

  std::vector<DuplicateGroup> run() {
    choose_different();
    const std::size_t threads = options_.threads > 0 ? options_.threads : platform::available_processors();
    bool stopped = false;
    const auto take = [&](std::span<const store::RowPair> pairs, std::size_t done) {
      for (const store::RowPair& pair : pairs) join(equal_[pair.first], equal_[pair.second], pair.score);
      if (options_.on_progress) options_.on_progress(done, equal_.size());
      stopped = options_.stop.stop_requested();
      return !stopped;
    };
    store::for_each_near_pair(values_, vectors_.dimension, options_.threshold, threads, take);
    if (stopped) throw Error(Status::cancelled, "the search for near-copies was stopped");
    return groups();
  }

 private:
  // Two sets of members that are near-copies of one another, or one twice.
  void join(const std::vector<std::size_t>& some, const std::vector<std::size_t>& others, float score) {
    for (const std::size_t a : some) {
      for (const std::size_t b : others) {
        if (groups_.find(a) != groups_.find(b) && may_pair_(rows_[a], rows_[b])) groups_.join(a, b, score);
      }
    }
  }

  // Many copies of one text would be many pairs: members with the same vector are compared once.
  void choose_different() {
    std::unordered_map<std::string_view, std::size_t> known;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::string_view bytes(vectors_.row(rows_[i]), vectors_.dimension * sizeof(float));
      const auto [place, is_new] = known.emplace(bytes, equal_.size());
      if (is_new) {
        equal_.emplace_back();
        values_.resize(values_.size() + vectors_.dimension);
        const std::span<float> own = std::span(values_).last(vectors_.dimension);
        std::memcpy(own.data(), bytes.data(), bytes.size());
        normalize(own);
      }
      equal_[place->second].push_back(i);
    }
    for (std::size_t each = 0; each < equal_.size(); ++each) {
      if (equal_[each].size() < 2) continue;
      const std::span<const float> vector(values_.data() + each * vectors_.dimension, vectors_.dimension);
      const bool has_direction = store::inner_product(vector, reinterpret_cast<const char*>(vector.data())) > 0;  // zeros and NaN have none
      if (has_direction && options_.threshold <= 1) join(equal_[each], equal_[each], 1);
    }
  }

  std::vector<DuplicateGroup> groups() {
    std::map<std::size_t, std::vector<std::size_t>> members;
    for (std::size_t i = 0; i < rows_.size(); ++i) members[groups_.find(i)].push_back(rows_[i]);
    std::vector<DuplicateGroup> found;
    for (auto& [root, items] : members) {
      if (items.size() > 1) found.push_back({groups_.score(root), std::move(items)});
    }
    std::ranges::stable_sort(found, [](const DuplicateGroup& a, const DuplicateGroup& b) { return a.score > b.score; });
    return found;
  }

  const store::MappedRows& vectors_;
  std::span<const std::size_t> rows_;
  const std::function<bool(std::size_t, std::size_t)>& may_pair_;
  const DuplicateOptions& options_;
  Groups groups_;                                // of the numbers of rows_, which are the members
  std::vector<std::vector<std::size_t>> equal_;  // members by their vector
  std::vector<float> values_;                    // these vectors
};

}  // namespace

std::vector<DuplicateGroup> find_near_duplicates(const store::MappedRows& vectors, std::span<const std::size_t> rows,
                                                 const std::function<bool(std::size_t, std::size_t)>& may_pair,
                                                 const DuplicateOptions& options) {
  if (!std::isfinite(options.threshold)) throw Error(Status::invalid_argument, "the threshold is not a number");
  return Search(vectors, rows, may_pair, options).run();
}

}  // namespace inlay::code
