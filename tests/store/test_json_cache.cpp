// Caches in JSON: the format, what may be wrong with a file, and who else writes it.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <inlay/error.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "platform/files.hpp"
#include "store/cache/json_entry.hpp"
#include "store/cache/json_splitter.hpp"
#include "store/cache_support.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const CacheModel model = cache_test_model(4);

// A file as the batch design has it, of entries 0 to count, with content_hash.
Json design(std::size_t count) {
  Json file = {{"metadata",
                {{"model_name", model.name},
                 {"model_version", model.fingerprint},
                 {"dimensions", model.dimension},
                 {"created", "2024-01-01T00:00:00"},
                 {"updated", "2024-01-02T00:00:00"}}},
               {"embeddings", Json::object()}};
  for (std::size_t i = 0; i < count; ++i) {
    const CacheEntry entry = cache_entry(model, i);
    file["embeddings"][entry.label] = {{"function_name", entry.name},
                                       {"embedding", entry.vector},
                                       {"timestamp", "2024-01-01T12:00:00.123456"},
                                       {"model_version", model.fingerprint},
                                       {"content_hash", entry.key}};
  }
  return file;
}

fs::path put(const fs::path& path, const Json& file) { return test::write(path, file.dump()); }
Json parsed(const fs::path& path) { return Json::parse(read(path)); }

std::vector<std::string> names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().ends_with(".lock")) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

void add(VectorCache& cache, std::size_t first, std::size_t count) {
  cache.insert(model, cache_entries(model, first, count));
  cache.flush();
}

store::JsonSplitter splitter_of(const std::string& text, std::size_t piece) {
  return store::JsonSplitter([&text, piece](std::uint64_t offset, std::span<char> buffer) {
    const std::size_t count = offset >= text.size() ? 0 : std::min({piece, buffer.size(), text.size() - offset});
    std::copy_n(text.data() + offset, count, buffer.data());
    return count;
  });
}

}  // namespace

TEST_CASE("a large object is cut into its members, however the pieces fall") {
  const std::string text =
      R"(  {"a\"b" : {"x": ["}", "\\", {"y": 1}]} ,"c":[1,[2,"]"],3], "d":-1.5e3,"e" : "te\"xt" , "in": {"f":null,"g":{}} } )";
  for (std::size_t piece = 1; piece < 20; ++piece) {
    CAPTURE(piece);
    store::JsonSplitter splitter = splitter_of(text, piece);
    std::vector<std::string> seen;
    splitter.enter();
    while (const auto name = splitter.name()) {
      seen.push_back(*name);
      if (*name != "\"in\"") {
        seen.emplace_back(splitter.value());
        continue;
      }
      splitter.enter();
      while (const auto member = splitter.member()) {
        seen.emplace_back(member->text);
        CHECK(text.substr(member->offset, member->text.size()) == member->text);
      }
    }
    splitter.finish();
    CHECK(seen == std::vector<std::string>{R"("a\"b")", R"({"x": ["}", "\\", {"y": 1}]})", R"("c")", R"([1,[2,"]"],3])", R"("d")", "-1.5e3",
                                           R"("e")", R"("te\"xt")", R"("in")", R"("f":null)", R"("g":{})"});
  }
}

TEST_CASE("what is no object is refused with its place") {
  for (const std::string text : {"", "[", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":[1}", "{\"a\":1,", "{\"a\":1,}", "{,}",
                                 "{\"a\":1 \"b\":2}", "{\"a\":1}}", "{\"a\":1} x", "{a:1}", "{\"a\" 1}", "{\"a\":\"x\\"}) {
    CAPTURE(text);
    check_error(Status::invalid_data, {"at byte"}, [&] {
      store::JsonSplitter splitter = splitter_of(text, 100);
      splitter.enter();
      while (splitter.member()) {
      }
      splitter.finish();
    });
  }
}

