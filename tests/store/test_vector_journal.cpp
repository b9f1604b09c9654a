#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <thread>

#include "cache_support.hpp"
#include "platform/memory.hpp"
#include "store/key_index.hpp"
#include "store/vector_journal.hpp"
#include "support/child.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::test;
using store::VectorJournal;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t header_bytes = 4096;

std::size_t record_bytes(const CacheModel& model) { return 16 + 4 * model.dimension + 8; }

std::unique_ptr<VectorJournal> open_journal(const fs::path& path, const CacheModel& model) {
  VectorJournal::Opened opened = VectorJournal::open(path, model);
  REQUIRE(opened.journal != nullptr);
  return std::move(opened.journal);
}

void insert(VectorCache& cache, const CacheModel& model, std::size_t first, std::size_t count) {
  cache.insert(model, cache_entries(model, first, count));
}

void write_journal(const fs::path& path, const CacheModel& model, std::size_t count) {
  fs::remove(path);
  insert(*open_journal(path, model), model, 0, count);
  REQUIRE(fs::file_size(path) == header_bytes + count * record_bytes(model));
}

bool finds(VectorCache& cache, const CacheModel& model, const std::string& key) {
  std::vector<float> vector(model.dimension);
  return cache.find(model, {&key, 1}, vector).front();
}

}  // namespace

TEST_CASE("a journal gives back what it was given, bit for bit, also when it is opened again") {
  const TemporaryFolder folder;
  CacheModel model = cache_test_model(5);
  std::vector<CacheEntry> entries = cache_entries(model, 0, 3);
  entries[0].vector = {-0.0F, std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max(), 0.1F, -1e-38F};
  entries[1].key = "no content_key: \xE4\xB8\xAD";
  entries[2].key = std::string(1024, 'k');
  std::vector<std::string> keys;
  for (const CacheEntry& entry : entries) keys.push_back(entry.key);
  keys.push_back(cache_key(99));
  const auto check = [&](VectorJournal& journal) {
    std::vector<float> vectors(20, 7);
    CHECK(journal.find(model, keys, vectors) == std::vector<bool>{true, true, true, false});
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::memcmp(vectors.data() + 5 * i, entries[i].vector.data(), 20) == 0);
    CHECK(std::vector<float>(vectors.end() - 5, vectors.end()) == std::vector<float>(5, 7));
    CHECK(journal.statistics().entries == 3);
    CHECK(journal.statistics().persistent);
  };
  const fs::path path = folder / "new/folders/x.journal";
  {
    const auto journal = open_journal(path, model);
    CHECK(journal->statistics().entries == 0);
    CHECK(count_found(*journal, model, 0, 10) == 0);
    journal->insert(model, {});
    journal->insert(model, entries);
    check(*journal);
    CHECK(journal->statistics().inserted == 3);
    CHECK(journal->statistics().hits == 3);
    CHECK(journal->statistics().misses == 11);
    journal->insert(model, entries);  // known: nothing is written
    CHECK(fs::file_size(path) == header_bytes + 3 * record_bytes(model));
    CHECK(journal->verify().entries == 3);
  }
  const LogCapture log;
  const auto journal = open_journal(path, model);
  check(*journal);
  CHECK(log.warnings().empty());
  journal->remove();
  CHECK_FALSE(fs::exists(path));
  CHECK_FALSE(journal->statistics().persistent);
  journal->insert(model, entries);
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("of two vectors of one key the later counts, in one insert and in two, before and after opening again") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(2);
  const std::string key = cache_key(1);
  std::vector<float> vector(2);
  {
    const auto journal = open_journal(folder / "x", model);
    journal->insert(model, std::vector<CacheEntry>{{.key = key, .vector = {1, 1}}, {.key = key, .vector = {2, 2}}});
    CHECK(journal->find(model, {&key, 1}, vector).front());
    CHECK(vector == std::vector<float>{2, 2});
    journal->insert(model, std::vector<CacheEntry>{{.key = key, .vector = {3, 3}}});
    CHECK(journal->statistics().entries == 1);
  }
  const auto journal = open_journal(folder / "x", model);
  CHECK(journal->find(model, {&key, 1}, vector).front());
  CHECK(vector == std::vector<float>{3, 3});
  CHECK(journal->statistics().entries == 1);
}

