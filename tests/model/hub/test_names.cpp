#include <set>
#include <string>

#include "inlay/hub.hpp"
#include "model/hub/names.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::model::hub;

TEST_CASE("an alias, a short name and a full name are one model") {
  const std::string name = "sentence-transformers/all-MiniLM-L6-v2";
  CHECK(hub_name("minilm") == name);
  CHECK(hub_name("all-MiniLM-L6-v2") == name);
  CHECK(hub_name(name) == name);
  CHECK(hub_name("codebert") == "microsoft/codebert-base");
  CHECK(hub_name("somebody/something") == "somebody/something");
  CHECK(hub_name("codebert-base") == "codebert-base");  // short names are sentence-transformers' alone
  CHECK(hub_name("gpt2") == "gpt2");                    // the hub has a few without organisation
}

TEST_CASE("repository names are judged as huggingface_hub does") {
  // Verdicts of huggingface_hub 2.4's validate_repo_id.
  for (const char* name : {"foo", "foo/bar", "123", "Foo-BAR_foo.bar123", "a/b", "_a/b_", "a/-b-c", "microsoft/codebert-base"}) {
    CAPTURE(name);
    CHECK(is_repository_name(name) == (std::string(name) != "a/-b-c"));
  }
  const std::string longest(96, 'a');
  CHECK(is_repository_name(longest));
  for (const std::string& name : {std::string(),
                                  std::string("/"),
                                  std::string("a/"),
                                  std::string("/a"),
                                  std::string("../x"),
                                  std::string("a/.."),
                                  std::string("a/b/c"),
                                  std::string(".repo_id"),
                                  std::string("foo--bar"),
                                  std::string("foo.git"),
                                  std::string("other..repo..id"),
                                  std::string("a b"),
                                  std::string("a\nb"),
                                  std::string("a\0b", 3),
                                  std::string("\xc3\xa9"),
                                  std::string("a\\b"),
                                  std::string("-a"),
                                  std::string("a-"),
                                  std::string("a:b"),
                                  std::string("a%2fb"),
                                  std::string("a?b"),
                                  std::string("a#b"),
                                  longest + "a",
                                  std::string(1 << 20, 'a')}) {
    CAPTURE(name.substr(0, 100));
    CHECK(!is_repository_name(name));
    test::check_error(Status::invalid_argument, {"is not a model's name"}, [&] { static_cast<void>(hub_name(name)); });
  }
}

TEST_CASE("known models are well-formed, and each name is there once") {
  std::set<std::string_view> seen;
  for (const KnownModel& model : known_models()) {
    CAPTURE(std::string(model.alias));
    CHECK(is_repository_name(model.name));
    CHECK(hub_name(model.alias) == model.name);
    CHECK(seen.insert(model.alias).second);
    CHECK(seen.insert(model.name).second);
    CHECK((model.dimension > 0 && model.max_sequence_length > 0 && model.megabytes > 0 && !model.good_for.empty()));
  }
}

TEST_CASE("revisions may be branches, tags, pull requests and commits, and nothing that leads elsewhere") {
  CHECK(checked_revision("") == "main");
  for (const char* revision : {"main", "v1.0", "refs/pr/1", "1234567890123456789012345678901234567890", "feature/a-b_c"}) {
    CHECK(checked_revision(revision) == revision);
  }
  for (const std::string& revision :
       {std::string(".."), std::string("../main"), std::string("a/../b"), std::string("/etc"), std::string("a//b"), std::string("a\\b"),
        std::string("a b"), std::string("a\n"), std::string("a?b=c"), std::string("a..b"), std::string("a/"), std::string(300, 'a')}) {
    CAPTURE(revision);
    test::check_error(Status::invalid_argument, {"is not a revision"}, [&] { static_cast<void>(checked_revision(revision)); });
  }
  CHECK(is_commit("0123456789abcdefabcdef012345678901234567"));
  CHECK(!is_commit("0123456789abcdefabcdef01234567890123456"));
  CHECK(!is_commit("0123456789abcdefabcdef01234567890123456g"));
  CHECK(!is_commit("0123456789ABCDEFABCDEF012345678901234567"));  // huggingface_hub takes it for a branch
}

TEST_CASE("file names stay below their folder") {
  for (const char* path : {"config.json", "1_Pooling/config.json", "a/b/c", "..a", "a..b", "...", " "}) CHECK(is_safe_path(path));
  for (const std::string& path : {std::string(), std::string("."), std::string(".."), std::string("/a"), std::string("a/"),
                                  std::string("a//b"), std::string("a/../b"), std::string("./a"), std::string("a\\b"), std::string("C:a"),
                                  std::string("a\nb"), std::string("a\0b", 3), std::string(256, 'a'), std::string("\x7f")}) {
    CAPTURE(path);
    CHECK(!is_safe_path(path));
  }
}

TEST_CASE("quoted text is one readable line") {
  CHECK(in_quotes("a\x1b[31m\xff") == "\"a\\x1b[31m\\xff\"");
  CHECK(in_quotes(std::string(1000, 'x')).size() < 130);
}
