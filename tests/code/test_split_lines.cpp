#include <atomic>
#include <inlay/corpus.hpp>
#include <inlay/error.hpp>
#include <random>

#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace inlay;

namespace {

// Tokens that pay no heed to line ends: one per three bytes begun, so that a line's own number is a poor guide.
class ThreeBytes : public Tokenizer {
 public:
  std::size_t encode_into(std::string_view text, std::size_t max_tokens, std::vector<TokenId>& ids) const override {
    const std::size_t seen = (text.size() + 2) / 3 + 2;
    bytes += text.size();
    ids.resize(ids.size() + std::min(seen, max_tokens));
    return seen;
  }
  Encoding encode_with_offsets(std::string_view, std::size_t) const override { throw Error(Status::unsupported, "no offsets"); }
  std::string_view token(TokenId) const noexcept override { return {}; }
  std::size_t vocabulary_size() const noexcept override { return 1; }
  std::size_t special_tokens() const noexcept override { return 2; }
  std::size_t memory() const noexcept override { return 0; }

  mutable std::size_t bytes = 0;  // that were tokenised so far
};

std::string random_text(std::mt19937& random, std::size_t lines) {
  std::string text;
  for (std::size_t line = 0; line < lines; ++line) {
    const std::size_t kind = random() % 10;
    const std::size_t length = kind < 3 ? 0 : kind < 9 ? random() % 60 : random() % 2000;
    for (std::size_t i = 0; i < length; ++i) text += "abcdef  "[random() % 8];
    if (line + 1 < lines || random() % 2 == 0) text += '\n';
  }
  return text;
}

std::size_t count(const Tokenizer& tokenizer, const Document& document) { return tokenizer.encode(TextPreparator{}(document)).tokens_seen; }

void check_pieces(const Tokenizer& tokenizer, const Document& document, std::size_t max_tokens) {
  const auto pieces = split_lines(std::span(&document, 1), tokenizer, max_tokens);
  std::string whole;
  std::int64_t line = std::max<std::int64_t>(document.metadata.line_number, 1);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Document& piece = pieces[i];
    const std::size_t tokens = count(tokenizer, piece);
    if (tokens > max_tokens) {
      std::size_t lines_with_text = 0;
      std::istringstream stream(piece.content);
      for (std::string text; std::getline(stream, text);) lines_with_text += text.empty() ? 0 : 1;
      CHECK(lines_with_text <= 1);
    }
    if (pieces.size() > 1) CHECK(piece.metadata.line_number == line);
    line += std::ranges::count(piece.content, '\n');
    whole += piece.content;
    Metadata metadata = piece.metadata;
    metadata.line_number = document.metadata.line_number;
    CHECK(metadata == document.metadata);
  }
  CHECK(whole == document.content);
}

}  // namespace

TEST_CASE("documents that fit, and empty ones, come back as they are") {
  const ThreeBytes tokenizer;
  const std::vector<Document> documents = {{"short\ntext\n", {.language = "c"}}, {"", {.language = "c"}}, {"x", {.line_number = 9}}};
  CHECK(split_lines(documents, tokenizer, 100) == documents);
  CHECK(split_lines({}, tokenizer, 100).empty());
}

TEST_CASE("pieces end at line ends, fit, know their first line, and make the whole") {
  const ThreeBytes tokenizer;
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    const Document document{random_text(random, random() % 80),
                            {.file_path = "a.c", .language = "c", .line_number = static_cast<std::int64_t>(random() % 3)}};
    check_pieces(tokenizer, document, 5 + random() % 60);
  }
}

TEST_CASE("pieces use the room that they have") {
  const ThreeBytes tokenizer;
  Document document;
  for (int line = 0; line < 1000; ++line) document.content += "abcd\n";  // 2 tokens alone, 5/3 beside others
  const auto pieces = split_lines(std::span(&document, 1), tokenizer, 102);
  CHECK(pieces.size() <= 18);  // 5000 bytes at 300 a piece are 16.7
  CHECK(pieces[1].content.size() >= 290);
}

TEST_CASE("the work grows with the text's length") {
  const auto work = [](std::size_t lines) {
    const ThreeBytes tokenizer;
    std::mt19937 random(1);
    const Document document{random_text(random, lines), {.language = "c"}};
    static_cast<void>(split_lines(std::span(&document, 1), tokenizer, 256));
    return static_cast<double>(tokenizer.bytes) / static_cast<double>(document.content.size());
  };
  CHECK(work(100'000) < 8);
  CHECK(work(100'000) < 1.2 * work(10'000));
}

TEST_CASE("a preparator that fails leaves its document whole, and no room is an error") {
  const ThreeBytes tokenizer;
  const std::vector<Document> documents = {{std::string(900, 'x') + "\n" + std::string(900, 'y'), {}}};
  CHECK(split_lines(documents, tokenizer, 10, [](const Document&) -> std::string { throw std::runtime_error("no"); }) == documents);
  CHECK_THROWS_AS(split_lines(documents, tokenizer, 2), Error);
}

TEST_CASE("with the real tokenizer: this library's own sources in pieces of 64 and 256 tokens") {
  const auto model = test::model_folder();
  INLAY_SKIP_WITHOUT(model, "INLAY_MODEL");
  const auto tokenizer = load_tokenizer(*model);
  std::size_t documents = 0;
  for (const Document& document : read_corpus(std::filesystem::path(__FILE__).parent_path().parent_path())) {
    check_pieces(*tokenizer, document, 64);
    check_pieces(*tokenizer, document, 256);
    ++documents;
  }
  CHECK(documents > 10);
}