TEST_CASE("a text that is a key by itself is not mixed up with that text's content_key") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(2);
  const auto journal = open_journal(folder / "x", model);
  journal->insert(model, std::vector<CacheEntry>{{.key = "hello", .vector = {1, 1}}});
  CHECK(finds(*journal, model, "hello"));
  CHECK_FALSE(finds(*journal, model, content_key("hello")));
  CHECK_FALSE(finds(*journal, model, std::string(32, 'A')));
}

TEST_CASE("a walk hands over the entries that count, in their order, and may call the journal") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(300);
  const auto journal = open_journal(folder / "x", model);
  insert(*journal, model, 0, 2000);  // more than is read at once
  journal->insert(model, std::vector<CacheEntry>{{.key = "no content_key", .vector = std::vector<float>(300, 1)},
                                                 {.key = cache_key(7), .vector = std::vector<float>(300, 2)}});
  std::vector<std::string> keys;
  journal->for_each([&](const CacheModel& walked, const CacheEntry& entry) {
    CHECK((walked == model));
    CHECK(finds(*journal, model, entry.key));
    CHECK(entry.vector == (entry.key == cache_key(7) ? std::vector<float>(300, 2) : cache_vector(model, entry.key)));
    keys.push_back(entry.key);
  });
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 2000; ++i) {
    if (i != 7) expected.push_back(cache_key(i));
  }
  expected.push_back(cache_key(7));
  CHECK(keys == expected);
}

TEST_CASE("another model's journal is named and left as it is, and begun anew only when asked") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(8, "fingerprint-a");
  write_journal(folder / "x", model, 10);
  const std::string bytes = read(folder / "x");
  for (const CacheModel& other : {cache_test_model(8, "fingerprint-b"), cache_test_model(9, "fingerprint-a")}) {
    const auto opened = VectorJournal::open(folder / "x", other);
    CHECK(opened.journal == nullptr);
    CHECK((opened.made_by == model));
    CHECK(read(folder / "x") == bytes);
  }
  CacheModel renamed = model;
  renamed.name = "moved-model";
  CHECK(count_found(*open_journal(folder / "x", renamed), model, 0, 10) == 10);

  const CacheModel other = cache_test_model(8, "fingerprint-b");
  const auto opened = VectorJournal::open(folder / "x", other, VectorJournal::Existing::discard);
  REQUIRE(opened.journal != nullptr);
  CHECK(opened.journal->statistics().entries == 0);
  CHECK(fs::file_size(folder / "x") == header_bytes);
  const LogCapture log;
  insert(*opened.journal, model, 0, 1);
  insert(*opened.journal, model, 1, 1);
  CHECK(log.count("fingerprint-a") == 1);
  CHECK(opened.journal->statistics().entries == 0);
  CHECK(count_found(*opened.journal, model, 0, 10) == 0);
}

