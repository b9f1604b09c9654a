// AhoCorasick: for each place of a text the longest of a set of texts that begins there, in time linear in the text whatever the set.
// Aho and Corasick 1975, with the texts' bytes and the text read from the right, so that what is found begins, not ends, where one stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace inlay::tokenize {

class AhoCorasick {
 public:
  AhoCorasick() = default;
  /// No text empty, none twice. Memory: some 13 bytes for each of theirs. Throws Error (unsupported) when they have 4 GB or more.
  explicit AhoCorasick(std::span<const std::string_view> texts);

  struct Match {
    std::size_t begin;
    std::uint32_t index;  ///< of the texts
  };
  /// The matches that begin in [begin, end) of the text, the last one first.
  [[nodiscard]] std::vector<Match> find(std::string_view text, std::size_t begin, std::size_t end) const;

  /// The size of the longest text.
  [[nodiscard]] std::size_t longest() const noexcept { return longest_; }
  [[nodiscard]] std::size_t memory() const noexcept { return nodes_.capacity() * sizeof(Node) + labels_.capacity(); }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;
  struct Node {
    std::uint32_t children = 0;  // the first one; they end where the next node's begin
    std::uint32_t failure = 0;   // the longest proper suffix of this node's path that is a path
    std::uint32_t match = none;  // the longest text that is a suffix of its path
  };
  void add_nodes(std::span<const std::string_view> texts);
  void add_failures();
  [[nodiscard]] std::uint32_t child(std::uint32_t node, unsigned char label) const noexcept;
  [[nodiscard]] std::uint32_t step(std::uint32_t node, unsigned char label) const noexcept;

  std::vector<Node> nodes_;  // breadth first, and one more
  std::vector<unsigned char> labels_;
  std::size_t longest_ = 0;
};

}  // namespace inlay::tokenize
