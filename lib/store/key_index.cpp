#include "store/key_index.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "inlay/error.hpp"

namespace inlay::store {
namespace {

constexpr std::size_t content_key_length = 32;
constexpr std::uint64_t other_key_seed = 0x6b65792e6f746872;
constexpr std::size_t fewest_slots = 64;

std::uint64_t parse_half(std::string_view digits) noexcept {
  std::uint64_t half = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), half, 16);
  return half;
}

}  // namespace

bool is_content_key(std::string_view key) noexcept {
  return key.size() == content_key_length && key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

PackedKey pack_key(std::string_view key) noexcept {
  if (is_content_key(key)) return {parse_half(key.substr(0, content_key_length / 2)), parse_half(key.substr(content_key_length / 2))};
  const XXH128_hash_t hash = XXH3_128bits_withSeed(key.data(), key.size(), other_key_seed);
  return {hash.high64, hash.low64};
}

std::string unpack_content_key(const PackedKey& key) { return fmt::format("{:016x}{:016x}", key.high, key.low); }

std::size_t KeyIndex::slot_of(const PackedKey& key) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = XXH3_64bits(&key, sizeof key) & mask;
  while (slots_[slot] != 0 && keys_[slots_[slot] - 1] != key) slot = (slot + 1) & mask;
  return slot;
}

std::optional<std::size_t> KeyIndex::find(const PackedKey& key) const noexcept {
  if (slots_.empty()) return std::nullopt;
  const Slot slot = slots_[slot_of(key)];
  if (slot == 0) return std::nullopt;
  return slot - 1;
}

void KeyIndex::add(const PackedKey& key) {
  check_room();
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  keys_.push_back(key);
  Slot& slot = slots_[slot_of(key)];
  if (slot == 0) ++size_;
  slot = static_cast<Slot>(keys_.size());
}

void KeyIndex::skip() {
  check_room();
  keys_.emplace_back();
}

void KeyIndex::check_room() const {
  if (keys_.size() < std::numeric_limits<Slot>::max()) return;
  throw Error(Status::unsupported, fmt::format("a file of more than {} vectors", keys_.size()));
}

void KeyIndex::grow() {
  std::vector<Slot> before(std::max(fewest_slots, 2 * slots_.size()));
  before.swap(slots_);
  for (const Slot slot : before) {
    if (slot != 0) slots_[slot_of(keys_[slot - 1])] = slot;
  }
}

}  // namespace inlay::store
