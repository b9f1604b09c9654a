#include "tokenize/sentencepiece_model.hpp"

#include <fmt/format.h>

#include <bit>

#include "inlay/error.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {
namespace {

// The fields of a protobuf message, one after the other.
class Message {
 public:
  Message(std::string_view bytes, std::string_view label) : bytes_(bytes), label_(label) {}

  struct Field {
    std::uint64_t number = 0;
    std::uint64_t value = 0;  // of a varint, fixed32 or fixed64
    std::string_view bytes;   // of one with a length
  };

  bool next(Field& field) {
    if (bytes_.empty()) return false;
    const std::uint64_t tag = varint();
    field = {.number = tag >> 3};
    switch (tag & 7) {
      case 0: field.value = varint(); return true;
      case 1: field.value = fixed(8); return true;
      case 2: field.bytes = take(varint()); return true;
      case 5: field.value = fixed(4); return true;
      default: fail();
    }
  }

 private:
  [[noreturn]] void fail() const { throw Error(Status::invalid_model, fmt::format("{} is not a SentencePiece model", label_)); }

  std::string_view take(std::uint64_t length) {
    if (length > bytes_.size()) fail();
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return taken;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail();
  }

  std::uint64_t fixed(int length) {
    std::uint64_t value = 0;
    const std::string_view taken = take(static_cast<std::uint64_t>(length));
    for (int index = length; index-- > 0;) value = value << 8 | static_cast<unsigned char>(taken[static_cast<std::size_t>(index)]);
    return value;
  }

  std::string_view bytes_;
  std::string_view label_;
};

std::int64_t as_int32(std::uint64_t value) noexcept { return static_cast<std::int32_t>(static_cast<std::uint32_t>(value)); }

SentencePieceModel::Piece read_piece(std::string_view bytes, std::size_t index, std::string_view label) {
  SentencePieceModel::Piece piece;
  Message message(bytes, label);
  for (Message::Field field; message.next(field);) {
    if (field.number == 1) piece.text = field.bytes;
    if (field.number == 2) piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
    if (field.number == 3) piece.kind = static_cast<SentencePieceModel::PieceKind>(field.value);
  }
  if (!text::is_valid_utf8(piece.text)) throw Error(Status::invalid_model, fmt::format("{}: piece {} is not UTF-8", label, index));
  if (!(piece.score > -1e30f && piece.score < 1e30f)) {
    throw Error(Status::invalid_model, fmt::format("{}: piece {} has the score {}", label, index, piece.score));
  }
  return piece;
}

void read_trainer(std::string_view bytes, std::string_view label, SentencePieceModel& model) {
  Message message(bytes, label);
  for (Message::Field field; message.next(field);) {
    switch (field.number) {
      case 3: model.kind = static_cast<SentencePieceModel::Kind>(field.value); break;
      case 35: model.byte_fallback = field.value != 0; break;
      case 40: model.unknown_id = as_int32(field.value); break;
      case 41: model.bos_id = as_int32(field.value); break;
      case 42: model.eos_id = as_int32(field.value); break;
      case 45: model.unknown_piece = field.bytes; break;
      case 46: model.bos_piece = field.bytes; break;
      case 47: model.eos_piece = field.bytes; break;
      default: break;
    }
  }
  for (const std::string_view piece : {model.unknown_piece, model.bos_piece, model.eos_piece}) {
    if (!text::is_valid_utf8(piece)) throw Error(Status::invalid_model, fmt::format("{}: a special piece is not UTF-8", label));
  }
}

}  // namespace

SentencePieceModel read_sentencepiece_model(std::string_view bytes, std::string_view label) {
  SentencePieceModel model;
  Message message(bytes, label);
  for (Message::Field field; message.next(field);) {
    if (field.number == 1) {
      model.pieces.push_back(read_piece(field.bytes, model.pieces.size(), label));
    } else if (field.number == 2) {
      read_trainer(field.bytes, label, model);
    } else if (field.number == 3) {
      Message normalizer(field.bytes, label);
      for (Message::Field rule; normalizer.next(rule);) {
        if (rule.number == 2) model.charsmap = rule.bytes;
      }
    }
  }
  if (model.pieces.empty()) throw Error(Status::invalid_model, fmt::format("{} is not a SentencePiece model: it has no pieces", label));
  return model;
}

}  // namespace inlay::tokenize
