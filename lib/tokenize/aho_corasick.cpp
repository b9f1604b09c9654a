#include "tokenize/aho_corasick.hpp"

#include <algorithm>
#include <numeric>

#include "inlay/error.hpp"

namespace inlay::tokenize {
namespace {

unsigned char byte_from_right(std::string_view text, std::size_t depth) noexcept {
  return static_cast<unsigned char>(text[text.size() - 1 - depth]);
}

bool less_from_right(std::string_view left, std::string_view right) noexcept {
  return std::lexicographical_compare(left.rbegin(), left.rend(), right.rbegin(), right.rend(), [](char one, char other) {
    return static_cast<unsigned char>(one) < static_cast<unsigned char>(other);
  });
}

}  // namespace

AhoCorasick::AhoCorasick(std::span<const std::string_view> texts) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) {
    longest_ = std::max(longest_, text.size());
    bytes += text.size();
  }
  if (bytes >= none - 1) throw Error(Status::unsupported, "the added tokens are larger than 4 GB");
  add_nodes(texts);
  add_failures();
}

void AhoCorasick::add_nodes(std::span<const std::string_view> texts) {
  std::vector<std::uint32_t> sorted(texts.size());
  std::iota(sorted.begin(), sorted.end(), 0);
  std::ranges::sort(sorted, [&](std::uint32_t left, std::uint32_t right) { return less_from_right(texts[left], texts[right]); });

  struct Range {  // of `sorted`: the texts that go through a node
    std::size_t first;
    std::size_t last;
  };
  std::vector<Range> level{{0, sorted.size()}};
  std::vector<Range> next;
  nodes_.emplace_back();
  labels_.push_back(0);
  std::size_t node = 0;
  for (std::size_t depth = 0; !level.empty(); ++depth, level.swap(next)) {
    next.clear();
    for (auto [first, last] : level) {
      nodes_[node].children = static_cast<std::uint32_t>(nodes_.size());
      if (first < last && texts[sorted[first]].size() == depth) nodes_[node].match = sorted[first++];
      for (std::size_t text = first; text < last; ++text) {
        const unsigned char label = byte_from_right(texts[sorted[text]], depth);
        if (text == first || label != labels_.back()) {
          nodes_.emplace_back();
          labels_.push_back(label);
          next.push_back({text, text});
        }
        next.back().last = text + 1;
      }
      ++node;
    }
  }
  nodes_.push_back({.children = static_cast<std::uint32_t>(nodes_.size())});
  nodes_.shrink_to_fit();
  labels_.shrink_to_fit();
}

void AhoCorasick::add_failures() {
  for (std::uint32_t node = 0; node + 1 < nodes_.size(); ++node) {
    for (std::uint32_t child = nodes_[node].children; child < nodes_[node + 1].children; ++child) {
      const std::uint32_t failure = node == 0 ? 0 : step(nodes_[node].failure, labels_[child]);
      nodes_[child].failure = failure;
      if (nodes_[child].match == none) nodes_[child].match = nodes_[failure].match;
    }
  }
}

std::uint32_t AhoCorasick::child(std::uint32_t node, unsigned char label) const noexcept {
  const auto first = labels_.begin() + nodes_[node].children;
  const auto last = labels_.begin() + nodes_[node + 1].children;
  const auto found = std::lower_bound(first, last, label);
  return found != last && *found == label ? static_cast<std::uint32_t>(found - labels_.begin()) : none;
}

std::uint32_t AhoCorasick::step(std::uint32_t node, unsigned char label) const noexcept {
  for (;;) {
    if (const std::uint32_t next = child(node, label); next != none) return next;
    if (node == 0) return 0;
    node = nodes_[node].failure;
  }
}

std::vector<AhoCorasick::Match> AhoCorasick::find(std::string_view text, std::size_t begin, std::size_t end) const {
  std::vector<Match> matches;
  std::uint32_t node = 0;
  for (std::size_t position = end + std::min(longest_, text.size() - end); position-- > begin;) {
    node = step(node, static_cast<unsigned char>(text[position]));
    if (position < end && nodes_[node].match != none) matches.push_back({position, nodes_[node].match});
  }
  return matches;
}

}  // namespace inlay::tokenize
