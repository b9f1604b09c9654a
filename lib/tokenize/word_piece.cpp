#include "tokenize/word_piece.hpp"

#include <algorithm>

#include "text/utf8.hpp"

namespace inlay::tokenize {
namespace {

// What an ASCII byte is to BERT, and the byte that it becomes.
class AsciiTable {
 public:
  explicit AsciiTable(const BertCharacterTable& characters) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      kinds_[byte] = byte < 128 ? characters[byte].kind : CharacterKind::complex;
      bytes_[byte] = static_cast<unsigned char>(byte < 128 && characters[byte].length == 1 ? characters[byte].bytes[0] : byte);
    }
  }

  [[nodiscard]] CharacterKind kind(char byte) const noexcept { return kinds_[static_cast<unsigned char>(byte)]; }
  [[nodiscard]] unsigned char normalized(char byte) const noexcept { return bytes_[static_cast<unsigned char>(byte)]; }

 private:
  std::array<CharacterKind, 256> kinds_;
  std::array<unsigned char, 256> bytes_;
};

class BertEncoder final : public SegmentEncoder {
 public:
  BertEncoder(const WordPieceModel& model, const BertOptions& bert)
      : model_(model),
        characters_(bert),
        normalized_characters_({.clean_text = false, .handle_chinese_chars = false, .strip_accents = false, .lowercase = false}),
        ascii_(characters_),
        normalized_ascii_(normalized_characters_) {
    const auto identity = [](unsigned char byte) { return byte; };
    for (unsigned byte = 0; byte < 128; ++byte) {
      const char normalized = static_cast<char>(ascii_.normalized(static_cast<char>(byte)));
      const auto piece = model.longest_piece(model.vocabulary().trie().root(), {&normalized, 1}, identity);
      const bool known = piece.value != ByteTrie::no_value && model.max_characters() > 0;
      isolated_ids_[byte] = known ? static_cast<TokenId>(piece.value) : model.unknown().id();
    }
  }

  void encode(std::string_view text, IdSink& sink) const override { encode_with(text, characters_, ascii_, sink); }

  [[nodiscard]] std::string normalize(std::string_view text) const override { return characters_.normalizer().normalize(text); }

  void encode_normalized(std::string_view text, IdSink& sink) const override {
    encode_with(text, normalized_characters_, normalized_ascii_, sink);
  }

  [[nodiscard]] std::size_t memory() const noexcept override {
    return sizeof *this + characters_.memory() + normalized_characters_.memory();
  }

 private:
  // A word being gathered. What exceeds the longest word that is looked at is counted, not kept.
  struct Word {
    std::string bytes;
    std::size_t characters = 0;
  };

  template <typename Map>
  void encode_word(std::string_view word, std::size_t characters, const Map& map, IdSink& sink) const {
    if (characters > model_.max_characters()) {
      sink.push(model_.unknown().id());
      return;
    }
    const std::size_t count = sink.count();
    ByteTrie::Node node = model_.vocabulary().trie().root();
    while (!word.empty()) {
      const auto piece = model_.longest_piece(node, word, map);
      if (piece.length == 0) {
        sink.rewind(count);
        sink.push(model_.unknown().id());
        return;
      }
      sink.push(static_cast<TokenId>(piece.value));
      word.remove_prefix(piece.length);
      node = model_.inside_word();
    }
  }

  void encode_with(std::string_view text, const BertCharacterTable& characters, const AsciiTable& ascii, IdSink& sink) const {
    const auto normalized = [&ascii](char byte) { return ascii.normalized(byte); };
    std::size_t position = 0;
    while (position < text.size()) {
      const CharacterKind kind = ascii.kind(text[position]);
      if (kind == CharacterKind::isolated) {
        sink.push(isolated_ids_[static_cast<unsigned char>(text[position++])]);
      } else if (kind == CharacterKind::space || kind == CharacterKind::nothing) {
        ++position;
      } else {
        // A word of ASCII alone is looked up where it stands.
        std::size_t end = position;
        while (end < text.size() && ascii.kind(text[end]) == CharacterKind::word) ++end;
        const bool ends =
            end == text.size() || ascii.kind(text[end]) == CharacterKind::space || ascii.kind(text[end]) == CharacterKind::isolated;
        if (ends) {
          encode_word(text.substr(position, end - position), end - position, normalized, sink);
          position = end;
        } else {
          position += encode_mixed(text.substr(position), characters, sink);
        }
      }
    }
  }

