#include "code/languages.hpp"
#include "support/catch.hpp"

using namespace inlay::code;

TEST_CASE("a file's kind is told by its name") {
  for (const auto& [name, language] : {std::pair("a.py", "python"),
                                       {"a.c", "c"},
                                       {"a.cpp", "cpp"},
                                       {"A.HPP", "cpp"},
                                       {"a.java", "java"},
                                       {"a.js", "javascript"},
                                       {"a.ts", "typescript"},
                                       {"a.go", "go"},
                                       {"a.rs", "rust"},
                                       {"a.cs", "csharp"},
                                       {"a.rb", "ruby"},
                                       {"a.php", "php"},
                                       {"a.kt", "kotlin"},
                                       {"a.sh", "bash"},
                                       {"CMakeLists.txt", "cmake"},
                                       {"x.tar.cmake", "cmake"},
                                       {"Dockerfile", "dockerfile"},
                                       {"Makefile", "make"}}) {
    INFO(name);
    CHECK(file_kind(name).type == language);
    CHECK(file_kind(name).language == language);
  }
  CHECK(file_kind("README.md").type == "markdown");
  CHECK(file_kind("README.md").language.empty());
  CHECK(file_kind("notes.txt").type == "text");
  for (const char* name : {"", ".", "LICENSE", ".py", "a.", "a.unknown"}) {
    INFO(name);
    CHECK(file_kind(name).type.empty());
  }
}

TEST_CASE("an ending is what stands behind the last dot, in lower case") {
  CHECK(lower_ending("a.b.TXT") == "txt");
  CHECK(lower_ending("a.").empty());
  CHECK(lower_ending(".profile").empty());
  CHECK(lower_ending("Makefile").empty());
}