TEST_CASE("arguments that make no sense are refused before anything is kept; numbers that are not finite are left out") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(2);
  const auto journal = open_journal(folder / "x", model);
  const auto check_refused = [&](std::initializer_list<std::string_view> named, const CacheModel& of, const CacheEntry& entry) {
    const std::vector<CacheEntry> entries = {{.key = cache_key(1), .vector = {1, 2}}, entry};
    check_error(Status::invalid_argument, named, [&] { journal->insert(of, entries); });
  };
  check_refused({"fingerprint"}, {"name", "", 2}, {.key = "k", .vector = {1, 2}});
  check_refused({"0 dimensions"}, {"name", "f", 0}, {.key = "k", .vector = {1, 2}});
  check_refused({"the key k has 3 components, not 2"}, model, {.key = "k", .vector = {1, 2, 3}});
  check_refused({"a key of 0 bytes"}, model, {.key = "", .vector = {1, 2}});
  check_refused({"a key of 1025 bytes"}, model, {.key = std::string(1025, 'k'), .vector = {1, 2}});
  check_refused({"a key of 1 bytes"}, model, {.key = "\xFF", .vector = {1, 2}});
  std::vector<float> vectors(3);
  const std::string key = cache_key(1);
  check_error(Status::invalid_argument, {"3 numbers", "1 keys"}, [&] { static_cast<void>(journal->find(model, {&key, 1}, vectors)); });
  check_error(Status::invalid_argument, {"2049 bytes"}, [&] {
    static_cast<void>(VectorJournal::open(folder / "y", {"", std::string(2049, 'f'), 2}));
  });
  check_error(Status::unsupported, {"pruned"}, [&] { journal->prune({}); });
  CHECK(journal->statistics().entries == 0);

  const LogCapture log;
  journal->insert(model, std::vector<CacheEntry>{{.key = "nan", .vector = {1, std::numeric_limits<float>::quiet_NaN()}},
                                                 {.key = key, .vector = {1, 2}},
                                                 {.key = "inf", .vector = {std::numeric_limits<float>::infinity(), 2}}});
  CHECK(log.count("not finite") == 1);
  CHECK(journal->statistics().entries == 1);
}

TEST_CASE("a journal that is cut anywhere in its last records keeps those before, says so, and goes on") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4);
  const fs::path path = folder / "x";
  write_journal(path, model, 10);
  const std::string bytes = read(path);
  for (std::size_t size = bytes.size() - 3 * record_bytes(model); size < bytes.size(); ++size) {
    INFO(size);
    write(path, std::string_view(bytes).substr(0, size));
    const std::size_t whole = (size - header_bytes) / record_bytes(model);
    const bool torn = (size - header_bytes) % record_bytes(model) != 0;
    {
      const LogCapture log;
      const auto journal = open_journal(path, model);
      CHECK(log.count("cut off") == (torn ? 1 : 0));
      CHECK(count_found(*journal, model, 0, 10) == whole);
      CHECK(fs::file_size(path) == header_bytes + whole * record_bytes(model));
      insert(*journal, model, 9, 2);
    }
    CHECK(count_found(*open_journal(path, model), model, 0, 11) == whole + 2);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{8}, std::size_t{4095}}) {  // killed while it was begun
    INFO(size);
    write(path, std::string_view(bytes).substr(0, size));
    const LogCapture log;
    const auto journal = open_journal(path, model);
    CHECK(log.warnings().empty());
    insert(*journal, model, 0, 1);
    CHECK(count_found(*journal, model, 0, 10) == 1);
  }
}

TEST_CASE("a tail of zeros, as a power failure leaves it, is cut off") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4);
  write_journal(folder / "x", model, 10);
  std::ofstream(folder / "x", std::ios::binary | std::ios::app) << std::string(5 * record_bytes(model) + 3, '\0');
  const LogCapture log;
  const auto journal = open_journal(folder / "x", model);
  CHECK(log.count("cut off") == 1);
  CHECK(count_found(*journal, model, 0, 20) == 10);
  CHECK(fs::file_size(folder / "x") == header_bytes + 10 * record_bytes(model));
}

