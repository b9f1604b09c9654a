#include <inlay/embedding_set.hpp>
#include <limits>
#include <random>
#include <set>
#include <thread>

#include "platform/files.hpp"
#include "platform/memory.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"
#include "support/sanitized.hpp"

using namespace inlay;
using namespace inlay::test;
namespace fs = std::filesystem;

namespace {

ModelInfo small_model(std::size_t dimension = 3) {
  return {.name = "small",
          .architecture = "bert",
          .dimension = dimension,
          .pooling = "mean",
          .fingerprint = "0123",
          .library_version = "0.1.0"};
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

void write_set(const fs::path& place, std::size_t rows, float value) {
  EmbeddingSetWriter writer(place, small_model());
  for (std::size_t row = 0; row < rows; ++row) writer.append({std::to_string(row), {}}, "", std::vector<float>(3, value));
  writer.commit();
}

}  // namespace

// Written by save_embeddings of version 0.1.0, before there was a writer.
TEST_CASE("a set is written byte for byte as it always was") {
  const TemporaryFolder folder;
  EmbeddingSetWriter writer(folder / "a.set", small_model());
  writer.append({"a \"\x01\xE4\xB8\xAD\xFF", {.file_path = "src/a.py", .line_number = 7, .extra = {{"key", 2.5}, {"n", nullptr}}}}, "k0",
                std::vector<float>{1, 2.5F, -3});
  writer.append({"", {.extra = {{"tags", JsonText{"[1.0, {\"a\":\"]\"} , 1e2]"}}}}}, "k1", std::vector<float>{0, 1e-38F, 3.14159265F});
  CHECK(writer.rows() == 2);
  writer.commit("2024-02-29T23:59:59Z");
  CHECK(read(folder / "a.set/metadata.json") ==
        "[\n"
        "{\"content\": \"a \\\"\\u0001\xE4\xB8\xAD\xEF\xBF\xBD\", \"file_path\": \"src/a.py\", \"line_number\": 7, \"n\": null, "
        "\"extra\": {\"key\": 2.5}, \"key\": \"k0\"},\n"
        "{\"content\": \"\", \"tags\": [1.0, {\"a\":\"]\"} , 1e2], \"key\": \"k1\"}\n"
        "]\n");
  CHECK(read(folder / "a.set/embeddings.npy") ==
        std::string("\x93NUMPY\x01\x00v\x00", 10) + "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + std::string(58, ' ') +
            "\n" + std::string("\x00\x00\x80\x3f\x00\x00\x20\x40\x00\x00\x40\xc0\x00\x00\x00\x00\xee\xe3\x6c\x00\xdb\x0f\x49\x40", 24));
  CHECK(read(folder / "a.set/model_info.json").ends_with("\"created\": \"2024-02-29T23:59:59Z\"\n}\n"));
  CHECK(is_embedding_set(folder / "a.set"));
}

TEST_CASE("a set without rows is written, and read") {
  const TemporaryFolder folder;
  EmbeddingSetWriter(folder / "a.set", small_model(384)).commit();
  CHECK(read(folder / "a.set/metadata.json") == "[\n]\n");
  const EmbeddingSet set = load_embeddings(folder / "a.set");
  CHECK((set.vectors.shape() == Matrix::shape_type{0, 384}));
  CHECK_FALSE(set.created.empty());
}

TEST_CASE("numbers of rows of any length fit the header, which NumPy's reader would find as long") {
  const TemporaryFolder folder;
  for (const std::size_t rows : {1, 9, 10, 99, 100, 12345}) {
    write_set(folder / "a.set", rows, 1);
    CHECK(load_embeddings(folder / "a.set").documents.size() == rows);
    CHECK(fs::file_size(folder / "a.set/embeddings.npy") == 128 + rows * 12);
  }
}

TEST_CASE("a row that is refused is named and left out, and the writer goes on") {
  const TemporaryFolder folder;
  EmbeddingSetWriter writer(folder / "a.set", small_model());
  const auto refuse = [&](std::initializer_list<std::string_view> named, const Document& document, std::string_view key,
                          const std::vector<float>& vector) {
    check_error(Status::invalid_argument, named, [&] { writer.append(document, key, vector); });
  };
  const std::vector<float> good = {1, 2, 3};
  writer.append({"first", {}}, "k", good);
  refuse({"row 1", "2 components", "3"}, {"x", {}}, "k", {1, 2});
  refuse({"row 1", "0 components"}, {"x", {}}, "k", {});
  refuse({"row 1", "finite"}, {"x", {}}, "k", {1, std::numeric_limits<float>::quiet_NaN(), 3});
  refuse({"row 1", "finite"}, {"x", {}}, "k", {1, 2, -std::numeric_limits<float>::infinity()});
  refuse({"row 1", "no key"}, {"x", {}}, "", good);
  refuse({"document 1", "\"x\""}, {"x", {.extra = {{"x", JsonText{"[1,"}}}}}, "k", good);
  writer.append({"second", {}}, "l", good);
  writer.commit();
  const EmbeddingSet set = load_embeddings(folder / "a.set");
  REQUIRE(set.documents.size() == 2);
  CHECK(set.documents[1].content == "second");
  CHECK(set.keys == std::vector<std::string>{"k", "l"});
  refuse({"a.set", "committed already"}, {"x", {}}, "k", good);
  check_error(Status::invalid_argument, {"committed already"}, [&] { writer.commit(); });

  EmbeddingSetWriter without(folder / "b.set", small_model());
  without.append({"first", {}}, "", good);
  check_error(Status::invalid_argument, {"row 1", "a key"}, [&] { without.append({"x", {}}, "k", good); });
}

TEST_CASE("nothing is left of a set that is not committed, and the old one stays") {
  const TemporaryFolder folder;
  write_set(folder / "a.set", 2, 1);
  {
    EmbeddingSetWriter writer(folder / "a.set", small_model());
    writer.append({"new", {}}, "", std::vector<float>(3, 2));
    EmbeddingSetWriter moved = std::move(writer);
    moved.append({"new", {}}, "", std::vector<float>(3, 2));
    CHECK(names_in(folder.path()).size() == 2);
    CHECK(load_embeddings(folder / "a.set").vectors(0, 0) == 1);
  }
  CHECK(names_in(folder.path()) == std::set<std::string>{"a.set"});
  CHECK(load_embeddings(folder / "a.set").documents.size() == 2);
}

TEST_CASE("what was put in the set's place meanwhile stays, and committing can be tried again") {
  const TemporaryFolder folder;
  EmbeddingSetWriter writer(folder / "a.set", small_model());
  writer.append({"new", {}}, "", std::vector<float>(3, 2));
  write(folder / "a.set/notes.txt", "mine");
  check_error(Status::invalid_argument, {"a.set", "not an embedding set"}, [&] { writer.commit(); });
  CHECK(read(folder / "a.set/notes.txt") == "mine");
  check_error(Status::invalid_argument, {"a.set", "not an embedding set"}, [&] { EmbeddingSetWriter(folder / "a.set", small_model()); });
  fs::rename(folder / "a.set", folder / "mine");
  writer.commit();
  CHECK(load_embeddings(folder / "a.set").documents.size() == 1);
  check_error(Status::invalid_argument, {"path"}, [&] { EmbeddingSetWriter("", small_model()); });
}

TEST_CASE("two writers of one set do not disturb each other: the later commit counts") {
  const TemporaryFolder folder;
  EmbeddingSetWriter a(folder / "a.set", small_model());
  a.append({"a", {}}, "", std::vector<float>(3, 1));
  EmbeddingSetWriter b(folder / "a.set", small_model());
  b.append({"b", {}}, "", std::vector<float>(3, 2));
  a.commit();
  CHECK(load_embeddings(folder / "a.set").documents[0].content == "a");
  b.commit();
  CHECK(load_embeddings(folder / "a.set").documents[0].content == "b");
  CHECK(names_in(folder.path()) == std::set<std::string>{"a.set"});
}

TEST_CASE("a writer that is killed leaves the old set whole, and the next one clears up behind it") {
  const TemporaryFolder folder;
  write_set(folder / "a.set", 50, 1);
  write(folder / ".a.set.0123456789abcdef.7.tmp/notes.txt", "not a writer's");
  write(folder / ".b.set.0123456789abcdef.7.tmp/embeddings.npy", "another set's");
  write(folder / ".a.set.short.7.tmp/embeddings.npy", "of another name");
  constexpr std::size_t others = 3;
  constexpr std::size_t rows = 5000;
  std::mt19937 random(9);
  std::size_t committed = 0;
  std::size_t abandoned = 0;
  for (int round = 0; round < 60; ++round) {
    SharedNumber written;
    Child child([&] {
      for (float value = 2;; ++value) {
        EmbeddingSetWriter writer(folder / "a.set", small_model());
        for (std::size_t row = 0; row < rows; ++row, ++*written) writer.append({std::to_string(row), {}}, "", std::vector<float>(3, value));
        writer.commit();
      }
      return 0;
    });
    REQUIRE(written.wait_for(random() % 4 == 0 ? rows : random() % (3 * rows)));  // of four children one is killed while it commits
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
    REQUIRE(child.kill());
    const EmbeddingSet set = load_embeddings(folder / "a.set");
    const float value = set.vectors(0, 0);
    CHECK(set.documents.size() == (value == 1 ? 50 : rows));
    CHECK(std::ranges::all_of(set.vectors, [value](float number) { return number == value; }));
    committed += value == 1 ? 0 : 1;
    const std::size_t left = names_in(folder.path()).size() - 1 - others;
    CHECK(left <= 1);  // a child's: it has cleared up behind the one before
    abandoned += left;
  }
  CHECK(committed > 0);
  CHECK(abandoned > 0);
  write_set(folder / "a.set", 1, 1);
  CHECK(names_in(folder.path()).size() == 1 + others);
}

TEST_CASE("a full disk is an error that names the set, gives its room back, and leaves the old set") {
  const TemporaryFolder folder;
  write_set(folder / "a.set", 2, 1);
  {
    const FileSizeLimit limit(3 << 20);
    EmbeddingSetWriter writer(folder / "a.set", small_model());
    const Document document = {std::string(1000, 'x'), {}};
    check_error(Status::io_error, {"cannot save", "a.set", "metadata.json", "File too large"}, [&] {
      for (int row = 0; row < 10'000; ++row) writer.append(document, "", std::vector<float>(3, 2));
    });
    CHECK(writer.rows() > 2000);
    CHECK(names_in(folder.path()) == std::set<std::string>{"a.set"});
    check_error(Status::io_error, {"a.set"}, [&] { writer.append(document, "", std::vector<float>(3, 2)); });
    check_error(Status::io_error, {"a.set"}, [&] { writer.commit(); });
  }
  {
    EmbeddingSetWriter writer(folder / "a.set", small_model());
    writer.append({std::string(1000, 'x'), {}}, "", std::vector<float>(3, 2));
    const FileSizeLimit limit(500);
    check_error(Status::io_error, {"cannot save", "a.set"}, [&] { writer.commit(); });
  }
  CHECK(names_in(folder.path()) == std::set<std::string>{"a.set"});
  CHECK(load_embeddings(folder / "a.set").documents.size() == 2);
}

TEST_CASE("1,000,000 rows are written in memory that does not grow with them") {
  const TemporaryFolder folder;
  SharedNumber first_quarter;
  SharedNumber whole;
  platform::release_free_memory();  // which the child would use first
  CHECK(Child([&] {
          const std::size_t before = platform::peak_resident_bytes();
          constexpr std::size_t rows = 1'000'000;
          EmbeddingSetWriter writer(folder / "a.set", small_model(8));
          Document document;
          document.metadata.file_path = "src/file.py";
          std::vector<float> vector(8);
          for (std::size_t row = 0; row < rows; ++row) {
            document.content = "text " + std::to_string(row);
            vector[0] = static_cast<float>(row);
            writer.append(document, content_key(document.content), vector);
            if (row == rows / 4) *first_quarter = platform::peak_resident_bytes() - before;
          }
          writer.commit();
          *whole = platform::peak_resident_bytes() - before;
          return 0;
        }).wait() == 0);
  INFO(*first_quarter << " bytes after a quarter, " << *whole << " at the end");
  CHECK(*first_quarter > 0);
  CHECK(*whole < *first_quarter + (std::size_t{1} << 20));
  if (!inlay::test::sanitized) CHECK(*whole < std::size_t{16} << 20);
  const platform::MappedFile vectors(folder / "a.set/embeddings.npy");
  REQUIRE(vectors.bytes().size() == 128 + 1'000'000 * 32);
  float last = 0;
  std::memcpy(&last, vectors.bytes().data() + 128 + 999'999 * 32, sizeof last);
  CHECK(last == 999'999);
}
