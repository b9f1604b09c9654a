// The real all-MiniLM-L6-v2 against what sentence-transformers made of the same texts: see record.py.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>
#include <xtensor/xnpy.hpp>

#include "inlay/inlay.hpp"
#include "model/json.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/sha256.hpp"

namespace inlay::test {
namespace {

struct Golden {
  std::vector<std::string> texts;
  std::vector<std::vector<TokenId>> ids;
  Matrix vectors;
  double cosine = 0;
  double max_abs = 0;
  double batch_max_abs = 0;
  std::string weights_sha256;
};

Golden read_golden() {
  const std::filesystem::path folder = INLAY_GOLDEN_FOLDER;
  Golden golden;
  const model::JsonDocument texts(read(folder / "texts.json"), "texts.json");
  for (const simdjson::dom::element item : simdjson::dom::array(texts.root())) golden.texts.emplace_back(std::string_view(item["text"]));
  const model::JsonDocument ids(read(folder / "ids.json"), "ids.json");
  for (const simdjson::dom::element row : simdjson::dom::array(ids.root())) {
    auto& target = golden.ids.emplace_back();
    for (const simdjson::dom::element id : simdjson::dom::array(row)) target.push_back(static_cast<TokenId>(std::int64_t(id)));
  }
  golden.vectors = xt::load_npy<float>((folder / "vectors.npy").string());
  const model::JsonDocument manifest(read(folder / "manifest.json"), "manifest.json");
  golden.cosine = double(manifest.root()["tolerance"]["cosine"]);
  golden.max_abs = double(manifest.root()["tolerance"]["max_abs"]);
  golden.batch_max_abs = double(manifest.root()["tolerance"]["batch_composition_max_abs"]);
  golden.weights_sha256 = std::string(std::string_view(manifest.root()["model.safetensors sha256"]));
  return golden;
}

const Golden& golden() {
  static const Golden golden = read_golden();
  return golden;
}

std::span<const float> row_of(const Matrix& matrix, std::size_t index) { return {&matrix(index, 0), matrix.shape(1)}; }

double max_abs_difference(std::span<const float> a, std::span<const float> b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(double{a[i]} - double{b[i]});
    if (!(difference <= largest)) largest = difference;  // takes a NaN over, too
  }
  return largest;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  const auto product = [](auto x, auto y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); };
  return product(a, b) / std::sqrt(product(a, a) * product(b, b));
}

/// Embeds the texts in this order, and puts row i back at order[i].
Matrix embed_in_order(const EmbeddingGenerator& generator, const std::vector<std::size_t>& order) {
  std::vector<std::string_view> texts;
  for (const std::size_t index : order) texts.push_back(golden().texts[index]);
  const EmbedResult result = generator.embed(texts);
  REQUIRE(result.complete());
  Matrix vectors = Matrix::from_shape(result.vectors.shape());
  for (std::size_t i = 0; i < order.size(); ++i) std::copy_n(&result.vectors(i, 0), vectors.shape(1), &vectors(order[i], 0));
  return vectors;
}

