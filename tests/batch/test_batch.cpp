#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inlay/batch.hpp"
#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"
#include "inlay/tokenizer.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

EmbeddingGenerator load() {
  static const TemporaryFolder folder;
  static const bool written = (write_tiny_model(folder.path()), true);
  (void)written;
  return EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .threads = 2});
}

Function function(std::int64_t line, std::string name) {
  return {.file_path = "src/auth.py",
          .line_number = line,
          .name = name,
          .docstring = "Opens the file.",
          .source_code = "def " + name + "(file): return open(file)",
          .language = "python"};
}

std::vector<float> values(const std::optional<Vector>& vector) {
  REQUIRE(vector.has_value());
  return {vector->begin(), vector->end()};
}

}  // namespace

TEST_CASE("functions and classes come back by where they stand, with the vectors of their prepared texts") {
  const auto generator = load();
  const BatchEmbeddingGenerator batch(generator);
  Function method = function(30, "close");
  method.class_name = "Store";
  const Class store{
      .file_path = "src/store.py", .line_number = 1, .name = "Store", .source_code = "class Store: pass", .language = "python"};
  const std::vector<CodeItem> items = {function(1, "read"), method, store};
  const BatchResult result = batch.process_batch(items);
  CHECK(result.summary == BatchSummary{.total = 3, .success = 3, .newly_embedded = 3});
  CHECK(result.errors.empty());
  REQUIRE(result.embeddings.size() == 3);

  const TextPreparator preparator;
  const EmbedResult expected = generator.embed({std::string_view(preparator.prepare_function(std::get<Function>(items[0])))});
  CHECK(values(result.embeddings.at("src/auth.py:1")) ==
        std::vector<float>(&expected.vectors(0, 0), &expected.vectors(0, 0) + generator.dimension()));
  CHECK(values(result.embeddings.at("src/auth.py:30")) != values(result.embeddings.at("src/auth.py:1")));
  CHECK(values(result.embeddings.at("src/store.py:1")).size() == 32);
  CHECK(result.metadata.model_name == generator.info().name);
  CHECK_THAT(result.metadata.model_version, Catch::StartsWith(generator.info().fingerprint));
  CHECK(result.metadata.dimensions == 32);
  CHECK_THAT(result.metadata.processed_at, Catch::Matches("20..-..-..T..:..:..Z"));

  CHECK(batch.process_functions(std::vector{std::get<Function>(items[0])}).summary.cached == 1);
  CHECK(batch.process_classes(std::vector{store}).summary.cached == 1);
  CHECK(batch.process_batch({}).summary == BatchSummary{});
}

TEST_CASE("a function that moved is known, and an edited one on the same line is not") {
  const BatchEmbeddingGenerator batch(load());
  const BatchResult before = batch.process_functions(std::vector{function(1, "read"), function(9, "write")});
  Function edited = function(9, "write");
  edited.source_code += " + 1";
  const BatchResult after = batch.process_functions(std::vector{function(4, "read"), edited});
  CHECK(after.summary == BatchSummary{.total = 2, .success = 2, .cached = 1, .newly_embedded = 1});
  CHECK(values(after.embeddings.at("src/auth.py:4")) == values(before.embeddings.at("src/auth.py:1")));
  CHECK(values(after.embeddings.at("src/auth.py:9")) != values(before.embeddings.at("src/auth.py:9")));
}

TEST_CASE("a bad item is one entry of the errors") {
  const auto prepare = [usual = code_preparator({})](const CodeItem& item) {
    if (std::get<Function>(item).name == "strange") throw std::runtime_error("no text for it");
    if (std::get<Function>(item).name == "odd") throw 7;
    return usual(item);
  };
  const BatchEmbeddingGenerator batch(load(), prepare);
  Function nowhere = function(5, "nowhere");
  nowhere.file_path.clear();
  const Function empty{.file_path = "src/empty.py", .line_number = 2};
  Function bare{.file_path = "src/b\xc3\xa9.py", .line_number = 3, .name = "\xe6\x97\xa5"};
  const BatchResult result = batch.process_functions(
      std::vector{function(1, "read"), function(2, "strange"), function(3, "odd"), nowhere, empty, bare, function(8, "write")});
  CHECK(result.summary == BatchSummary{.total = 7, .success = 3, .failed = 4, .newly_embedded = 3});
  CHECK(result.errors.size() == 4);
  CHECK_THAT(result.errors.at("src/auth.py:2"), Catch::Contains("no text for it"));
  CHECK_THAT(result.errors.at("src/auth.py:3"), Catch::Contains("unknown type"));
  CHECK_THAT(result.errors.at(":5"), Catch::Contains("file_path"));
  CHECK_THAT(result.errors.at("src/empty.py:2"), Catch::Contains("neither name nor source_code"));
  CHECK_FALSE(result.embeddings.at("src/auth.py:2").has_value());
  CHECK(result.embeddings.at("src/auth.py:8").has_value());
  CHECK(result.embeddings.at("src/b\xc3\xa9.py:3").has_value());
}

