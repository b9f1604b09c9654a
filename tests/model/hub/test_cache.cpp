#include <filesystem>
#include <string>
#include <vector>

#include "inlay/hub.hpp"
#include "inlay/log.hpp"
#include "model/hub/cache.hpp"
#include "model/hub/environment_guard.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::model::hub;
namespace fs = std::filesystem;

namespace {

constexpr const char* first_commit = "1111111111111111111111111111111111111111";
constexpr const char* second_commit = "2222222222222222222222222222222222222222";

// A file as huggingface_hub stores it: the bytes among the blobs, a relative link in the snapshot.
void store(const fs::path& repository, const std::string& commit, const fs::path& file, const std::string& bytes) {
  const std::string etag = std::to_string(std::hash<std::string>{}(file.string() + bytes));
  test::write(repository / "blobs" / etag, bytes);
  const fs::path link = repository / "snapshots" / commit / file;
  fs::create_directories(link.parent_path());
  fs::create_symlink((repository / "blobs" / etag).lexically_relative(link.parent_path()), link);
}

fs::path make_model(const fs::path& cache, const std::string& folder, const std::string& commit) {
  const fs::path repository = cache / folder;
  for (const char* file : {"config.json", "tokenizer.json", "model.safetensors"}) store(repository, commit, file, file + commit);
  return repository / "snapshots" / commit;
}

}  // namespace

TEST_CASE("a repository's folder joins its parts with two dashes") {
  CHECK(repository_folder("sentence-transformers/all-MiniLM-L6-v2") == "models--sentence-transformers--all-MiniLM-L6-v2");
  CHECK(repository_folder("gpt2") == "models--gpt2");
}

TEST_CASE("a model is found by branch, tag and commit") {
  const test::TemporaryFolder cache;
  const fs::path first = make_model(cache.path(), "models--a--b", first_commit);
  const fs::path second = make_model(cache.path(), "models--a--b", second_commit);
  test::write(cache / "models--a--b/refs/main", first_commit);
  test::write(cache / "models--a--b/refs/refs/pr/1", std::string(second_commit) + "\n");
  const auto find = [&](const std::string& revision) { return find_model("a/b", {.revision = revision, .cache = cache.path()}); };
  CHECK(find("") == first);
  CHECK(find("main") == first);
  CHECK(find("refs/pr/1") == second);
  CHECK(find(second_commit) == second);
  CHECK(!find("v2"));
  CHECK(!find("3333333333333333333333333333333333333333"));
  CHECK(!find_model("a/c", {.cache = cache.path()}));
  CHECK(!find_model("a/b", {.cache = cache / "nowhere"}));
}

TEST_CASE("a snapshot without all its files is not found") {
  const test::TemporaryFolder cache;
  const fs::path snapshot = make_model(cache.path(), "models--a--b", first_commit);
  test::write(cache / "models--a--b/refs/main", first_commit);
  const HubOptions options{.cache = cache.path()};
  REQUIRE(find_model("a/b", options) == snapshot);
  const std::string blob = fs::read_symlink(snapshot / "model.safetensors").filename().string();
  SECTION("a link is missing") { fs::remove(snapshot / "tokenizer.json"); }
  SECTION("a link's blob is missing, as while it is being fetched") {
    fs::rename(cache / ("models--a--b/blobs/" + blob), cache / ("models--a--b/blobs/" + blob + ".incomplete"));
  }
  SECTION("a shard is missing") {
    fs::remove(snapshot / "model.safetensors");
    test::write(snapshot / "model.safetensors.index.json", R"({"weight_map": {"a": "model-1.safetensors"}})");
  }
  CHECK(!find_model("a/b", options));
}

