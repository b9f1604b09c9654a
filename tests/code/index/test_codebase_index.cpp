#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "inlay/inlay.hpp"
#include "platform/files.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A model, a codebase and the place of its index.
struct Codebase {
  Codebase() {
    write_tiny_model(model.path(), {});
    generator = EmbeddingGenerator::load(model.path(), {.device = Device::cpu(), .threads = 1});
    put("auth.py",
        "import os\n\n\ndef open_file(name):\n    \"\"\"Opens a file.\"\"\"\n    return open(name)\n\n\ndef close(file):\n    return 2\n");
    put("net/socket.cpp", "int read_all(int socket) {\n  return socket + 1;\n}\n\nclass Socket {\n  int open() { return 3; }\n};\n");
    put("notes.txt", "read the file\n");
  }
  void put(const std::string& file, const std::string& content) const { write(folder.path() / "src" / file, content); }
  [[nodiscard]] CodebaseChanges update(const IndexCodebaseOptions& options = {}) const {
    return index_codebase(*generator, folder / "src", index_path(), options);
  }
  [[nodiscard]] fs::path index_path() const { return folder / "code.index"; }
  [[nodiscard]] CodebaseIndex index() const { return CodebaseIndex(index_path()); }

  TemporaryFolder model;
  TemporaryFolder folder;
  std::optional<EmbeddingGenerator> generator;
};

struct Counts {
  std::size_t added = 0;
  std::size_t edited = 0;
  std::size_t moved = 0;
  std::size_t unchanged = 0;
  std::size_t removed = 0;
  std::size_t embedded = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

Counts counts(const CodebaseChanges& changes) {
  CHECK(changes.added + changes.edited + changes.moved + changes.unchanged == changes.items);
  return {changes.added, changes.edited, changes.moved, changes.unchanged, changes.removed, changes.corpus.items.newly_embedded};
}

std::set<std::string> names(const CodebaseIndex& index) {
  std::set<std::string> found;
  for (std::size_t i = 0; i < index.size(); ++i) found.insert(index.item(i).file_path + " " + index.item(i).qualified_name);
  return found;
}

std::size_t find(const CodebaseIndex& index, std::string_view qualified_name) {
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index.item(i).qualified_name == qualified_name) return i;
  }
  FAIL("no item " << qualified_name);
  return 0;
}

}  // namespace

TEST_CASE("an index holds every item with its vector, and is an embedding set") {
  const Codebase code;
  const CodebaseChanges changes = code.update();
  CHECK(changes.files == 3);
  CHECK(counts(changes) == Counts{.added = 7, .embedded = 7});
  const CodebaseIndex index = code.index();
  CHECK(names(index) == std::set<std::string>{"auth.py open_file", "auth.py close", "auth.py ", "net/socket.cpp read_all",
                                              "net/socket.cpp Socket", "net/socket.cpp Socket::open", "notes.txt "});
  CHECK(index.folder() == fs::absolute(code.folder / "src"));
  CHECK(index.kind() == IndexKind::flat);
  CHECK(index.model().fingerprint == code.generator->info().fingerprint);

  const EmbeddingSet set = load_embeddings(code.index_path());
  REQUIRE(set.documents.size() == index.size());
  const DocumentPreparator prepare = code_item_preparator();
  for (std::size_t i = 0; i < index.size(); ++i) {
    const EmbedResult expected = code.generator->embed({prepare(set.documents[i])}, {.long_text = {}});
    CHECK(cosine_similarity({&expected.vectors(0, 0), index.dimension()}, {index.vector(i).data(), index.dimension()}) > 0.999999F);
    CHECK(index.source_code(i) == set.documents[i].content);
  }
  const VectorIndex vectors(code.index_path() / "index.faiss");
  CHECK(vectors.size() == index.size());
  CHECK(vectors.search(index.vector(3), 1)[0].row == 3);
}

