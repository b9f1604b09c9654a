#include "tokenize/bpe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <queue>

#include "inlay/error.hpp"
#include "text/utf8.hpp"
#include "tokenize/byte_level.hpp"

namespace inlay::tokenize {

BpeModel::MergeTable::MergeTable(std::size_t count)
    : slots_(std::bit_ceil(std::max<std::size_t>(count + count / 3 + 1, 2))), shift_(64 - std::countr_zero(slots_.size())) {}

void BpeModel::MergeTable::insert(std::uint32_t left, std::uint32_t right, Merge merge) noexcept {
  const std::uint64_t pair = std::uint64_t{left} << 32 | right;
  std::size_t index = place(pair);
  while (slots_[index].pair != empty && slots_[index].pair != pair) index = (index + 1) & (slots_.size() - 1);
  slots_[index] = {pair, merge};
}

BpeModel::Merge BpeModel::MergeTable::find(std::uint32_t left, std::uint32_t right) const noexcept {
  const std::uint64_t pair = std::uint64_t{left} << 32 | right;
  for (std::size_t index = place(pair);; index = (index + 1) & (slots_.size() - 1)) {
    if (slots_[index].pair == pair) return slots_[index].merge;
    if (slots_[index].pair == empty) return {};
  }
}

BpeModel::BpeModel(Vocabulary vocabulary, const Merges& merges, BpeOptions options, std::string_view label)
    : vocabulary_(std::move(vocabulary)), options_(std::move(options)), label_(label), merges_(merges.size()) {
  if (merges.size() >= no_rank) throw Error(Status::unsupported, fmt::format("{}: more than 2^32 merges", label));
  std::string joined;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string_view left = merges[rank].first;
    const std::string_view right = merges[rank].second;
    const auto fail = [&](std::string_view missing) {
      throw Error(Status::invalid_model, fmt::format("{}: merge {} (\"{}\" and \"{}\") needs the token \"{}\", which the vocabulary lacks",
                                                     label, rank, left, right, missing));
    };
    const auto left_id = vocabulary_.find(left);
    const auto right_id = vocabulary_.find(right);
    if (!left_id) fail(left);
    if (!right_id) fail(right);
    if (right.size() < options_.continuing_prefix.size()) fail(options_.continuing_prefix);
    joined.assign(left).append(right.substr(options_.continuing_prefix.size()));
    const auto id = vocabulary_.find(joined);
    if (!id) fail(joined);
    merges_.insert(static_cast<std::uint32_t>(*left_id), static_cast<std::uint32_t>(*right_id),
                   {static_cast<std::uint32_t>(rank), static_cast<std::uint32_t>(*id)});
  }
  if (options_.unknown_token) unknown_ = vocabulary_.find(*options_.unknown_token);
  if (options_.byte_fallback) {
    for (unsigned byte = 0; byte < 256; ++byte) byte_tokens_[byte] = vocabulary_.find(fmt::format("<0x{:02X}>", byte));
  }
}

std::size_t BpeModel::memory() const noexcept { return sizeof *this + vocabulary_.memory() + merges_.memory(); }

std::optional<TokenId> BpeModel::find_character(std::string_view character, bool first, bool last) const {
  const bool prefixed = !first && !options_.continuing_prefix.empty();
  const bool suffixed = last && !options_.end_of_word_suffix.empty();
  if (!prefixed && !suffixed) return vocabulary_.find(character);
  std::string text = prefixed ? options_.continuing_prefix : std::string();
  text += character;
  if (suffixed) text += options_.end_of_word_suffix;
  return vocabulary_.find(text);
}

bool BpeModel::add_bytes(std::string_view text, std::vector<Symbol>& symbols) const {
  const auto is_known = [this](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)].has_value(); };
  if (!options_.byte_fallback || !std::ranges::all_of(text, is_known)) return false;
  for (const char byte : text) symbols.push_back({static_cast<std::uint32_t>(*byte_tokens_[static_cast<unsigned char>(byte)]), 1});
  return true;
}

std::uint32_t BpeModel::unknown_id() const {
  if (unknown_) return static_cast<std::uint32_t>(*unknown_);
  throw Error(Status::invalid_model,
              fmt::format("{}: a text needs the unknown token \"{}\", which the vocabulary lacks", label_, *options_.unknown_token));
}