TEST_CASE("whatever bit of a journal turns, no vector is ever wrong") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(2);
  const fs::path path = folder / "x";
  constexpr std::size_t count = 4;
  write_journal(path, model, count);
  const std::string bytes = read(path);
  const std::size_t owner = 4088;
  const auto check_flip = [&](std::size_t byte, int bit) {
    INFO("byte " << byte << ", bit " << bit);
    std::string damaged = bytes;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
    write(path, damaged);
    const LogCapture log;
    {
      const auto journal = open_journal(path, model);
      const std::size_t found = count_found(*journal, model, 0, count);  // which compares them
      if (byte >= header_bytes) {
        CHECK(found == count - 1);
        CHECK(log.count((byte - header_bytes) / record_bytes(model) == count - 1 ? "cut off" : "1 damaged vectors") == 1);
      } else if (byte >= owner) {
        CHECK(found == count);
      } else {  // the header: kept aside whole, another is begun
        CHECK(found == 0);
        CHECK(log.count("damaged-1") == 1);
        CHECK(read(folder / "x.damaged-1") == damaged);
      }
      insert(*journal, model, 0, count);
      CHECK(count_found(*journal, model, 0, count) == count);
    }
    CHECK(count_found(*open_journal(path, model), model, 0, count) == count);
    fs::remove(folder / "x.damaged-1");
  };
  for (std::size_t byte = header_bytes; byte < bytes.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) check_flip(byte, bit);
  }
  std::mt19937 random(3);
  for (std::size_t byte = 0; byte < 64; ++byte) check_flip(byte, static_cast<int>(random() % 8));
  for (int flip = 0; flip < 64; ++flip) check_flip(random() % header_bytes, static_cast<int>(random() % 8));
  for (std::size_t byte = 4080; byte < header_bytes; ++byte) check_flip(byte, static_cast<int>(random() % 8));
}

TEST_CASE("damage that comes while a journal is open is left out, told, and made good by the next insert") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  const auto journal = open_journal(folder / "x", model);
  insert(*journal, model, 0, 6);
  {
    std::fstream file(folder / "x", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(header_bytes + 2 * record_bytes(model) + 20));
    file.put('\x55');
  }
  const LogCapture log;
  CHECK(count_found(*journal, model, 0, 6) == 5);
  CHECK(count_found(*journal, model, 0, 6) == 5);
  CHECK(log.count("damaged meanwhile") == 1);
  const CacheCheck check = journal->verify();
  CHECK(check.entries == 5);
  REQUIRE(check.problems.size() == 1);
  CHECK_THAT(check.problems[0].message, Catch::Contains("vector 2"));
  insert(*journal, model, 0, 6);
  CHECK(count_found(*journal, model, 0, 6) == 6);
}

TEST_CASE("what is no journal is kept aside, and a newer version is refused and stays") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  for (const std::string& bytes : {std::string("notes of mine"), std::string(10'000, 'x')}) {
    write(folder / "x", bytes);
    const LogCapture log;
    CHECK(open_journal(folder / "x", model)->statistics().entries == 0);
    CHECK(log.count("x.damaged-") == 1);
  }
  CHECK(read(folder / "x.damaged-1") == "notes of mine");
  fs::create_directory(folder / "folder");
  check_error(Status::io_error, {"folder"}, [&] { static_cast<void>(VectorJournal::open(folder / "folder", model)); });
}

TEST_CASE("a second process, or a second opening, is told which process to wait for") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(3);
  const fs::path path = folder / "x";
  SharedNumber opened;
  Child child([&] {
    const auto journal = VectorJournal::open(path, model).journal;
    insert(*journal, model, 0, 5);
    *opened = 1;
    while (true) ::pause();
    return 0;
  });
  REQUIRE(opened.wait_for(1));
  check_error(Status::io_error, {path.string(), "process " + std::to_string(child.id())},
              [&] { static_cast<void>(VectorJournal::open(path, model)); });
  CHECK(child.kill());
  const auto journal = open_journal(path, model);
  CHECK(count_found(*journal, model, 0, 5) == 5);
  check_error(Status::io_error, {"process " + std::to_string(::getpid())}, [&] { static_cast<void>(VectorJournal::open(path, model)); });
  CHECK(Child([&] {
          try {
            static_cast<void>(VectorJournal::open(path, model, VectorJournal::Existing::discard));
          } catch (const Error& error) {
            return error.status() == Status::io_error ? 1 : 2;
          }
          return 0;
        }).wait() == 1);
  CHECK(count_found(*journal, model, 0, 5) == 5);
}