TEST_CASE("floats are written so that reading gives the same bits") {
  store::JsonEntryReader reader;
  std::uint32_t bits = 1;
  std::vector<float> numbers;
  while (numbers.size() < 200'000) {
    bits = bits * 1664525 + 1013904223;
    const auto number = std::bit_cast<float>(bits);
    if (std::isfinite(number)) numbers.push_back(number);
  }
  const std::string key = "key";
  const CacheModel wide{"m", "f", numbers.size()};
  std::string text;
  store::append_json_entry(text, "a:1", {&wide, key, "a:1", "f", numbers, {}, {}}, {});
  const store::JsonEntry entry = reader.read(text);
  REQUIRE(entry.vector.size() == numbers.size());
  CHECK(std::memcmp(entry.vector.data(), numbers.data(), numbers.size() * sizeof(float)) == 0);
  entry.check("f");
  const Json other_reader = Json::parse("{" + text + "}")["a:1"]["embedding"];
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = static_cast<float>(other_reader[i].get<double>());
    if (std::bit_cast<std::uint32_t>(number) != std::bit_cast<std::uint32_t>(numbers[i])) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("the file is the batch design's, with content_hash and checksum") {
  const TemporaryFolder folder;
  add(*open_cache((folder / "a.json").string()), 0, 2);
  const Json file = parsed(folder / "a.json");
  CHECK(file.size() == 2);
  CHECK(file["metadata"].size() == 5);
  CHECK(file["metadata"]["model_name"] == "test-model");
  CHECK(file["metadata"]["model_version"] == "fingerprint-a");
  CHECK(file["metadata"]["dimensions"] == 4);
  CHECK(file["metadata"]["created"].get<std::string>().size() == std::string("2024-01-01T00:00:00Z").size());
  CHECK(file["embeddings"].size() == 2);
  const Json entry = file["embeddings"]["src/file.py:1"];
  CHECK(entry["function_name"] == "function_1");
  CHECK(entry["embedding"].get<std::vector<float>>() == cache_vector(model, cache_key(1)));
  CHECK(entry["model_version"] == "fingerprint-a");
  CHECK(entry["content_hash"] == cache_key(1));
  CHECK(entry["timestamp"].get<std::string>().ends_with("Z"));
  CHECK(entry["checksum"].get<std::string>().size() == 16);
  CHECK(entry.size() == 6);
}

TEST_CASE("a file of the batch design is read, in any order and layout, and its unknown fields stay") {
  const TemporaryFolder folder;
  Json file = design(3);
  file["version"] = "3";
  file["metadata"]["note"] = {{"nested", {1, 2.5, nullptr}}};
  file["embeddings"]["src/file.py:0"]["tags"] = {"a", "\xC3\xA9"};
  file["embeddings"]["src/file.py:1"]["tags"] = {"b"};
  file["embeddings"]["src/file.py:2"].erase("model_version");
  file["embeddings"]["src/file.py:2"]["name"] = "C";
  file["embeddings"]["src/file.py:2"].erase("function_name");
  Json turned;
  for (const char* name : {"version", "embeddings", "metadata"}) turned[name] = file[name];
  const int indent = GENERATE(-1, 2);
  test::write(folder / "a.json", (GENERATE(false, true) ? "\xEF\xBB\xBF" : "") + (GENERATE(false, true) ? turned : file).dump(indent));
  const LogCapture log;
  const auto cache = open_cache((folder / "a.json").string(), no_memory);
  CHECK(count_found(*cache, model, 0, 4) == 3);
  std::vector<std::string> walked;
  cache->for_each([&](const CacheModel& of, const CacheEntry& entry) {
    CHECK(of == model);
    walked.push_back(entry.name);
  });
  CHECK(walked == std::vector<std::string>{"function_0", "function_1", "C"});
  add(*cache, 1, 1);
  add(*cache, 3, 1);
  CHECK(count_found(*cache, model, 0, 4) == 4);
  const Json after = parsed(folder / "a.json");
  CHECK(after["version"] == "3");
  CHECK(after["metadata"]["note"] == file["metadata"]["note"]);
  CHECK(after["metadata"]["created"] == "2024-01-01T00:00:00");
  CHECK(after["metadata"]["updated"] != "2024-01-02T00:00:00");
  CHECK(after["embeddings"]["src/file.py:0"] == file["embeddings"]["src/file.py:0"]);
  CHECK(after["embeddings"]["src/file.py:1"]["tags"] == Json{"b"});
  CHECK(after["embeddings"]["src/file.py:1"].contains("checksum"));
  CHECK(after["embeddings"]["src/file.py:2"] == file["embeddings"]["src/file.py:2"]);
  CHECK(log.warnings().empty());
  CHECK(names(folder.path()) == std::vector<std::string>{"a.json"});
}

TEST_CASE("an entry without content_hash is never found, but stays until its label is written anew") {
  const TemporaryFolder folder;
  Json file = design(2);
  file["embeddings"]["src/file.py:0"].erase("content_hash");
  file["embeddings"]["src/file.py:1"]["content_hash"] = nullptr;
  put(folder / "a.json", file);
  const LogCapture log;
  const auto cache = open_cache((folder / "a.json").string(), no_memory);
  CHECK(count_found(*cache, model, 0, 2) == 0);
  CHECK(cache->verify().unverifiable == 2);
  CHECK(cache->verify().ok());
  CHECK(cache->statistics().entries == 2);
  add(*cache, 5, 1);
  CHECK(parsed(folder / "a.json")["embeddings"]["src/file.py:0"] == file["embeddings"]["src/file.py:0"]);
  add(*cache, 0, 1);
  CHECK(count_found(*cache, model, 0, 2) == 1);
  CHECK(parsed(folder / "a.json")["embeddings"].size() == 3);
  CHECK(log.warnings().empty());
}

TEST_CASE("entries without a label have one of their key, and of two with one label the later stays") {
  const TemporaryFolder folder;
  {
    const auto cache = open_cache((folder / "a.json").string());
    std::vector<CacheEntry> entries = cache_entries(model, 0, 3);
    entries[0].label.clear();
    entries[2].label = entries[1].label;
    cache->insert(model, entries);
  }
  const Json file = parsed(folder / "a.json");
  CHECK(file["embeddings"].size() == 2);
  CHECK(file["embeddings"].contains("content:" + cache_key(0)));
  const auto cache = open_cache((folder / "a.json").string());
  CHECK(count_found(*cache, model, 0, 2) == 1);
  CHECK(count_found(*cache, model, 2, 1) == 1);
}

TEST_CASE("a file that is of no use is kept aside before another takes its place") {
  const std::string text = GENERATE(
      std::string(), std::string("not json"), std::string("[]"), std::string("{}"), std::string("{\"metadata\": {}}"),
      std::string("\xFF\xFE"), R"({"metadata": [], "embeddings": {}})", R"({"metadata": {"dimensions": 4}, "embeddings": []})",
      R"({"metadata": {"model_name": 1, "dimensions": 4}, "embeddings": {}})", R"({"metadata": {"dimensions": -1}, "embeddings": {}})",
      R"({"metadata": {"dimensions": 0}, "embeddings": {}})", R"({"metadata": {"dimensions": 1e300}, "embeddings": {}})",
      R"({"metadata": {"dimensions": 99999999999}, "embeddings": {}})", R"({"metadata": {"dimensions": "4"}, "embeddings": {}})",
      R"({"metadata": {"dimensions": 4}})", R"({"metadata": {"dimensions": 4}, "embeddings": {}} and more)",
      R"({"metadata": {"dimensions": 4}, "embeddings": {}, "more": nonsense})", std::string(100, '{'), std::string(1'000'000, ' '));
  CAPTURE(text.substr(0, 80));
  const TemporaryFolder folder;
  test::write(folder / "a.json", text);
  const LogCapture log;
  const auto cache = open_cache((folder / "a.json").string());
  CHECK(count_found(*cache, model, 0, 5) == 0);
  CHECK(log.count("is damaged") == 1);
  CHECK_FALSE(cache->verify().ok());
  CHECK(read(folder / "a.json") == text);
  add(*cache, 0, 5);
  CHECK(read(folder / "a.json.damaged-1") == text);
  CHECK(log.count("a.json.damaged-1") == 1);
  CHECK(log.warnings().size() == 2);
  CHECK(count_found(*open_cache((folder / "a.json").string()), model, 0, 5) == 5);
  CHECK(cache->verify().ok());
}

TEST_CASE("JSON of another program is not used, and never touched") {
  const std::string text = GENERATE(std::string(R"({"name": "package", "version": 1})"), std::string(R"(["a text", "another"])"),
                                    std::string(R"( [ {"text": 1}])"));
  const TemporaryFolder folder;
  test::write(folder / "a.json", text);
  const LogCapture log;
  const auto cache = open_cache((folder / "a.json").string());
  CHECK(count_found(*cache, model, 0, 5) == 0);
  add(*cache, 0, 5);
  CHECK(count_found(*cache, model, 0, 5) == 5);  // in memory
  CHECK_FALSE(cache->statistics().persistent);
  check_error(Status::unsupported, {"a.json", "another program"}, [&] { static_cast<void>(cache->verify()); });
  check_error(Status::unsupported, {"a.json"}, [&] { cache->prune({.max_entries = 1}); });
  CHECK(read(folder / "a.json") == text);
  CHECK(names(folder.path()) == std::vector<std::string>{"a.json"});
  CHECK(log.count("another program") == log.warnings().size());
}

TEST_CASE("an entry without model_version is checked by the file's") {
  const TemporaryFolder folder;
  add(*open_cache((folder / "a.json").string()), 0, 3);
  Json file = parsed(folder / "a.json");
  for (auto& [label, entry] : file["embeddings"].items()) entry.erase("model_version");
  file["embeddings"]["src/file.py:1"]["embedding"][2] = 0.125;
  put(folder / "a.json", file);
  const LogCapture log;
  const auto cache = open_cache((folder / "a.json").string());
  CHECK(count_found(*cache, model, 0, 3) == 2);
  CHECK(log.count("src/file.py:1") == 1);
  const CacheCheck check = cache->verify();
  CHECK(check.entries == 2);
  CHECK(check.wrong == 1);
  CHECK_FALSE(check.ok());
}

TEST_CASE("pruning a file of another model leaves it that model's") {
  const TemporaryFolder folder;
  Json file = design(4);
  for (auto& [label, entry] : file["embeddings"].items()) entry.erase("model_version");
  put(folder / "a.json", file);
  CacheModel other = model;
  other.fingerprint = "another";
  const auto cache = open_cache((folder / "a.json").string());
  CHECK(count_found(*cache, other, 0, 4) == 0);
  CHECK(cache->prune({.max_entries = 2}).kept == 2);
  CHECK(parsed(folder / "a.json")["metadata"]["model_version"] == model.fingerprint);
  CHECK(count_found(*open_cache((folder / "a.json").string()), other, 0, 4) == 0);
  CHECK(count_found(*open_cache((folder / "a.json").string()), model, 0, 4) == 2);
}

TEST_CASE("a file that is deleted is gone, also where it was being checked") {
  const TemporaryFolder folder;
  const auto cache = open_cache((folder / "a.json").string(), no_memory);
  add(*cache, 0, 3);
  fs::remove(folder / "a.json");
  CHECK(cache->verify().entries == 0);
  add(*cache, 5, 1);
  CHECK(count_found(*open_cache((folder / "a.json").string()), model, 0, 6) == 1);
}

TEST_CASE("what a killed process left half written is cleared up by the next one that writes") {
  const TemporaryFolder folder;
  const fs::path left = platform::temporary_name(folder / "a.json");
  test::write(left, "half");
  test::write(folder / ".a.json.mine.tmp", "mine");
  add(*open_cache((folder / "a.json").string()), 0, 1);
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(folder / ".a.json.mine.tmp"));
}

