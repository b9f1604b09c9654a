// The ignore rules against git itself, over generated trees: each file and folder of a tree must get git check-ignore's verdict.
#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "code/ignore_rules.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace inlay;
using inlay::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(engine_); }
  template <typename Values>
  const auto& pick(const Values& values) {
    return values[below(std::size(values))];
  }

 private:
  std::mt19937 engine_;
};

const std::string names[] = {"a",  "b",   "ab", "abc", "a.o",  "b.o", "foo",      "bar", "foo.txt", "#x",
                             "!x", "a b", "x ", "[a]", "a\\b", "a*",  "\xC3\xA9", "-",   "]"};
const std::string pieces[] = {"a",    "b",    "ab",   "c",      "foo",         "bar",        ".o", ".txt",  "*",     "**",  "?",   "[a-c]",
                              "[!a]", "[^b]", "[]a]", "[a\\]]", "[[:alpha:]]", "[[:nope:]]", "[a", "[z-a]", "\\*",   "\\a", "\\#", "\\!",
                              "\\ ",  " ",    "#x",   "!x",     "\xC3\xA9",    "[\xC3\xA9]", "x",  "-",     "[--a]", "[a-]"};

std::string pattern(Random& random) {
  std::string text;
  if (random.chance(0.2)) text += '!';
  if (random.chance(0.2)) text += '/';
  const std::size_t parts = 1 + random.below(3);
  for (std::size_t part = 0; part < parts; ++part) {
    if (part > 0) text += random.chance(0.05) ? "\\/" : "/";
    if (random.chance(0.25)) {
      text += random.chance(0.5) ? "**" : "*";
    } else if (random.chance(0.4)) {
      text += random.pick(names);
    } else {
      for (std::size_t count = 1 + random.below(3); count > 0; --count) text += random.pick(pieces);
    }
  }
  if (random.chance(0.25)) text += '/';
  if (random.chance(0.1)) text += "  ";
  if (random.chance(0.05)) text += '\\';
  return text;
}

std::string rules(Random& random) {
  std::string text;
  if (random.chance(0.1)) text += "\xEF\xBB\xBF";
  const std::size_t lines = 1 + random.below(5);
  for (std::size_t line = 0; line < lines; ++line) {
    if (random.chance(0.1)) text += "# comment\n\n";
    text += pattern(random);
    if (random.chance(0.1)) text += '\r';
    if (line + 1 < lines || random.chance(0.8)) text += '\n';
  }
  return text;
}

void make_tree(Random& random, const fs::path& folder, std::size_t depth) {
  if (random.chance(depth == 0 ? 0.9 : 0.3)) test::write(folder / ".gitignore", rules(random));
  for (std::size_t entry = 2 + random.below(4); entry > 0; --entry) {
    const fs::path path = folder / random.pick(names);
    if (fs::exists(path)) continue;
    if (depth < 3 && random.chance(0.55)) {
      fs::create_directory(path);
      make_tree(random, path, depth + 1);
    } else {
      test::write(path, "x");
    }
  }
}

// What our walk says of each path; below an ignored folder everything is.
void collect(const fs::path& folder, code::IgnoreRules& ignore, bool parent_ignored, const std::string& prefix,
             std::map<std::string, bool>& verdicts) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().native();
    if (name == ".git") continue;
    const bool ignored = parent_ignored || ignore.ignores(name, entry.is_directory());
    verdicts[prefix + name] = ignored;
    if (!entry.is_directory()) continue;
    if (!ignored) ignore.enter(entry.path(), name);
    collect(entry.path(), ignore, ignored, prefix + name + "/", verdicts);
    if (!ignored) ignore.leave();
  }
}