TEST_CASE("run again, an index embeds what is new or edited and nothing else, and says what became of each item") {
  const Codebase code;
  static_cast<void>(code.update());
  CHECK(counts(code.update()) == Counts{.unchanged = 7});
  SECTION("edited") {
    code.put(
        "auth.py",
        "import os\n\n\ndef open_file(name):\n    \"\"\"Opens a file.\"\"\"\n    return read(name)\n\n\ndef close(file):\n    return 2\n");
    CHECK(counts(code.update()) == Counts{.edited = 1, .unchanged = 6, .embedded = 1});
  }
  SECTION("moved in its file") {
    code.put("net/socket.cpp",
             "\n\nint read_all(int socket) {\n  return socket + 1;\n}\n\nclass Socket {\n  int open() { return 3; }\n};\n");
    CHECK(counts(code.update()) == Counts{.moved = 3, .unchanged = 4});
    CHECK(code.index().item(find(code.index(), "read_all")).line_number == 3);
  }
  SECTION("moved to another file") {
    fs::rename(code.folder / "src/net/socket.cpp", code.folder / "src/other.cpp");
    CHECK(counts(code.update()) == Counts{.moved = 3, .unchanged = 4});
    CHECK(names(code.index()).contains("other.cpp read_all"));
  }
  SECTION("removed") {
    fs::remove(code.folder / "src/net/socket.cpp");
    CHECK(counts(code.update()) == Counts{.unchanged = 4, .removed = 3});
    CHECK(code.index().size() == 4);
  }
  SECTION("new") {
    code.put("new.go", "package a\n\nfunc Open() int { return 1 }\n");
    CHECK(counts(code.update()) == Counts{.added = 2, .unchanged = 7, .embedded = 2});
  }
  SECTION("a copy costs nothing") {
    code.put("copy.cpp", "int read_all(int socket) {\n  return socket + 1;\n}\n");
    CHECK(counts(code.update()) == Counts{.added = 1, .unchanged = 7});
  }
  SECTION("all gone: the index is empty, and can be filled again") {
    const IndexKind kind = GENERATE(IndexKind::flat, IndexKind::hnsw);
    fs::rename(code.folder / "src", code.folder / "kept");
    fs::create_directory(code.folder / "src");
    CHECK(counts(code.update({.index = {.kind = kind}})) == Counts{.removed = 7});
    const CodebaseIndex empty = code.index();
    CHECK(empty.size() == 0);
    CHECK(empty.search(code.generator->embed_query("open file")).empty());
    CHECK(empty.near_duplicates().empty());
    CHECK_FALSE(empty.item_at("auth.py", 4));
    CHECK(counts(code.update({.index = {.kind = kind}})) == Counts{});
    fs::remove(code.folder / "src");
    fs::rename(code.folder / "kept", code.folder / "src");
    CHECK(counts(code.update({.index = {.kind = kind}})) == Counts{.added = 7, .embedded = 7});
  }
  SECTION("files that cannot be read leave the index as it was") {
    fs::remove_all(code.folder / "src");
    code.put("auth.py", "def open_file(): pass\n");
    fs::permissions(code.folder / "src/auth.py", fs::perms::none);
    if (std::ifstream(code.folder / "src/auth.py")) return;  // the superuser reads everything
    check_error(Status::io_error, {"nothing that can be read"}, [&] { static_cast<void>(code.update()); });
    CHECK(code.index().size() == 7);
  }
  SECTION("items that all failed leave the index as it was") {
    const IndexCodebaseOptions refusing = {.long_text = {.policy = LongText::error}};
    static_cast<void>(code.update(refusing));
    fs::remove_all(code.folder / "src");
    std::string function = "def long():\n    return 0";
    for (int i = 0; i < 1000; ++i) function += " + 1";
    code.put("long.py", function + "\n");
    const CodebaseChanges changes = code.update(refusing);
    CHECK(changes.failed == 1);
    CHECK(changes.removed == 0);
    CHECK_FALSE(changes.corpus.written);
    CHECK(code.index().size() == 7);
  }
  SECTION("fresh") { CHECK(counts(code.update({.fresh = true})) == Counts{.unchanged = 7, .embedded = 7}); }
}

TEST_CASE("a cache serves where the index is gone") {
  const Codebase code;
  const auto cache = open_cache("memory:");
  static_cast<void>(code.update({.cache = cache}));
  fs::remove_all(code.index_path());
  CHECK(counts(code.update({.cache = cache})) == Counts{.added = 7});
}

TEST_CASE("a search is the best of all items, and of those that pass its filter") {
  const Codebase code;
  static_cast<void>(code.update());
  const CodebaseIndex index = code.index();
  const Vector query = code.generator->embed_query("open file");
  const EmbeddingSet set = load_embeddings(code.index_path());
  const std::vector<Match> expected = top_k(query, set.vectors, index.size());
  const std::vector<CodeMatch> all = index.search(query, {.k = 100});
  REQUIRE(all.size() == index.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].item == expected[i].row);
    CHECK(std::abs(all[i].score - expected[i].score) < 1e-6F);
  }
  const auto passing = [&](const ItemFilter& filter) {
    std::set<std::string> found;
    for (const CodeMatch& match : index.search(query, {.k = 100, .filter = filter}))
      found.insert(index.item(match.item).file_path + " " + index.item(match.item).qualified_name);
    return found;
  };
  CHECK(passing({.language = "python"}) == std::set<std::string>{"auth.py open_file", "auth.py close", "auth.py "});
  CHECK(passing({.path_glob = "*.txt"}) == std::set<std::string>{"notes.txt "});
  CHECK(passing({.path_glob = "net/", .kinds = {ItemKind::class_}}) == std::set<std::string>{"net/socket.cpp Socket"});
  CHECK(passing({.path_glob = "net/*.cpp", .kinds = {ItemKind::function}}).size() == 2);
  CHECK(passing({.language = "cobol"}).empty());
  const float second = all[1].score;
  CHECK(index.search(query, {.k = 100, .min_score = second}).size() == 2);
  CHECK(index.search(query, {.k = 3}).size() == 3);
  check_error(Status::invalid_argument, {"3 components", "code.index"}, [&] { static_cast<void>(index.search(Vector({1, 0, 0}))); });
}