TEST_CASE("items with one key are told apart, and equal ones are embedded once") {
  const BatchEmbeddingGenerator batch(load());
  const std::vector<Function> functions = {function(1, "read"), function(1, "write"), function(1, "read"), function(2, "read")};
  const BatchResult result = batch.process_functions(functions);
  CHECK(result.summary == BatchSummary{.total = 4, .success = 4, .cached = 2, .newly_embedded = 2});
  CHECK(values(result.embeddings.at("src/auth.py:1#3")) == values(result.embeddings.at("src/auth.py:1")));
  CHECK(values(result.embeddings.at("src/auth.py:1#2")) != values(result.embeddings.at("src/auth.py:1")));
}

TEST_CASE("a long body is averaged, cut and reported, or refused, as asked") {
  const BatchEmbeddingGenerator batch(load());
  Function body = function(1, "read");
  for (int i = 0; i < 300; ++i) body.source_code += fmt::format("\n    file[{}] = read({})", i, i);
  const BatchResult average = batch.process_functions(std::vector{body});
  CHECK(average.summary.success == 1);
  CHECK(average.cut.empty());
  const BatchResult truncated = batch.process_functions(std::vector{body}, {.long_text = {LongText::truncate}});
  CHECK(truncated.summary.newly_embedded == 1);
  REQUIRE(truncated.cut.size() == 1);
  CHECK(truncated.cut.at("src/auth.py:1").tokens_used == 64);
  CHECK(truncated.cut.at("src/auth.py:1").tokens_seen > 1000);
  CHECK(values(truncated.embeddings.at("src/auth.py:1")) != values(average.embeddings.at("src/auth.py:1")));
  CHECK(batch.process_functions(std::vector{body}, {.long_text = {LongText::error}}).errors.size() == 1);
}

TEST_CASE("a result as JSON has the documented shape, and its numbers are the vectors' to the bit") {
  const BatchEmbeddingGenerator batch(load());
  Function odd = function(2, "say \"\xff\"");
  const BatchResult result = batch.process_functions(std::vector{function(1, "read"), odd, Function{.file_path = "x\"\n.py"}});
  const auto json = nlohmann::json::parse(to_json(result));
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"embeddings", "errors", "metadata", "summary"});
  CHECK(json["summary"] == nlohmann::json::parse(R"({"total": 3, "success": 2, "failed": 1, "cached": 0, "newly_embedded": 2})"));
  CHECK(json["embeddings"].size() == 3);
  CHECK(json["embeddings"]["x\"\n.py:0"].is_null());
  CHECK(json["errors"].size() == 1);
  CHECK(json["errors"]["x\"\n.py:0"].is_string());
  CHECK(json["embeddings"]["src/auth.py:1"].get<std::vector<float>>() == values(result.embeddings.at("src/auth.py:1")));
  CHECK(json["metadata"]["dimensions"] == 32);
  CHECK(json["metadata"].size() == 4);
}

TEST_CASE("rows have every field and leave out what failed") {
  const BatchEmbeddingGenerator batch(load());
  Function method = function(7, "close");
  method.class_name = "Store";
  const std::vector<CodeItem> items = {function(1, "read"), Function{.file_path = "x.py"}, method,
                                       Class{.file_path = "y.py", .line_number = 3, .name = "Store", .source_code = "class Store"}};
  const BatchResult result = batch.process_batch(items);
  const auto rows = nlohmann::json::parse(to_json_rows(result, items));
  REQUIRE(rows.size() == 3);
  for (const auto& row : rows) CHECK(row.size() == 10);
  CHECK(rows[1]["id"] == "src/auth.py:7");
  CHECK(rows[1]["class_name"] == "Store");
  CHECK(rows[2]["kind"] == "class");
  CHECK(rows[0]["vector"].get<std::vector<float>>() == values(result.embeddings.at("src/auth.py:1")));
  CHECK_THROWS_WITH(to_json_rows(result, std::vector<CodeItem>{function(99, "new")}), Catch::Contains("src/auth.py:99"));
}

TEST_CASE("a stream of items comes out in order with the items themselves, and a stop ends it") {
  const BatchEmbeddingGenerator batch(load());
  std::size_t next = 0;
  const auto source = [&]() -> std::optional<CodeItem> {
    if (next == 500) return std::nullopt;
    ++next;
    return function(static_cast<std::int64_t>(next), fmt::format("read{}", next));
  };
  std::size_t got = 0;
  const auto sink = [&](const BatchedItem& item) {
    ++got;
    CHECK(item.key == fmt::format("src/auth.py:{}", got));
    CHECK(std::get<Function>(item.item).name == fmt::format("read{}", got));
    CHECK(item.vector.size() == 32);
  };
  const BatchSummary summary = batch.process_stream(source, sink, {.max_memory = 5000});
  CHECK(got == 500);
  CHECK(summary == BatchSummary{.total = 500, .success = 500, .newly_embedded = 500});

  std::stop_source stop;
  stop.request_stop();
  const BatchResult stopped = batch.process_functions(std::vector{function(1, "a"), function(2, "b")}, {.stop = stop.get_token()});
  CHECK(stopped.summary == BatchSummary{.total = 2, .failed = 2});
  CHECK(stopped.errors.at("src/auth.py:1") == "cancelled");
}

TEST_CASE("an empty preparator is an error") { CHECK_THROWS_AS(BatchEmbeddingGenerator(load(), CodePreparator{}), Error); }

}  // namespace inlay::test