TEST_CASE("what the hub has of a commit tells whether a snapshot is whole") {
  const test::TemporaryFolder cache;
  const fs::path snapshot = make_model(cache.path(), "models--a--b", first_commit);
  const fs::path trees = cache / "models--a--b/trees";
  test::write(cache / "models--a--b/refs/main", first_commit);
  std::vector<std::string> warnings;
  set_log_callback([&](LogLevel level, std::string_view message) {
    if (level == LogLevel::warning) warnings.emplace_back(message);
  });
  const auto find = [&] { return find_model("a/b", {.cache = cache.path()}); };
  SECTION("nobody asked the hub: it counts, with one warning") {
    CHECK(find() == snapshot);
    CHECK(find() == snapshot);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("inlay pull a/b") != std::string::npos);
  }
  SECTION("nobody asked the hub, but modules.json is there: it counts") {
    store(cache / "models--a--b", first_commit, "modules.json", R"([{"path": "", "type": "a.Transformer"}])");
    CHECK(find() == snapshot);
    CHECK(warnings.empty());
  }
  SECTION("modules.json names a module that is missing") {
    store(cache / "models--a--b", first_commit, "modules.json",
          R"([{"path": "", "type": "T"}, {"path": "1_Pooling", "type": "a.Pooling"}])");
    CHECK(!find());
  }
  SECTION("all is there; other weights and tokenizer files are not missed") {
    remember_files(cache / "models--a--b", first_commit,
                   {"config.json", "tokenizer.json", "model.safetensors", "pytorch_model.bin", "vocab.txt", "special_tokens_map.json"});
    CHECK(find() == snapshot);
    CHECK(warnings.empty());
  }
  SECTION("huggingface_hub's list") {
    test::write(trees / (std::string(first_commit) + ".json"),
                R"({"format_version": 1, "files": {"config.json": {"size": 1}, "modules.json": {"size": 1}}})");
    CHECK(!find());
  }
  SECTION("huggingface_hub's list in a form that is not known is none") {
    test::write(trees / (std::string(first_commit) + ".json"), R"({"format_version": 2, "files": {"modules.json": {}}})");
    CHECK(find() == snapshot);
    CHECK(warnings.size() == 1);
  }
  for (const char* file : {"modules.json", "sentence_bert_config.json", "tokenizer_config.json", "config_sentence_transformers.json"}) {
    DYNAMIC_SECTION("the hub has " << file << " too") {
      remember_files(cache / "models--a--b", first_commit, {"config.json", "tokenizer.json", "model.safetensors", file});
      CHECK(!find());
    }
  }
  set_log_callback({});
}

TEST_CASE("a reference that is no commit is an error that names its file") {
  const test::TemporaryFolder cache;
  make_model(cache.path(), "models--a--b", first_commit);
  for (const std::string& text : {std::string(), std::string("../../.."), std::string("main"), std::string(1000, '1')}) {
    test::write(cache / "models--a--b/refs/main", text);
    test::check_error(Status::io_error, {"models--a--b/refs/main"}, [&] { static_cast<void>(find_model("a/b", {.cache = cache.path()})); });
  }
}

TEST_CASE("a name that could lead out of the cache is refused before the disk is looked at") {
  for (const char* name : {"../x", "a/../b", "/etc", "a/b/c", ""}) {
    test::check_error(Status::invalid_argument, {"is not a model's name"}, [&] { static_cast<void>(find_model(name)); });
  }
  test::check_error(Status::invalid_argument, {"is not a revision"},
                    [&] { static_cast<void>(find_model("a/b", {.revision = "../../x"})); });
}

TEST_CASE("a folder comes before a name; a name before a failure that says what helps") {
  const test::TemporaryFolder cache;
  const fs::path snapshot = make_model(cache.path(), "models--sentence-transformers--all-MiniLM-L6-v2", first_commit);
  test::write(cache / "models--sentence-transformers--all-MiniLM-L6-v2/refs/main", first_commit);
  const test::EnvironmentGuard environment(test::Variables{{"HF_HUB_CACHE", cache.path().string()}, {"HF_HUB_OFFLINE", "1"}});
  for (const char* name : {"minilm", "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"}) {
    CHECK(locate(name, {}, false) == snapshot);
    CHECK(locate(name, first_commit, false) == snapshot);
  }
  CHECK(locate(cache.path(), {}, false) == cache.path());
  test::check_error(Status::invalid_argument, {cache.path().string(), "v1"}, [&] { static_cast<void>(locate(cache.path(), "v1", false)); });
  const auto not_found = [](const char* name, std::initializer_list<std::string_view> named, bool download = false) {
    test::check_error(Status::not_found, named, [&] { static_cast<void>(locate(name, {}, download)); });
  };
  const std::string place = cache.path().string();
  not_found("codebert", {"microsoft/codebert-base", place, "inlay pull codebert"});
  not_found("codebert", {"microsoft/codebert-base", place, "HF_HUB_OFFLINE"}, true);
  not_found("/no/such/model", {"no model folder /no/such/model"});
  not_found("./model", {"no model folder ./model"});
  not_found("a/b/c", {"no model folder a/b/c"});
  not_found("", {"no model folder"});
  test::check_error(Status::not_found, {"inlay pull codebert@v1"}, [&] { static_cast<void>(locate("codebert", "v1", false)); });
}

TEST_CASE("a snapshot's folder knows its model's name") {
  CHECK(name_of_snapshot(fs::path("/c/models--a--b/snapshots") / first_commit) == "a/b");
  CHECK(name_of_snapshot(fs::path("/c/models--gpt2/snapshots") / first_commit) == "gpt2");
  for (const char* folder : {"/c/models--a--b/snapshots/main", "/c/a--b/snapshots/1111111111111111111111111111111111111111",
                             "/c/models--a--b/blobs/1111111111111111111111111111111111111111",
                             "/c/models--a--b--c--d/snapshots/1111111111111111111111111111111111111111", "", "/"}) {
    CHECK(!name_of_snapshot(folder));
  }
}