TEST_CASE("similar items leave out the item itself, what it is in and what is in it") {
  const Codebase code;
  static_cast<void>(code.update());
  const CodebaseIndex index = code.index();
  const auto item = index.item_at("net/socket.cpp", 6);
  REQUIRE(item);
  CHECK(index.item(*item).qualified_name == "Socket::open");
  CHECK(index.item(*index.item_at("net/socket.cpp", 7)).qualified_name == "Socket");
  CHECK_FALSE(index.item_at("net/socket.cpp", 700));
  CHECK_FALSE(index.item_at("none.cpp", 1));
  const std::vector<CodeMatch> similar = index.similar(*item, {.k = 100});
  CHECK(similar.size() == 5);
  for (const CodeMatch& match : similar) CHECK(index.item(match.item).name != "Socket");
  check_error(Status::invalid_argument, {"item 7 of an index with 7"}, [&] { static_cast<void>(index.similar(7)); });
}

TEST_CASE("near-copies are found, a method and its class are none") {
  const Codebase code;
  code.put("copy.cpp", "int read_all(int socket) {\n  return socket + 1;\n}\n");
  code.put("other/copy.cpp", "int read_all(int socket) {\n  return socket + 1;\n}\n");
  static_cast<void>(code.update());
  const CodebaseIndex index = code.index();
  const std::vector<DuplicateGroup> groups = index.near_duplicates({.threshold = 0.9999F, .min_lines = 3});
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].items.size() == 3);
  for (const std::size_t item : groups[0].items) CHECK(index.item(item).qualified_name == "read_all");
  CHECK(index.near_duplicates({.threshold = 0.9999F, .min_lines = 4}).empty());
  CHECK(index.near_duplicates({.threshold = 0.9999F, .filter = {.path_glob = "net/"}}).empty());
  for (const DuplicateGroup& group : index.near_duplicates({.threshold = -1, .min_lines = 1, .filter = {.path_glob = "net/socket.cpp"}})) {
    CHECK(group.items.size() == 3);  // the class and its method through the function alone
  }
}

TEST_CASE("indexes of every kind give the same best item") {
  const Codebase code;
  for (const IndexKind kind : {IndexKind::flat, IndexKind::hnsw}) {
    const CodebaseChanges changes = code.update({.index = {.kind = kind}});
    CHECK(changes.corpus.written);
    CHECK(counts(changes).embedded <= 7);
    const CodebaseIndex index = code.index();
    CHECK(index.kind() == kind);
    const std::vector<CodeMatch> found = index.search(index.vector(2), {.k = 3});
    REQUIRE(found.size() == 3);
    CHECK(found[0].item == 2);
    CHECK_FALSE(code.update({.index = {.kind = kind}}).corpus.written);
  }
}

TEST_CASE("any embedding set is searched") {
  const Codebase code;
  const EmbedResult result = code.generator->embed({"open the file", "read it"});
  save_embeddings(code.folder / "texts.set", result, std::vector<Document>{{"open the file", {}}, {"read it", {}}}, code.generator->info());
  const CodebaseIndex index(code.folder / "texts.set");
  CHECK(index.size() == 2);
  CHECK(index.folder().empty());
  CHECK(index.item(1).kind == ItemKind::file);
  CHECK(index.source_code(index.search(code.generator->embed_query("read it"), {.k = 1})[0].item) == "read it");
  CHECK(index.similar(0).size() == 1);
}

TEST_CASE("an index that is damaged or not there is an error that names it") {
  const Codebase code;
  check_error(Status::not_found, {"code.index"}, [&] { static_cast<void>(code.index()); });
  static_cast<void>(code.update({.index = {.kind = IndexKind::hnsw}}));
  const auto with_file = [&](const std::string& name, const std::string& content) {
    const std::string whole = test::read(code.index_path() / name);
    write(code.index_path() / name, content);
    check_error(Status::invalid_data, {"code.index"}, [&] { static_cast<void>(code.index()); });
    write(code.index_path() / name, whole);
  };
  with_file("index.json", "{}");
  with_file("index.json", "[]");
  with_file("index.json", R"({"kind": "tree", "rows": 7, "dimension": 32})");
  with_file("index.json", R"({"kind": "flat", "rows": 8, "dimension": 32})");
  const std::string vectors = test::read(code.index_path() / "index.faiss");
  with_file("index.faiss", vectors.substr(0, vectors.size() / 2));
  with_file("metadata.json", "[]");
  CHECK(code.index().size() == 7);
}