std::vector<std::size_t> natural_order() {
  std::vector<std::size_t> order(golden().texts.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

/// The largest difference of any row, by name of the text where it is beyond the bound.
double largest_row_difference(const Matrix& got, const Matrix& expected, double bound) {
  REQUIRE(got.shape() == expected.shape());
  double largest = 0;
  for (std::size_t i = 0; i < got.shape(0); ++i) {
    const double difference = max_abs_difference(row_of(got, i), row_of(expected, i));
    INFO("text " << i << ": " << golden().texts[i].substr(0, 80));
    CHECK(difference <= bound);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

}  // namespace

TEST_CASE("the SHA-256 of the tests is the standard's", "[golden]") {
  Sha256 hash;
  hash.update("abc");
  CHECK(hash.hexadecimal() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Sha256().hexadecimal() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("the model is the one that the golden vectors were recorded with", "[golden]") {
  const auto folder = model_folder();
  INLAY_SKIP_WITHOUT(folder, "INLAY_MODEL");
  CHECK(golden().texts.size() >= 300);
  CHECK(golden().ids.size() == golden().texts.size());
  CHECK(golden().vectors.shape(0) == golden().texts.size());
  CHECK(sha256_of_file(*folder / "model.safetensors") == golden().weights_sha256);
}

TEST_CASE("token ids equal the recorded ones, cut at the model's own limit of 256", "[golden]") {
  const auto folder = model_folder();
  INLAY_SKIP_WITHOUT(folder, "INLAY_MODEL");
  const EmbeddingGenerator generator = EmbeddingGenerator::load(*folder, {.device = Device::cpu()});
  CHECK(generator.max_sequence_length() == 256);
  for (std::size_t i = 0; i < golden().texts.size(); ++i) {
    INFO("text " << i << ": " << golden().texts[i].substr(0, 80));
    const Encoding encoding = generator.tokenizer().encode(golden().texts[i], generator.max_sequence_length());
    CHECK(encoding.ids == golden().ids[i]);
    CHECK(encoding.tokens_seen >= encoding.ids.size());
  }
}

TEST_CASE("vectors equal sentence-transformers', one by one and all at once", "[golden]") {
  const auto folder = model_folder();
  INLAY_SKIP_WITHOUT(folder, "INLAY_MODEL");
  const EmbeddingGenerator generator = EmbeddingGenerator::load(*folder, {.device = Device::cpu()});
  const EmbedResult together = generator.embed(golden().texts);
  REQUIRE(together.complete());
  REQUIRE(together.vectors.shape() == golden().vectors.shape());

  double lowest_cosine = 1;
  double largest = 0;
  double largest_alone = 0;
  for (std::size_t i = 0; i < golden().texts.size(); ++i) {
    INFO("text " << i << ": " << golden().texts[i].substr(0, 80));
    const auto expected = row_of(golden().vectors, i);
    const EmbedResult alone = generator.embed({golden().texts[i]});
    REQUIRE(alone.complete());
    CHECK(alone.items[0].tokens_used == golden().ids[i].size());
    CHECK(together.items[i].tokens_used == golden().ids[i].size());
    for (const auto got : {row_of(together.vectors, i), row_of(alone.vectors, 0)}) {
      CHECK(cosine(got, expected) >= golden().cosine);
      CHECK(max_abs_difference(got, expected) <= golden().max_abs);
      lowest_cosine = std::min(lowest_cosine, cosine(got, expected));
      largest = std::max(largest, max_abs_difference(got, expected));
    }
    CHECK(max_abs_difference(row_of(together.vectors, i), row_of(alone.vectors, 0)) <= golden().batch_max_abs);
    largest_alone = std::max(largest_alone, max_abs_difference(row_of(together.vectors, i), row_of(alone.vectors, 0)));
  }
  std::cout << fmt::format("{} kernels, {} texts: lowest cosine 1 - {:.2e}, largest difference {:.2e}; alone against together {:.2e}\n",
                           generator.info().kernels, golden().texts.size(), 1 - lowest_cosine, largest, largest_alone);
}

TEST_CASE("a vector does not depend on its neighbours in the batch", "[golden]") {
  const auto folder = model_folder();
  INLAY_SKIP_WITHOUT(folder, "INLAY_MODEL");
  const Matrix reference = embed_in_order(EmbeddingGenerator::load(*folder, {.device = Device::cpu()}), natural_order());
  std::mt19937 random(7);
  double largest = 0;
  for (const std::size_t batch_size : {1u, 2u, 3u, 5u, 7u, 16u, 33u, 64u}) {
    const std::size_t batch_tokens = std::uniform_int_distribution<std::size_t>(64, 8192)(random);
    CAPTURE(batch_size, batch_tokens);
    auto order = natural_order();
    std::shuffle(order.begin(), order.end(), random);
    const auto generator =
        EmbeddingGenerator::load(*folder, {.device = Device::cpu(), .batch_tokens = batch_tokens, .batch_size = batch_size, .threads = 1});
    largest = std::max(largest, largest_row_difference(embed_in_order(generator, order), reference, golden().batch_max_abs));
  }
  std::cout << fmt::format("8 random batch compositions: largest difference {:.2e}\n", largest);
}

TEST_CASE("the number of threads does not change a vector", "[golden]") {
  const auto folder = model_folder();
  INLAY_SKIP_WITHOUT(folder, "INLAY_MODEL");
  const auto one = EmbeddingGenerator::load(*folder, {.device = Device::cpu(), .threads = 1});
  const auto two = EmbeddingGenerator::load(*folder, {.device = Device::cpu(), .threads = 2});
  const double largest =
      largest_row_difference(embed_in_order(two, natural_order()), embed_in_order(one, natural_order()), golden().batch_max_abs);
  std::cout << fmt::format("1 thread against 2: largest difference {:.2e}\n", largest);
}

}  // namespace inlay::test