TEST_CASE("one bad entry alone is left out, said, and kept in a file aside") {
  const TemporaryFolder folder;
  Json file = design(5);
  Json& entry = file["embeddings"]["src/file.py:2"];
  const int kind = GENERATE(range(0, 11));
  CAPTURE(kind);
  if (kind == 0) entry["embedding"] = {1, 2, 3};
  if (kind == 1) entry["embedding"] = "none";
  if (kind == 2) entry["embedding"][1] = "1";
  if (kind == 3) entry["embedding"][1] = nullptr;
  if (kind == 4) entry["embedding"][1] = 1e39;
  if (kind == 5) entry["content_hash"] = 5;
  if (kind == 6) entry["checksum"] = "0123456789abcdef";
  if (kind == 7) entry["timestamp"] = Json::array();
  if (kind == 8) entry = 5;
  if (kind == 9) entry["function_name"] = "MARK";
  if (kind == 10) entry["embedding"] = Json::array();
  std::string text = file.dump();
  if (kind == 9) text.replace(text.find("MARK"), 4, "\xFF\xFF\xFF\xFF");
  if (kind == 4) text.replace(text.find("1e+39"), 5, "NaN  ");
  test::write(folder / "a.json", text);
  const LogCapture log;
  const auto cache = open_cache((folder / "a.json").string(), no_memory);
  CHECK(count_found(*cache, model, 0, 5) == 4);
  CHECK(log.count("\"src/file.py:2\"") == 1);
  const CacheCheck check = cache->verify();
  CHECK(check.entries == 4);
  REQUIRE(check.problems.size() == 1);
  CHECK(check.problems[0].label == "src/file.py:2");
  add(*cache, 7, 1);
  CHECK(read(folder / "a.json.damaged-1") == text);
  CHECK(parsed(folder / "a.json")["embeddings"].size() == 5);
  add(*cache, 8, 1);
  CHECK(names(folder.path()) == std::vector<std::string>{"a.json", "a.json.damaged-1"});
  CHECK(log.warnings().size() == 2);
}

