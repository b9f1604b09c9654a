// Texts of more tokens than the model takes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

std::string code_of(std::size_t functions) {
  std::string text;
  for (std::size_t i = 0; i < functions; ++i) text += fmt::format("def read{}(file):\n    return open(file)[{}]\n\n", i, i * 7);
  return text;
}

std::vector<float> row_of(const Matrix& matrix, std::size_t row) { return {&matrix(row, 0), &matrix(row, 0) + matrix.shape(1)}; }

// The mean of the chunks' vectors, weighted by their tokens, by the definition.
std::vector<float> average_of(const EmbeddingGenerator& generator, const std::vector<std::string>& chunks, std::size_t frame_tokens) {
  const EmbedResult parts = generator.embed(chunks);
  REQUIRE(parts.complete());
  std::vector<double> sum(generator.dimension(), 0.0);
  double total = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto weight = static_cast<double>(parts.items[i].tokens_used - frame_tokens);
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += weight * parts.vectors(i, c);
    total += weight;
  }
  double length = 0;
  for (double& value : sum) {
    value /= total;
    length += value * value;
  }
  std::vector<float> average;
  for (const double value : sum) {
    average.push_back(static_cast<float>(generator.options().normalize ? value / std::sqrt(length) : value));
  }
  return average;
}

void check_near(const std::vector<float>& got, const std::vector<float>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(expected[i]).margin(1e-6));
}

}  // namespace

TEST_CASE("a long text's vector is the mean of its chunks' vectors, weighted by their tokens") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const std::string text = code_of(9);
  for (const bool normalize : {true, false}) {
    const auto generator = EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .normalize = normalize, .threads = 2});
    for (const auto& [chunk_size, overlap] : std::vector<std::pair<std::size_t, std::size_t>>{{0, 0}, {20, 0}, {33, 8}, {1000, 1}}) {
      CAPTURE(normalize, chunk_size, overlap);
      const LongTextOptions options{LongText::average, chunk_size, overlap};
      const Document document{text, {.language = "python"}};
      const EmbedResult result = EmbeddingGenerator(generator).embed_documents({&document, 1}, {.long_text = options});
      const EmbedResult again = generator.embed({"the file", text}, {.long_text = options});

      const std::size_t size = chunk_size == 0 ? 64 : std::min<std::size_t>(chunk_size, 64);
      const auto chunks_of = [&](const std::string& whole, const std::string& language) {
        const RecursiveCharacterTextSplitter splitter(TokenCounter(generator.tokenizer()),
                                                      {.chunk_size = size, .chunk_overlap = overlap, .language = language});
        std::vector<std::string> chunks;
        for (const TextChunk& chunk : splitter.split(whole)) chunks.emplace_back(chunk.of(whole));
        return chunks;
      };
      const std::vector<std::string> chunks = chunks_of("[PYTHON] " + text, "python");
      REQUIRE(chunks.size() > 2);
      REQUIRE(result.complete());
      CHECK(result.items[0].chunks == chunks.size());
      CHECK(result.items[0].tokens_seen == generator.tokenizer().encode("[PYTHON] " + text).ids.size());
      CHECK(result.items[0].tokens_used == result.items[0].tokens_seen);
      check_near(row_of(result.vectors, 0), average_of(generator, chunks, 2));

      const std::vector<std::string> plain = chunks_of(text, "");
      CHECK(again.items[1].chunks == plain.size());
      check_near(row_of(again.vectors, 1), average_of(generator, plain, 2));
      CHECK(again.items[0].chunks == 1);
      CHECK(row_of(again.vectors, 0) == row_of(generator.embed({"the file"}).vectors, 0));
    }
  }
}

TEST_CASE("every chunk gets the model's prompt, and room for it") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  write(folder / "config_sentence_transformers.json", R"({"prompts": {"passage": "read the file: "}})");
  const auto generator = EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .preparator = content_only});
  const std::string text = code_of(5);
  const std::size_t frame = generator.tokenizer().encode("read the file: ").ids.size();
  REQUIRE(frame == 6);
  const Document document{text, {}};
  const EmbedResult result = generator.embed_documents({&document, 1}, {.long_text = {LongText::average, 24}});
  const TokenCounter counter(
      [&](std::string_view part) { return generator.tokenizer().encode(std::string("read the file: ").append(part)).ids.size() - frame; });
  std::vector<std::string> chunks;
  for (const TextChunk& chunk : RecursiveCharacterTextSplitter(counter, {.chunk_size = 24 - frame}).split(text)) {
    chunks.push_back(std::string("read the file: ").append(chunk.of(text)));
    CHECK(generator.tokenizer().encode(chunks.back()).ids.size() <= 24);
  }
  CHECK(result.items[0].chunks == chunks.size());
  check_near(row_of(result.vectors, 0), average_of(generator, chunks, frame));

  CHECK_THROWS_WITH(generator.embed_documents({&document, 1}, {.long_text = {LongText::average, 6}}), Catch::Contains("no room"));
  CHECK_THROWS_WITH(generator.embed_documents({&document, 1}, {.long_text = {LongText::average, 12, 6}}), Catch::Contains("no room"));
}

TEST_CASE("a text with one token too many is cut or refused, as the caller chooses; with none too many it is whole") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto generator = EmbeddingGenerator::load(folder.path(), {.device = Device::cpu()});
  std::string fits;
  for (int i = 0; i < 62; ++i) fits += "file ";
  const std::string longer = fits + "file";
  for (const LongText policy : {LongText::truncate, LongText::average, LongText::error}) {
    CAPTURE(to_string(policy));
    const EmbedResult result = generator.embed({fits, longer}, {.long_text = {policy}});
    CHECK(result.items[0].status == Status::ok);
    CHECK(result.items[0].chunks == 1);
    CHECK_FALSE(result.items[0].truncated());
    CHECK(result.items[1].truncated() == (policy == LongText::truncate));
    CHECK(result.items[1].chunks == (policy == LongText::average ? 2 : 1));
    CHECK(result.items[1].status == (policy == LongText::error ? Status::invalid_argument : Status::ok));
    if (policy == LongText::error) CHECK_THAT(result.items[1].message, Catch::Contains("65 tokens") && Catch::Contains("64"));
  }
}

TEST_CASE("a long text's vector does not depend on the batches that its chunks come in") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 40; ++i) texts.push_back(code_of(i % 11));
  Matrix expected;
  for (const std::size_t batch_tokens : {64, 200, 4096}) {
    for (const std::size_t threads : {1, 3}) {
      const auto generator =
          EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .batch_tokens = batch_tokens, .threads = threads});
      std::size_t done = 0;
      const EmbedResult result = generator.embed(
          texts, {.on_progress = [&](const Progress& progress) { done = progress.done; }, .long_text = {.policy = LongText::average}});
      REQUIRE(result.complete());
      CHECK(done == texts.size());
      if (expected.size() == 0) expected = result.vectors;
      CHECK((result.vectors == expected));
    }
  }
}

}  // namespace inlay::test