void BpeModel::tokenize(std::string_view word, std::vector<ModelToken>& tokens) const {
  if (options_.ignore_merges) {
    if (const auto id = vocabulary_.find(word)) {
      tokens.push_back({*id, 0, static_cast<std::uint32_t>(word.size())});
      return;
    }
  }
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  std::optional<Symbol> unknown;  // waits for more of its kind
  for (std::size_t position = 0; position < word.size();) {
    const std::size_t length = text::decode_utf8(word.data() + position).length;
    const std::string_view character = word.substr(position, length);
    const bool first = position == 0;
    position += length;
    const bool last = position == word.size();
    if (const auto id = find_character(character, first, last)) {
      if (unknown) symbols.push_back(*unknown);
      unknown.reset();
      symbols.push_back({static_cast<std::uint32_t>(*id), static_cast<std::uint32_t>(length)});
    } else if (std::string text =
                   (first ? "" : options_.continuing_prefix) + std::string(character) + (last ? options_.end_of_word_suffix : "");
               add_bytes(text, symbols)) {
      // An unknown token that waits comes behind these bytes: so it does in the reference.
    } else if (options_.unknown_token) {
      if (unknown && options_.fuse_unknown) {
        unknown->length += static_cast<std::uint32_t>(length);
      } else {
        if (unknown) symbols.push_back(*unknown);
        unknown = Symbol{unknown_id(), static_cast<std::uint32_t>(length)};
      }
    }
  }
  if (unknown) symbols.push_back(*unknown);
  merge(symbols);
  std::uint32_t begin = 0;
  for (const Symbol& symbol : symbols) {
    tokens.push_back({static_cast<TokenId>(symbol.id), begin, begin + symbol.length});
    begin += symbol.length;
  }
}

namespace {

// Up to here looking at all pairs for each merge takes less time than keeping them in a heap.
constexpr std::size_t few = 40;

}  // namespace

void BpeModel::merge(std::vector<Symbol>& symbols) const {
  if (symbols.size() < 2) return;
  if (symbols.size() <= few) {
    merge_few(symbols);
  } else {
    merge_many(symbols);
  }
}

void BpeModel::merge_few(std::vector<Symbol>& symbols) const {
  std::array<Merge, few> merges;  // of each symbol with the next one
  std::size_t count = symbols.size();
  for (std::size_t index = 0; index + 1 < count; ++index) merges[index] = merges_.find(symbols[index].id, symbols[index + 1].id);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t index = 1; index + 1 < count; ++index) {
      if (merges[index].rank < merges[best].rank) best = index;
    }
    if (merges[best].rank == no_rank) break;
    symbols[best] = {merges[best].id, symbols[best].length + symbols[best + 1].length};
    --count;
    std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 2, symbols.begin() + static_cast<std::ptrdiff_t>(count) + 1,
              symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    std::copy(merges.begin() + best + 1, merges.begin() + count, merges.begin() + best);
    if (best > 0) merges[best - 1] = merges_.find(symbols[best - 1].id, symbols[best].id);
    if (best + 1 < count) merges[best] = merges_.find(symbols[best].id, symbols[best + 1].id);
  }
  symbols.resize(count);
}

// A doubly linked list of symbols and a heap of merges: O(n log n). A merge in the heap is out of date when its symbols are not what they
// were; as they only ever grow, their ids tell.
void BpeModel::merge_many(std::vector<Symbol>& symbols) const {
  struct Candidate {
    std::uint32_t rank;
    std::uint32_t position;
    std::uint32_t id;
    bool operator<(const Candidate& other) const noexcept {
      return rank != other.rank ? rank > other.rank : position > other.position;  // the heap's top is its largest element
    }
  };
  struct Neighbours {
    std::uint32_t previous;
    std::uint32_t next;
  };
  const auto count = static_cast<std::uint32_t>(symbols.size());
  constexpr std::uint32_t none = 0xFFFFFFFF;
  std::vector<Neighbours> neighbours(count);
  std::vector<Candidate> candidates;
  const auto candidate = [&](std::uint32_t left, std::uint32_t right) {
    const Merge merge = merges_.find(symbols[left].id, symbols[right].id);
    return Candidate{merge.rank, left, merge.id};
  };
  for (std::uint32_t index = 0; index < count; ++index) {
    neighbours[index] = {index - 1, index + 1 < count ? index + 1 : none};
    if (index + 1 < count) {
      if (const Candidate each = candidate(index, index + 1); each.rank != no_rank) candidates.push_back(each);
    }
  }
  std::priority_queue<Candidate> queue({}, std::move(candidates));
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    const std::uint32_t left = top.position;
    const std::uint32_t right = neighbours[left].next;
    if (symbols[left].length == 0 || right == none) continue;
    if (const Candidate now = candidate(left, right); now.rank == no_rank || now.id != top.id) continue;
    symbols[left] = {top.id, symbols[left].length + symbols[right].length};
    symbols[right].length = 0;
    const std::uint32_t next = neighbours[right].next;
    neighbours[left].next = next;
    if (next != none) {
      neighbours[next].previous = left;
      if (const Candidate each = candidate(left, next); each.rank != no_rank) queue.push(each);
    }
    if (const std::uint32_t previous = neighbours[left].previous; previous != none) {
      if (const Candidate each = candidate(previous, left); each.rank != no_rank) queue.push(each);
    }
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
}

