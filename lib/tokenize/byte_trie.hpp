// ByteTrie: the longest key that a text begins with, by one memory access a byte.
//
// A double array (Aoe 1989) in the form of Darts-clone: the child by byte c of a node with base b lies at b ^ c, and no two nodes have the
// same base, so that the label alone tells whether a slot is that child. A node is one 64-bit word; the 256 slots that one base can reach
// are one block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace inlay::tokenize {

class ByteTrie {
 public:
  static constexpr std::uint32_t no_value = 0xFFFFFF;
  static constexpr std::uint32_t largest_value = no_value - 1;

  struct Key {
    std::string_view bytes;
    std::uint32_t value;  ///< at most largest_value
  };

  /// A place in the trie: what stands there is the path from the root.
  class Node {
   public:
    /// The value of the key that ends here, or no_value.
    [[nodiscard]] std::uint32_t value() const noexcept { return static_cast<std::uint32_t>(bits_ >> 9) & 0xFFFFFF; }

   private:
    friend class ByteTrie;
    // label: 9 bits, 256 in a slot without a node; value: 24 bits; base: 31 bits, 0 in a leaf
    std::uint64_t bits_ = 0x100 | std::uint64_t{no_value} << 9;
    [[nodiscard]] std::uint32_t label() const noexcept { return bits_ & 0x1FF; }
    [[nodiscard]] std::size_t base() const noexcept { return bits_ >> 33; }
    void set_label(std::uint32_t label) noexcept { bits_ = (bits_ & ~std::uint64_t{0x1FF}) | label; }
    void set_value(std::uint32_t value) noexcept { bits_ = (bits_ & ~(std::uint64_t{0xFFFFFF} << 9)) | std::uint64_t{value} << 9; }
    void set_base(std::size_t base) noexcept { bits_ = (bits_ & 0x1FFFFFFFF) | std::uint64_t{base} << 33; }
  };

  ByteTrie() : nodes_(256) {}
  /// Keys sorted by their bytes (as unsigned), each once, none empty. Throws Error (unsupported) when they need more than 2^31 nodes.
  explicit ByteTrie(std::span<const Key> sorted_keys);

  [[nodiscard]] Node root() const noexcept { return nodes_[0]; }

  /// Moves to the child; false, and stays, where there is none.
  bool step(Node& node, unsigned char byte) const noexcept {
    const Node child = nodes_[node.base() ^ byte];
    if (child.label() != byte) return false;
    node = child;
    return true;
  }

  /// The value of a key; no_value where there is none.
  [[nodiscard]] std::uint32_t find(std::string_view bytes) const noexcept {
    Node node = root();
    for (const char byte : bytes) {
      if (!step(node, static_cast<unsigned char>(byte))) return no_value;
    }
    return node.value();
  }

  [[nodiscard]] std::size_t memory() const noexcept { return nodes_.capacity() * sizeof(Node); }

 private:
  class Builder;
  std::vector<Node> nodes_;
};

}  // namespace inlay::tokenize
