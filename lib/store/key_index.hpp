// KeyIndex: the keys of vectors that lie in a file, and their numbers there, in some 25 bytes a key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::store {

/// A key in 16 bytes. Of a content_key, the 128 bits that it writes in hexadecimal; of any other key, a hash of it, seeded so that it is not
/// the content_key of that text.
struct PackedKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend bool operator==(const PackedKey&, const PackedKey&) = default;
};

/// Whether the key is as content_key writes it: 32 digits, hexadecimal, lower case.
[[nodiscard]] bool is_content_key(std::string_view key) noexcept;

[[nodiscard]] PackedKey pack_key(std::string_view key) noexcept;

/// The content_key that was packed.
[[nodiscard]] std::string unpack_content_key(const PackedKey& key);

/// Not for several threads while one of them adds.
class KeyIndex {
 public:
  /// Gives the key the next number, from 0 on. Of two numbers of one key the later counts. Throws Error (unsupported) when there are no more.
  void add(const PackedKey& key);
  /// Passes over the next number.
  void skip();

  [[nodiscard]] std::optional<std::size_t> find(const PackedKey& key) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }            ///< keys
  [[nodiscard]] std::size_t numbers() const noexcept { return keys_.size(); }  ///< given, or passed over
  [[nodiscard]] std::size_t bytes() const noexcept { return keys_.size() * sizeof(PackedKey) + slots_.size() * sizeof(Slot); }

 private:
  using Slot = std::uint32_t;  // a number, and 1; 0: free

  [[nodiscard]] std::size_t slot_of(const PackedKey& key) const noexcept;  // where it is, or where it goes
  void check_room() const;
  void grow();

  std::deque<PackedKey> keys_;  // by number; grows without being copied
  std::vector<Slot> slots_;     // a power of two of them
  std::size_t size_ = 0;
};

}  // namespace inlay::store