namespace {

class ByteLevelEncoder final : public SegmentEncoder {
 public:
  ByteLevelEncoder(const BpeModel& model, const ByteLevelOptions& options, const std::array<std::uint32_t, 256>& bytes)
      : model_(model), options_(options), bytes_(bytes), wholes_(model.vocabulary().id_limit()) {}

  void encode(std::string_view text, IdSink& sink) const override {
    if (text.empty()) return;
    std::vector<BpeModel::Symbol> symbols;
    std::string prefixed;
    if (options_.add_prefix_space && !text.starts_with(' ')) {
      prefixed.reserve(text.size() + 1);
      prefixed.append(1, ' ').append(text);
      text = prefixed;
    }
    if (!options_.use_regex) return encode_word(text, symbols, sink);
    while (!text.empty()) {
      const std::size_t length = word_length(text);
      encode_word(text.substr(0, length), symbols, sink);
      text.remove_prefix(length);
    }
  }

  [[nodiscard]] std::string normalize(std::string_view text) const override { return std::string(text); }
  void encode_normalized(std::string_view text, IdSink& sink) const override { encode(text, sink); }
  [[nodiscard]] std::size_t memory() const noexcept override { return sizeof *this + wholes_.capacity(); }

 private:
  // Whether a token's text, as a word, becomes that token: nearly all do, but merges can lead elsewhere. Found out when it is first met.
  enum class Whole : unsigned char { not_known, yes, no };

  void encode_word(std::string_view word, std::vector<BpeModel::Symbol>& symbols, IdSink& sink) const {
    const std::uint32_t id = find(word);
    const bool is_token = id != ByteTrie::no_value;
    const Whole whole = !is_token ? Whole::no : model_.options().ignore_merges ? Whole::yes : wholes_[id].load(std::memory_order_relaxed);
    if (whole == Whole::yes) return sink.push(static_cast<TokenId>(id));
    symbols.clear();
    for (const char byte : word) symbols.push_back({bytes_[static_cast<unsigned char>(byte)], 1});
    model_.merge(symbols);
    for (const BpeModel::Symbol& symbol : symbols) sink.push(static_cast<TokenId>(symbol.id));
    if (is_token && whole == Whole::not_known) {
      const bool is_whole = symbols.size() == 1 && symbols[0].id == id;
      wholes_[id].store(is_whole ? Whole::yes : Whole::no, std::memory_order_relaxed);
    }
  }

  // The token that the word is in byte-level text.
  [[nodiscard]] std::uint32_t find(std::string_view word) const noexcept {
    const ByteTrie& trie = model_.vocabulary().trie();
    const std::array<ByteText, 256>& texts = byte_texts();
    ByteTrie::Node node = trie.root();
    for (const char byte : word) {
      const ByteText& text = texts[static_cast<unsigned char>(byte)];
      if (!trie.step(node, static_cast<unsigned char>(text.bytes[0]))) return ByteTrie::no_value;
      if (text.length == 2 && !trie.step(node, static_cast<unsigned char>(text.bytes[1]))) return ByteTrie::no_value;
    }
    return node.value();
  }

  const BpeModel& model_;
  ByteLevelOptions options_;
  std::array<std::uint32_t, 256> bytes_;
  mutable std::vector<std::atomic<Whole>> wholes_;  // by id; any thread may find one out
};

}  // namespace

std::unique_ptr<const SegmentEncoder> make_byte_level_encoder(const BpeModel& model, const ByteLevelOptions& options) {
  if (!model.options().continuing_prefix.empty() || !model.options().end_of_word_suffix.empty()) return nullptr;
  if (model.vocabulary().shares_ids()) return nullptr;  // whether a word is its token is kept by id
  std::array<std::uint32_t, 256> bytes;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto id = model.vocabulary().find(byte_texts()[byte].view());
    if (!id) return nullptr;
    bytes[byte] = static_cast<std::uint32_t>(*id);
  }
  return std::make_unique<ByteLevelEncoder>(model, options, bytes);
}

}  // namespace inlay::tokenize
