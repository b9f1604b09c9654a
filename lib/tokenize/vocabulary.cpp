#include "tokenize/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "inlay/error.hpp"

namespace inlay::tokenize {
namespace {

// The first eight bytes decide nearly every comparison; as one big-endian number they are compared at once.
struct SortKey {
  std::uint64_t prefix;
  std::uint32_t entry;
};

std::uint64_t prefix_of(std::string_view text) noexcept {
  unsigned char bytes[8] = {};
  std::copy_n(text.begin(), std::min<std::size_t>(text.size(), 8), bytes);  // memcpy may not take an empty view's null
  std::uint64_t prefix = 0;
  for (const unsigned char byte : bytes) prefix = prefix << 8 | byte;
  return prefix;
}

void sort_by_text(std::vector<VocabularyEntry>& entries) {
  std::vector<SortKey> keys(entries.size());
  for (std::size_t index = 0; index < entries.size(); ++index) {
    keys[index] = {prefix_of(entries[index].text), static_cast<std::uint32_t>(index)};
  }
  std::ranges::sort(keys, [&entries](const SortKey& left, const SortKey& right) {
    if (left.prefix != right.prefix) return left.prefix < right.prefix;
    const int order = entries[left.entry].text.compare(entries[right.entry].text);
    return order != 0 ? order < 0 : left.entry < right.entry;
  });
  std::vector<VocabularyEntry> sorted(entries.size());
  for (std::size_t index = 0; index < keys.size(); ++index) sorted[index] = entries[keys[index].entry];
  entries.swap(sorted);
}

void keep_last_of_equal_texts(std::vector<VocabularyEntry>& entries) {
  std::size_t kept = 0;
  for (std::size_t index = 0; index < entries.size(); ++index) {
    if (index + 1 < entries.size() && entries[index].text == entries[index + 1].text) continue;
    entries[kept++] = entries[index];
  }
  entries.resize(kept);
}

}  // namespace

Vocabulary::Vocabulary(std::vector<VocabularyEntry> entries, std::string_view label) {
  std::int64_t largest = -1;
  std::uint64_t bytes = 0;
  for (const VocabularyEntry& entry : entries) {
    if (entry.id < 0 || entry.id > largest_id) {
      throw Error(Status::invalid_model,
                  fmt::format("{}: token \"{}\" has id {}, outside 0 to {}", label, entry.text, entry.id, largest_id));
    }
    largest = std::max(largest, entry.id);
    bytes += entry.text.size();
  }
  if (bytes > std::numeric_limits<std::uint32_t>::max() || entries.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(Status::unsupported, fmt::format("{}: the vocabulary is larger than 4 GB", label));
  }
  sort_by_text(entries);
  keep_last_of_equal_texts(entries);
  entries_ = entries.size();

  constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> entry_of(static_cast<std::size_t>(largest + 1), none);
  std::vector<ByteTrie::Key> keys;
  keys.reserve(entries.size());
  for (std::size_t index = 0; index < entries.size(); ++index) {
    const VocabularyEntry& entry = entries[index];
    std::uint32_t& holder = entry_of[static_cast<std::size_t>(entry.id)];
    shares_ids_ = shares_ids_ || holder != none;
    holder = static_cast<std::uint32_t>(index);
    if (entry.text.empty()) {
      empty_text_ = static_cast<TokenId>(entry.id);
    } else {
      keys.push_back({entry.text, static_cast<std::uint32_t>(entry.id)});
    }
  }
  trie_ = ByteTrie(keys);

  texts_.reserve(bytes);
  starts_.reserve(entry_of.size() + 1);
  for (const std::uint32_t entry : entry_of) {
    starts_.push_back(static_cast<std::uint32_t>(texts_.size()));
    if (entry != none) texts_ += entries[entry].text;
  }
  starts_.push_back(static_cast<std::uint32_t>(texts_.size()));
}

void Vocabulary::check_lengths(std::string_view label) const {
  for (std::size_t id = 0; id < id_limit(); ++id) {
    if (const std::size_t size = starts_[id + 1] - starts_[id]; size > longest_searched) {
      throw Error(Status::unsupported, fmt::format("{}: token {} has {} bytes, more than {}", label, id, size, longest_searched));
    }
  }
}

std::optional<TokenId> Vocabulary::find(std::string_view text) const noexcept {
  if (text.empty()) return empty_text_;
  const std::uint32_t value = trie_.find(text);
  if (value == ByteTrie::no_value) return std::nullopt;
  return static_cast<TokenId>(value);
}

std::string_view Vocabulary::text(TokenId id) const noexcept {
  if (id < 0 || static_cast<std::size_t>(id) >= id_limit()) return {};
  const auto index = static_cast<std::size_t>(id);
  return std::string_view(texts_).substr(starts_[index], starts_[index + 1] - starts_[index]);
}

std::size_t Vocabulary::memory() const noexcept { return texts_.capacity() + starts_.capacity() * sizeof(starts_[0]) + trie_.memory(); }

TokenId UnknownToken::fail() const {
  throw Error(Status::invalid_model, fmt::format("{}: a text needs the unknown token \"{}\", which the vocabulary lacks", label_, text_));
}

}  // namespace inlay::tokenize
