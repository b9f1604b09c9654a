// Tiny BERT models of many shapes against the same model in double precision.
#include <cmath>
#include <string>
#include <vector>

#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/reference_bert.hpp"

namespace inlay::test {
namespace {

const std::vector<std::string> texts = {
    "",
    "a",
    "open the file",
    "def passwords(x1, y2): return x1[3] + 'the'",
    "the reading of 日本 files!",
    "one two three four five six seven eight nine ten eleven twelve, and so on until the model's limit is long passed"};

/// The largest difference to the reference, over all texts.
double largest_difference(const TinyBert& bert, const std::filesystem::path& folder, GeneratorOptions options, Pooling pooling) {
  options.device = Device::cpu();
  options.threads = 1;
  const std::size_t truncate_dim = options.truncate_dim;
  const bool normalize = options.normalize;
  const auto generator = EmbeddingGenerator::load(folder, std::move(options));
  const EmbedResult result = generator.embed(texts);
  REQUIRE(result.complete());
  const ReferenceBert reference(bert);
  double largest = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ids = generator.tokenizer().encode(texts[i], generator.max_sequence_length()).ids;
    const auto expected = reference.embed(ids, pooling, normalize, truncate_dim);
    REQUIRE(expected.size() == result.vectors.shape(1));
    for (std::size_t c = 0; c < expected.size(); ++c) {
      const double difference = std::abs(result.vectors(i, c) - expected[c]);
      if (!(difference <= largest)) largest = difference;
    }
  }
  return largest;
}

}  // namespace

TEST_CASE("models of any shape equal the reference", "[encoder]") {
  for (const TinyBert& bert :
       {TinyBert{}, TinyBert{.hidden = 40, .heads = 5, .layers = 1, .intermediate = 56},
        TinyBert{.hidden = 120, .heads = 3, .intermediate = 72}, TinyBert{.hidden = 128, .heads = 2, .layers = 3, .intermediate = 512},
        TinyBert{.hidden = 6, .heads = 3, .intermediate = 5}, TinyBert{.hidden = 33, .heads = 1, .layers = 2, .intermediate = 1000},
        TinyBert{.hidden = 256, .heads = 2, .intermediate = 20}, TinyBert{.layers = 12}, TinyBert{.positions = 17},
        TinyBert{.token_types = 1}}) {
    CAPTURE(bert.hidden, bert.heads, bert.layers, bert.intermediate, bert.positions);
    const TemporaryFolder folder;
    write_tiny_model(folder.path(), bert);
    CHECK(largest_difference(bert, folder.path(), {}, Pooling::mean) < 1e-5);
  }
}

TEST_CASE("every activation equals the reference", "[encoder]") {
  for (const char* activation : {"gelu", "gelu_new", "relu", "silu"}) {
    CAPTURE(activation);
    const TinyBert bert{.hidden = 48, .heads = 3, .layers = 3, .activation = activation};
    const TemporaryFolder folder;
    write_tiny_model(folder.path(), bert);
    CHECK(largest_difference(bert, folder.path(), {}, Pooling::mean) < 1e-5);
  }
}

TEST_CASE("every pooling equals the reference, from the model's files and as an option", "[encoder]") {
  struct Case {
    Pooling pooling;
    const char* mode;
  };
  for (const Case& c :
       {Case{Pooling::mean, "mean"}, Case{Pooling::cls, "cls"}, Case{Pooling::max, "max"}, Case{Pooling::mean_sqrt_len, "mean_sqrt_len"},
        Case{Pooling::weighted_mean, "weightedmean"}, Case{Pooling::last_token, "lasttoken"}}) {
    CAPTURE(c.mode);
    TinyBert bert;
    const TemporaryFolder by_option;
    write_tiny_model(by_option.path(), bert);
    bert.pooling = c.mode;
    const TemporaryFolder by_file;
    write_tiny_model(by_file.path(), bert);
    for (const bool normalize : {true, false}) {
      for (const std::size_t truncate_dim : {std::size_t{0}, std::size_t{7}}) {
        CAPTURE(normalize, truncate_dim);
        const double bound = normalize ? 1e-5 : 5e-5;  // unscaled vectors are about ten times as long
        CHECK(largest_difference(bert, by_file.path(), {.normalize = normalize, .truncate_dim = truncate_dim}, c.pooling) < bound);
        CHECK(largest_difference(bert, by_option.path(), {.normalize = normalize, .pooling = c.pooling, .truncate_dim = truncate_dim},
                                 c.pooling) < bound);
      }
    }
  }
}

}  // namespace inlay::test