  // Words of any characters, up to where one ends before ASCII; returns how many bytes of the text they took.
  std::size_t encode_mixed(std::string_view text, const BertCharacterTable& characters, IdSink& sink) const {
    Word word;
    std::u32string complex;
    std::size_t position = 0;
    while (position < text.size()) {
      const auto [code_point, length] = text::decode_utf8(text.data() + position);
      const BertCharacter& character = characters[code_point];
      if (code_point < 0x80 && (character.kind == CharacterKind::space || character.kind == CharacterKind::isolated)) break;
      if (character.kind != CharacterKind::complex) {
        add(word, character.kind, {character.bytes.data(), character.length}, character.characters, sink);
        position += length;
        continue;
      }
      complex.clear();
      position += characters.normalizer().normalize_front(text.substr(position), complex);
      for (const char32_t part : complex) {
        std::string bytes;
        text::append_utf8(bytes, part);
        add(word, normalized_kind(part), bytes, 1, sink);
      }
    }
    finish(word, sink);
    return position;
  }

  void add(Word& word, CharacterKind kind, std::string_view bytes, std::size_t count, IdSink& sink) const {
    if (kind == CharacterKind::word) {
      word.characters += count;
      if (word.characters <= model_.max_characters()) word.bytes += bytes;
    } else if (kind != CharacterKind::nothing) {
      finish(word, sink);
      if (kind == CharacterKind::isolated) encode_word(bytes, count, as_it_is, sink);
    }
  }

  void finish(Word& word, IdSink& sink) const {
    if (word.characters > 0) encode_word(word.bytes, word.characters, as_it_is, sink);
    word.bytes.clear();
    word.characters = 0;
  }

  static constexpr auto as_it_is = [](char byte) { return static_cast<unsigned char>(byte); };

  const WordPieceModel& model_;
  BertCharacterTable characters_;
  BertCharacterTable normalized_characters_;  // for text that is normalised already
  AsciiTable ascii_;
  AsciiTable normalized_ascii_;
  std::array<TokenId, 128> isolated_ids_;
};

}  // namespace

WordPieceModel::WordPieceModel(Vocabulary vocabulary, const WordPieceOptions& options, std::string_view label)
    : vocabulary_(std::move(vocabulary)),
      max_characters_(options.max_characters_per_word),
      unknown_(vocabulary_, options.unknown_token, label) {
  if (max_characters_ > Vocabulary::longest_searched) vocabulary_.check_lengths(label);
  inside_word_ = vocabulary_.trie().root();
  for (const char byte : options.continuing_prefix) {
    if (!vocabulary_.trie().step(inside_word_, static_cast<unsigned char>(byte))) {
      inside_word_ = {};
      break;
    }
  }
}

void WordPieceModel::tokenize(std::string_view word, std::vector<ModelToken>& tokens) const {
  const std::size_t first = tokens.size();
  const auto characters = static_cast<std::size_t>(std::ranges::count_if(word, [](char byte) { return (byte & 0xC0) != 0x80; }));
  ByteTrie::Node node = vocabulary_.trie().root();
  for (std::size_t begin = 0; begin < word.size();) {
    const auto as_it_is = [](char byte) { return static_cast<unsigned char>(byte); };
    const Piece piece = characters > max_characters_ ? Piece{} : longest_piece(node, word.substr(begin), as_it_is);
    if (piece.length == 0) {
      tokens.resize(first);
      tokens.push_back({unknown_.id(), 0, static_cast<std::uint32_t>(word.size())});
      return;
    }
    const std::size_t end = begin + piece.length;
    tokens.push_back({static_cast<TokenId>(piece.value), static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    begin = end;
    node = inside_word_;
  }
}

std::unique_ptr<const SegmentEncoder> make_bert_encoder(const WordPieceModel& model, const BertOptions& bert) {
  if (!model.unknown().known()) return nullptr;
  return std::make_unique<BertEncoder>(model, bert);
}

}  // namespace inlay::tokenize