TEST_CASE("a file of another model is not used, said, and kept aside before ours takes its place") {
  const TemporaryFolder folder;
  const CacheModel other = cache_test_model(GENERATE(std::size_t{4}, std::size_t{5}), GENERATE("fingerprint-a", "fingerprint-b"));
  if (other == model) return;
  put(folder / "a.json", design(3));
  const std::string before = read(folder / "a.json");
  const LogCapture log;
  const auto cache = open_cache((folder / "a.json").string());
  CHECK(count_found(*cache, other, 0, 3) == 0);
  CHECK(count_found(*cache, other, 0, 3) == 0);
  CHECK(log.count("is of the model") == 1);
  CHECK(read(folder / "a.json") == before);
  cache->insert(other, cache_entries(other, 0, 2));
  cache->flush();
  CHECK(read(folder / "a.json.other-model-1") == before);
  CHECK(count_found(*open_cache((folder / "a.json").string()), other, 0, 3) == 2);

  // A second model in one cache: in memory only.
  cache->insert(model, cache_entries(model, 0, 2));
  cache->flush();
  CHECK(count_found(*cache, model, 0, 2) == 2);
  CHECK_FALSE(cache->statistics().persistent);
  CHECK(log.count("kept in memory") == 1);

  // Another process gives the file to another model: it is not fought over.
  put(folder / "a.json", design(3));
  cache->insert(other, cache_entries(other, 5, 2));
  cache->flush();
  CHECK(log.count("meanwhile") == 1);
  CHECK(parsed(folder / "a.json") == design(3));
}