int run(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::set<std::string> git_ignored(const fs::path& repository, const std::map<std::string, bool>& paths, const fs::path& scratch) {
  std::string input;
  for (const auto& [path, ignored] : paths) input += path + '\0';
  test::write(scratch / "paths", input);
  const int status =
      run(fmt::format("cd '{}' && GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null XDG_CONFIG_HOME=/nonexistent HOME=/nonexistent "
                      "git check-ignore --no-index -z --stdin <'{}' >'{}'",
                      repository.string(), (scratch / "paths").string(), (scratch / "ignored").string()));
  REQUIRE((status == 0 || status == 1));
  std::set<std::string> result;
  const std::string output = test::read(scratch / "ignored");
  for (std::size_t begin = 0; begin < output.size();) {
    const std::size_t end = output.find('\0', begin);
    result.insert(output.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

std::string show_rules(const fs::path& repository) {
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator(repository)) {
    if (entry.path().filename() == ".gitignore")
      text += fmt::format("--- {}\n{}\n", entry.path().lexically_relative(repository).string(), test::read(entry.path()));
  }
  return text + "--- exclude\n" + test::read(repository / ".git/info/exclude");
}

struct Counts {
  std::size_t paths = 0;
  std::size_t ignored = 0;
};

void compare(unsigned seed, Counts& counts) {
  Random random(seed);
  const TemporaryFolder folder;
  const fs::path repository = folder / "repository";
  REQUIRE(run(fmt::format("git init -q '{}'", repository.string())) == 0);
  fs::create_directories(repository / ".git/info");
  test::write(repository / ".git/info/exclude", random.chance(0.5) ? rules(random) : "");
  make_tree(random, repository, 0);
  std::map<std::string, bool> verdicts;
  code::IgnoreRules ignore(repository);
  collect(repository, ignore, false, {}, verdicts);
  if (verdicts.empty()) return;
  const std::set<std::string> expected = git_ignored(repository, verdicts, folder.path());
  counts.paths += verdicts.size();
  counts.ignored += expected.size();
  for (const auto& [path, ignored] : verdicts) {
    if (ignored != expected.contains(path)) {
      INFO("seed " << seed << ", " << path << (ignored ? " is ignored by us, not by git" : " is ignored by git, not by us") << "\n"
                   << show_rules(repository));
      CHECK(false);
    }
  }
}

}  // namespace

TEST_CASE("generated trees are ignored as git ignores them") {
  if (run("git --version >/dev/null 2>&1") != 0) {
    WARN("skipped: git is not installed");
    return;
  }
  const char* wanted = std::getenv("INLAY_GIT_TREES");
  const unsigned trees = wanted == nullptr ? 200 : static_cast<unsigned>(std::atoi(wanted));
  Counts counts;
  for (unsigned seed = 0; seed < trees; ++seed) compare(seed, counts);
  CHECK(counts.ignored > counts.paths / 5);  // else the trees would prove little
  CHECK(counts.ignored < counts.paths * 4 / 5);
}

TEST_CASE("a walk that starts below the repository's root knows the rules above it") {
  const TemporaryFolder folder;
  fs::create_directory(folder / ".git");
  test::write(folder / ".git/info/exclude", "secret\n");
  test::write(folder / ".gitignore", "*.o\n/src/lib/gen\n");
  test::write(folder / "src/.gitignore", "!keep.o\n");
  fs::create_directories(folder / "src/lib");
  const code::IgnoreRules rules(folder / "src/lib");
  CHECK(rules.ignores("a.o", false));
  CHECK(rules.ignores("gen", true));
  CHECK(rules.ignores("secret", false));
  CHECK_FALSE(rules.ignores("keep.o", false));
  CHECK_FALSE(rules.ignores("a.c", false));
}

TEST_CASE("a worktree's rules come from the repository that it belongs to") {
  const TemporaryFolder folder;
  test::write(folder / "main/.git/info/exclude", "secret\n");
  test::write(folder / "main/.git/worktrees/w/commondir", "../..\n");
  test::write(folder / "w/.git", "gitdir: " + (folder / "main/.git/worktrees/w").string() + "\n");
  CHECK(code::IgnoreRules(folder / "w").ignores("secret", false));
}