TEST_CASE("a process killed at any moment loses nothing that insert returned from, 220 times") {
  constexpr std::size_t each = 2000;
  constexpr int rounds_of_one_file = 10;
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(96);
  const std::vector<CacheEntry> entries = cache_entries(model, 0, each * rounds_of_one_file);
  std::vector<std::string> keys;
  for (const CacheEntry& entry : entries) keys.push_back(entry.key);
  const fs::path path = folder / "x";
  std::mt19937 random(20);
  std::size_t kept = 0;     // of the children before
  std::size_t midways = 0;  // children that were killed between their first insert and their last
  for (int round = 0; round < 220; ++round) {
    if (round % rounds_of_one_file == 0) {
      fs::remove(path);
      kept = 0;
    }
    SharedNumber returned;
    const std::size_t end = kept + each;
    Child child([&] {
      std::mt19937 sizes(static_cast<std::uint32_t>(round));
      const auto journal = VectorJournal::open(path, model).journal;
      for (std::size_t next = kept; next < end;) {
        const std::size_t count = std::min<std::size_t>(end - next, 1 + sizes() % 20);
        journal->insert(model, std::span(entries).subspan(next, count));
        next += count;
        *returned = next - kept;
      }
      while (true) ::pause();
      return 0;
    });
    REQUIRE(returned.wait_for(random() % 4 == 0 ? 0 : random() % each));  // of four children one is killed while it opens the journal
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
    REQUIRE(child.kill());
    if (*returned > 0 && *returned < each) ++midways;

    const LogCapture log;
    const auto journal = open_journal(path, model);
    CHECK(log.warnings().size() == log.count("cut off"));
    const std::size_t found = journal->statistics().entries;  // those of an insert that was under way, too
    REQUIRE(found >= kept + *returned);
    REQUIRE(found <= end);
    std::vector<float> vectors(found * model.dimension);
    const std::vector<bool> known = journal->find(model, std::span(keys).first(found), vectors);
    REQUIRE(std::ranges::count(known, true) == static_cast<std::ptrdiff_t>(found));
    for (std::size_t i = 0; i < found; ++i) {
      REQUIRE(std::memcmp(vectors.data() + i * model.dimension, entries[i].vector.data(), model.dimension * sizeof(float)) == 0);
    }
    kept = found;
  }
  INFO(midways);
  CHECK(midways > 100);
}

TEST_CASE("a full disk is told once, costs only what could not be written, and is over when there is room again") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4);
  const fs::path path = folder / "x";
  const LogCapture log;
  {
    const auto journal = open_journal(path, model);
    insert(*journal, model, 0, 5);
    {
      const FileSizeLimit limit(header_bytes + 8 * record_bytes(model) + 11);
      insert(*journal, model, 5, 10);  // of which 3 have room
      CHECK_FALSE(journal->statistics().persistent);
      CHECK(fs::file_size(path) == header_bytes + 8 * record_bytes(model));
      CHECK(count_found(*journal, model, 0, 20) == 8);
      insert(*journal, model, 8, 10);
      journal->flush();
      CHECK_FALSE(journal->statistics().persistent);
    }
    CHECK(log.warnings().size() == 1);
    CHECK(log.count(path.string()) == 1);
    insert(*journal, model, 15, 5);
    CHECK(journal->statistics().persistent);
    CHECK(count_found(*journal, model, 0, 20) == 13);
  }
  const auto journal = open_journal(path, model);
  CHECK(count_found(*journal, model, 0, 20) == 13);
  CHECK(log.warnings().size() == 1);
  const FileSizeLimit limit(100);
  check_error(Status::io_error, {"y"}, [&] { static_cast<void>(VectorJournal::open(folder / "y", model)); });
}

TEST_CASE("a journal that is deleted or written by others meanwhile is told, and the run goes on") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(4);
  const LogCapture log;
  const auto journal = open_journal(folder / "x", model);
  insert(*journal, model, 0, 5);
  SECTION("deleted") { fs::remove(folder / "x"); }
  SECTION("written") { std::ofstream(folder / "x", std::ios::binary | std::ios::app) << "more"; }
  insert(*journal, model, 5, 5);
  insert(*journal, model, 10, 5);
  CHECK(log.warnings().size() == 1);
  CHECK_FALSE(journal->statistics().persistent);
  CHECK(count_found(*journal, model, 0, 15) == 5);
}

