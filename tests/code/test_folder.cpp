#include <sys/stat.h>
#include <unistd.h>

#include <inlay/corpus.hpp>
#include <inlay/error.hpp>
#include <map>

#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace inlay;
using inlay::test::TemporaryFolder;
using inlay::test::write;
namespace fs = std::filesystem;

namespace {

struct Reading {
  std::vector<std::string> paths;
  std::vector<Document> documents;
  std::map<std::string, std::string> skipped;
};

Reading read(const fs::path& folder, std::size_t max_file_bytes = 1000) {
  Reading reading;
  reading.documents = read_corpus(folder, {.max_file_bytes = max_file_bytes, .on_skip = [&](const fs::path& path, std::string_view reason) {
                                             reading.skipped[path.lexically_relative(folder).string()] = reason;
                                           }});
  for (const Document& document : reading.documents) reading.paths.push_back(document.metadata.file_path);
  return reading;
}

}  // namespace

TEST_CASE("a folder's text files become documents in the order of their paths' bytes") {
  const TemporaryFolder folder;
  for (const char* name : {"a/b.py", "a.txt", "a/a/c.go", "Z.md", "a-b.c", "README", "dir.d/x.KT"}) write(folder / name, "text\n");
  const Reading reading = read(folder.path());
  CHECK(reading.paths == std::vector<std::string>{"README", "Z.md", "a-b.c", "a.txt", "a/a/c.go", "a/b.py", "dir.d/x.KT"});
  CHECK(reading.skipped.empty());
  CHECK(reading.documents[5].metadata ==
        Metadata{.file_path = "a/b.py", .file_name = "b.py", .file_type = "python", .language = "python", .line_number = 1});
  CHECK(reading.documents[6].metadata.language == "kotlin");
  CHECK(reading.documents[0].metadata.file_type.empty());
}

TEST_CASE("what is left out is told with its reason") {
  const TemporaryFolder folder;
  write(folder / ".gitignore", "*.log\nout/\n");
  write(folder / "kept.c", "int x;");
  write(folder / "a.log", "x");
  write(folder / "out/deep/file.c", "x");
  write(folder / ".hidden/file.c", "x");
  write(folder / "binary.c", std::string("a\0b", 3));
  write(folder / "late.c", std::string(8000, 'a') + '\0');
  write(folder / "large.c", std::string(10'001, 'a'));
  write(folder / "exact.c", std::string(10'000, 'a'));
  write(folder / "blank.py", " \n\t\r\n");
  write(folder / "none.py", "");
  fs::create_directory_symlink(".", folder / "loop");
  fs::create_symlink("kept.c", folder / "link.c");
  fs::create_symlink("nowhere", folder / "dangling.c");
  REQUIRE(::mkfifo((folder / "pipe.c").c_str(), 0600) == 0);
  const Reading reading = read(folder.path(), 10'000);
  CHECK(reading.paths == std::vector<std::string>{"exact.c", "kept.c", "late.c"});
  CHECK(reading.skipped == std::map<std::string, std::string>{{".gitignore", "hidden"},
                                                              {".hidden", "hidden"},
                                                              {"a.log", "ignored"},
                                                              {"out", "ignored"},
                                                              {"binary.c", "binary"},
                                                              {"large.c", "too large"},
                                                              {"blank.py", "empty"},
                                                              {"none.py", "empty"},
                                                              {"loop", "symbolic link"},
                                                              {"link.c", "symbolic link"},
                                                              {"dangling.c", "symbolic link"},
                                                              {"pipe.c", "special file"}});
}

TEST_CASE("files and folders that may not be read are left out, and the rest is read") {
  if (::geteuid() == 0) {
    WARN("skipped: root may read everything");
    return;
  }
  const TemporaryFolder folder;
  write(folder / "a.c", "x");
  fs::permissions(write(folder / "secret.c", "x"), fs::perms::none);
  write(folder / "closed/b.c", "x");
  fs::permissions(folder / "closed", fs::perms::none);
  const Reading reading = read(folder.path());
  fs::permissions(folder / "closed", fs::perms::owner_all);
  CHECK(reading.paths == std::vector<std::string>{"a.c"});
  CHECK_THAT(reading.skipped.at("secret.c"), Catch::Contains("Permission denied"));
  CHECK_THAT(reading.skipped.at("closed"), Catch::Contains("Permission denied"));
}

TEST_CASE("names and contents that are not UTF-8 become UTF-8") {
  const TemporaryFolder folder;
  write(folder / "caf\xE9.py", "# caf\xE9\n");
  const Reading reading = read(folder.path());
  CHECK(reading.paths == std::vector<std::string>{"caf\xEF\xBF\xBD.py"});
  CHECK(reading.documents[0].content == "# caf\xEF\xBF\xBD\n");
  CHECK(reading.documents[0].metadata.language == "python");
}

TEST_CASE("a tree deeper than a process has file descriptors is read") {
  const TemporaryFolder folder;
  fs::path deep = folder.path();
  for (int level = 0; level < 1500; ++level) fs::create_directory(deep /= "d");
  write(deep / "a.c", "x");
  CHECK(read(folder.path()).paths.size() == 1);
}

TEST_CASE("the folder that is asked for is read whatever stands above it; a link to it is followed") {
  const TemporaryFolder folder;
  fs::create_directory(folder / ".git");
  write(folder / ".gitignore", "/out/\n*.o\n");
  write(folder / "out/a.c", "x");
  write(folder / "out/a.o", "x");
  fs::create_directory_symlink("out", folder / "link");
  CHECK(read(folder / "out").paths == std::vector<std::string>{"a.c"});
  CHECK(read(folder / "link").paths == std::vector<std::string>{"a.c"});
}