TEST_CASE("two caches of one file: what either wrote stays, of one label the newer") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.json").string();
  const auto time = [](int seconds) { return std::chrono::system_clock::time_point(std::chrono::seconds(1'000'000'000 + seconds)); };
  const auto first = open_cache(path, no_memory);
  const auto second = open_cache(path, {});
  const auto entry = [&](std::size_t number, const char* label, int seconds) {
    CacheEntry result = cache_entry(model, number);
    result.label = label;
    result.created = time(seconds);
    return result;
  };
  const auto insert = [&](VectorCache& cache, const CacheEntry& given) { cache.insert(model, {&given, 1}); };
  insert(*second, entry(0, "a:0", 1));  // makes the next ones wait: they come right after a writing
  insert(*second, entry(1, "a:1", 10));
  insert(*second, entry(2, "a:2", 10));
  insert(*second, entry(3, "a:3", 10));
  insert(*first, entry(11, "a:1", 20));
  insert(*first, entry(12, "a:2", 5));
  insert(*first, entry(14, "a:4", 5));
  first->flush();
  second->flush();
  CHECK(count_found(*second, model, 0, 15) == 6);  // 12 lost its label to 2
  const auto third = open_cache(path);
  std::vector<std::string> kept;
  third->for_each([&](const CacheModel&, const CacheEntry& found) { kept.push_back(found.label + " " + found.name); });
  std::ranges::sort(kept);
  CHECK(kept == std::vector<std::string>{"a:0 function_0", "a:1 function_11", "a:2 function_2", "a:3 function_3", "a:4 function_14"});

  // What was there when an entry was inserted is older, even if its clock was ahead.
  insert(*first, entry(21, "a:1", 1));
  first->flush();
  CHECK(count_found(*open_cache(path), model, 21, 1) == 1);
}

TEST_CASE("another process's entries are seen at the next look") {
  const TemporaryFolder folder;
  const auto cache = open_cache((folder / "a.json").string());
  CHECK(count_found(*cache, model, 0, 5) == 0);
  put(folder / "a.json", design(3));
  CHECK(count_found(*cache, model, 0, 5) == 3);
  fs::remove(folder / "a.json");
  CHECK(count_found(*cache, model, 0, 5) == 3);  // from memory
  CHECK(count_found(*open_cache((folder / "a.json").string()), model, 0, 5) == 0);
  add(*cache, 4, 1);
  CHECK(parsed(folder / "a.json")["embeddings"].size() == 1);
}

TEST_CASE("bytes flipped anywhere never give a wrong vector, and the cache goes on") {
  const TemporaryFolder folder;
  add(*open_cache((folder / "whole.json").string()), 0, 20);
  const std::string whole = read(folder / "whole.json");
  const LogCapture log;
  for (std::size_t offset = 0; offset < whole.size(); offset += 3) {
    CAPTURE(offset);
    std::string bytes = whole;
    bytes[offset] = static_cast<char>(bytes[offset] ^ (offset % 4 == 0 ? 0x80 : 1 + static_cast<int>(offset % 31)));
    test::write(folder / "a.json", bytes);
    const auto cache = open_cache((folder / "a.json").string(), no_memory);
    count_found(*cache, model, 0, 20);
    static_cast<void>(cache->verify());
    try {
      cache->for_each([](const CacheModel& of, const CacheEntry& entry) {
        if (entry.vector != cache_vector(model, entry.key) && of == model) FAIL_CHECK("a wrong vector under " << entry.key);
      });
    } catch (const Error& error) {
      CHECK((error.status() == Status::invalid_data));
    }
    if (offset % 60 != 0) continue;
    add(*cache, 0, 20);
    CHECK(count_found(*open_cache((folder / "a.json").string()), model, 0, 20) == 20);
  }
}

TEST_CASE("a file that another program truncates and rewrites while it is read gives no wrong vector") {
  const TemporaryFolder folder;
  const std::string text = design(200).dump();
  test::write(folder / "a.json", text);
  const LogCapture log;
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) test::write(folder / "a.json", text);
  });
  for (int i = 0; i < 50; ++i) count_found(*open_cache((folder / "a.json").string(), no_memory), model, 0, 200);
  const auto cache = open_cache((folder / "a.json").string(), no_memory);
  for (int i = 0; i < 50; ++i) count_found(*cache, model, 0, 200);
  done = true;
  writer.join();
  CHECK(count_found(*cache, model, 0, 200) == 200);
  CHECK(names(folder.path()) == std::vector<std::string>{"a.json"});
}

TEST_CASE("the file is written at once, and then only as often as costs little") {
  const TemporaryFolder folder;
  const auto cache = open_cache((folder / "a.json").string());
  cache->insert(model, cache_entries(model, 0, 1));
  CHECK(parsed(folder / "a.json")["embeddings"].size() == 1);
  for (std::size_t i = 1; i < 20; ++i) cache->insert(model, cache_entries(model, i, 1));
  CHECK(parsed(folder / "a.json")["embeddings"].size() == 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  cache->insert(model, cache_entries(model, 20, 1));
  CHECK(parsed(folder / "a.json")["embeddings"].size() == 21);
  CHECK(cache->statistics().persistent);
}

TEST_CASE("the file keeps its permissions") {
  const TemporaryFolder folder;
  put(folder / "a.json", design(1));
  fs::permissions(folder / "a.json", fs::perms::owner_read | fs::perms::owner_write);
  add(*open_cache((folder / "a.json").string()), 5, 1);
  CHECK((fs::status(folder / "a.json").permissions() == (fs::perms::owner_read | fs::perms::owner_write)));
}