TEST_CASE("a read-only folder is an error of opening") {
  const TemporaryFolder folder;
  if (::geteuid() == 0) return;  // whom no mode keeps out
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  check_error(Status::io_error, {"x"}, [&] { static_cast<void>(VectorJournal::open(folder / "x", cache_test_model())); });
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("threads that insert and find at once see each vector whole or not at all") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(32);
  constexpr std::size_t each = 1000;
  constexpr std::size_t writers = 4;
  const auto journal = open_journal(folder / "x", model);
  std::vector<CacheEntry> entries = cache_entries(model, 0, each * writers);
  std::map<std::string, std::vector<float>> expected;
  std::vector<std::string> keys;
  for (const CacheEntry& entry : entries) {
    expected.emplace(entry.key, entry.vector);
    keys.push_back(entry.key);
  }
  std::atomic<std::size_t> wrong = 0;
  std::atomic<std::size_t> lost = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t writer = 0; writer < writers; ++writer) {
      threads.emplace_back([&, writer] {
        std::vector<float> vectors(10 * model.dimension);
        for (std::size_t next = writer * each; next < (writer + 1) * each; next += 10) {
          journal->insert(model, std::span(entries).subspan(next, 10));
          const auto known = journal->find(model, std::span(keys).subspan(next, 10), vectors);
          lost += static_cast<std::size_t>(std::ranges::count(known, false));
        }
      });
    }
    for (int reader = 0; reader < 2; ++reader) {
      threads.emplace_back([&] {
        std::vector<float> vectors(keys.size() * model.dimension);
        for (int pass = 0; pass < 20; ++pass) {
          const auto known = journal->find(model, keys, vectors);
          for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto row = std::span(vectors).subspan(i * model.dimension, model.dimension);
            if (known[i] && !std::ranges::equal(row, expected.at(keys[i]))) ++wrong;
          }
          static_cast<void>(journal->statistics());
          journal->flush();
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK(lost == 0);
  CHECK(journal->statistics().entries == keys.size());
  CHECK(journal->verify().entries == keys.size());
}

TEST_CASE("100,000 entries are kept and found again") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(16);
  {
    const auto journal = open_journal(folder / "x", model);
    for (std::size_t first = 0; first < 100'000; first += 1000) insert(*journal, model, first, 1000);
    CHECK(journal->statistics().entries == 100'000);
  }
  const auto journal = open_journal(folder / "x", model);
  CHECK(count_found(*journal, model, 0, 100'000) == 100'000);
  CHECK(count_found(*journal, model, 100'000, 1000) == 0);
}

TEST_CASE("1,000,000 keys are indexed in less than 60 MB") {
  const TemporaryFolder folder;
  const CacheModel model = cache_test_model(1);
  {
    const auto journal = open_journal(folder / "x", model);
    std::vector<CacheEntry> entries(1000);
    for (std::size_t first = 0; first < 1'000'000; first += entries.size()) {
      for (std::size_t i = 0; i < entries.size(); ++i)
        entries[i] = {.key = cache_key(first + i), .vector = {static_cast<float>(first + i)}};
      journal->insert(model, entries);
    }
  }
  SharedNumber bytes;
  platform::release_free_memory();  // which the child would use first
  CHECK(Child([&] {
          const std::size_t before = platform::peak_resident_bytes();
          const auto journal = VectorJournal::open(folder / "x", model).journal;
          std::vector<float> vector(1);
          for (std::size_t i = 0; i < 1'000'000; i += 1000) {
            const std::string key = cache_key(i);
            if (!journal->find(model, {&key, 1}, vector).front() || vector[0] != static_cast<float>(i)) return 1;
          }
          *bytes = platform::peak_resident_bytes() - before;
          return journal->statistics().entries == 1'000'000 ? 0 : 2;
        }).wait() == 0);
  INFO(*bytes);
  CHECK(*bytes > 16'000'000);
  CHECK(*bytes < 60'000'000);
}