TEST_CASE("a stop keeps what was embedded for the next run") {
  const Codebase code;
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(code.update({.stop = stop.get_token()}).corpus.finished);
  CHECK_FALSE(fs::exists(code.index_path()));
  CHECK(code.update().items == 7);
}

TEST_CASE("a stop while the index is built keeps all vectors") {
  const Codebase code;
  std::stop_source stop;
  IndexCodebaseOptions options{.index = {.kind = IndexKind::hnsw}, .stop = stop.get_token()};
  options.index.on_progress = [&](std::size_t, std::size_t) { stop.request_stop(); };
  std::string function;
  for (int i = 0; i < 5000; ++i) function += "def f" + std::to_string(i) + "(): return " + std::to_string(i) + "\n";
  code.put("many.py", function);
  const CodebaseChanges stopped = code.update(options);
  CHECK_FALSE(stopped.corpus.finished);
  CHECK_FALSE(stopped.corpus.written);
  CHECK_FALSE(fs::exists(code.index_path()));
  const CodebaseChanges again = code.update({.index = {.kind = IndexKind::hnsw}});
  CHECK(again.corpus.finished);
  CHECK(again.corpus.items.newly_embedded == 0);
  CHECK(again.items >= stopped.corpus.items.newly_embedded);
}

TEST_CASE("an update that failed while it watches is tried again") {
  const Codebase code;
  std::stop_source stop;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t updates = 0;
  const auto watching = std::async(std::launch::async, [&] {
    watch_codebase(*code.generator, code.folder / "src", code.index_path(), {.stop = stop.get_token()},
                   {.quiet = 50ms, .longest = 300ms, .on_update = [&](const CodebaseChanges&) {
                      const std::lock_guard lock(mutex);
                      ++updates;
                      changed.notify_all();
                    }});
  });
  const auto wait_for = [&](std::size_t count, std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, time, [&] { return updates >= count; });
  };
  REQUIRE(wait_for(1, 60s));
  {
    const auto held = platform::FileLock::try_acquire(code.folder / ".code.index.journal");  // as another run of it does
    REQUIRE(held);
    code.put("new.py", "def added():\n    return 1\n");
    CHECK_FALSE(wait_for(2, 1500ms));
  }
  REQUIRE(wait_for(2, 60s));
  CHECK(names(code.index()).contains("new.py added"));
  stop.request_stop();
  CHECK(watching.wait_for(60s) == std::future_status::ready);
}

TEST_CASE("while it watches, an index follows its files") {
  const Codebase code;
  std::stop_source stop;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<CodebaseChanges> updates;
  const auto watching = std::async(std::launch::async, [&] {
    watch_codebase(*code.generator, code.folder / "src", code.index_path(), {.stop = stop.get_token()},
                   {.quiet = 100ms, .longest = 2000ms, .on_update = [&](const CodebaseChanges& changes) {
                      const std::lock_guard lock(mutex);
                      updates.push_back(changes);
                      changed.notify_all();
                    }});
  });
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 60s, [&] { return updates.size() >= count; });
  };
  REQUIRE(wait_for(1));
  code.put("new.py", "def added():\n    return 1\n");
  REQUIRE(wait_for(2));
  CHECK(names(code.index()).contains("new.py added"));
  code.put("deeper/still/other.py", "def deep():\n    return 1\n");
  REQUIRE(wait_for(3));
  code.put("deeper/still/other.py", "def deep():\n    return 2\n");
  REQUIRE(wait_for(4));
  {
    const std::lock_guard lock(mutex);
    CHECK(counts(updates[0]).added == 7);
    CHECK(counts(updates[1]) == Counts{.added = 1, .unchanged = 7, .embedded = 1});
    CHECK(counts(updates[3]) == Counts{.edited = 1, .unchanged = 8, .embedded = 1});
  }
  // The same folder by its name, and another one. On a busy machine this may be more than one update.
  const auto has_source = [&](std::string_view source) {
    for (int attempt = 0; attempt < 600; ++attempt) {
      const CodebaseIndex index = code.index();
      for (std::size_t i = 0; i < index.size(); ++i) {
        if (index.source_code(i) == source) return true;
      }
      std::this_thread::sleep_for(100ms);
    }
    return false;
  };
  fs::remove_all(code.folder / "src/deeper");
  code.put("deeper/still/other.py", "def deep():\n    return 3\n");
  REQUIRE(has_source("def deep():\n    return 3"));
  code.put("deeper/still/other.py", "def deep():\n    return 4\n");
  CHECK(has_source("def deep():\n    return 4"));
  stop.request_stop();
  CHECK(watching.wait_for(60s) == std::future_status::ready);
}

}  // namespace inlay::test
