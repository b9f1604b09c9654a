// .gitignore files, with git's semantics (gitignore(5), wildmatch): the last matching rule of the deepest file decides, '!' takes back, '/'
// anchors, '**' crosses folders, a trailing '/' means folders only, .git/info/exclude comes last. What lies in an ignored folder is never
// looked at, so nothing below it can be taken back. A folder's .inlayignore is read as if it were the end of its .gitignore. Left out: the
// user's global excludes, and git's index (a tracked file that a rule matches is ignored here).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::code {

/// One rule's glob, matched in time proportional to pattern × text whatever the pattern. Bytes, not characters, as git does.
class Glob {
 public:
  explicit Glob(std::string_view pattern);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  enum class Kind : std::uint8_t {
    byte,
    any,
    set,
    star,
    star_star,
    skip
  };  // skip: may leave out this, the star_star and the '/' behind it
  struct Token {
    Kind kind;
    unsigned char byte = 0;
    std::size_t set = 0;
  };
  struct ByteSet {
    std::uint64_t bits[4] = {};
    void insert(unsigned char byte) { bits[byte / 64] |= std::uint64_t{1} << (byte % 64); }
    [[nodiscard]] bool contains(unsigned char byte) const { return (bits[byte / 64] >> (byte % 64) & 1) != 0; }
  };

  bool parse_set(std::string_view pattern, std::size_t& position);

  std::vector<Token> tokens_;
  std::vector<ByteSet> sets_;
  bool valid_ = true;
};

enum class Verdict { none, ignored, included };

/// The rules of one file.
class IgnoreFile {
 public:
  explicit IgnoreFile(std::string_view text);

  /// `path` is relative to the folder that the file stands in, with '/'.
  [[nodiscard]] Verdict match(std::string_view path, bool is_folder) const;
  [[nodiscard]] bool empty() const noexcept { return rules_.empty(); }

 private:
  struct Rule {
    bool negated = false;
    bool folders_only = false;
    bool base_name = false;        // no '/' in it: matched against the last part of the path
    bool ends_with = false;        // "*literal" against the last part
    std::string literal{};         // what stands before the first wildcard (of ends_with: behind the '*')
    std::unique_ptr<Glob> glob{};  // the rest; null: there is none
  };
  static void add(std::string_view line, std::vector<Rule>& rules);

  std::vector<Rule> rules_;
};

/// The rules in force while folders are walked from the top: a stack, one level per folder.
class IgnoreRules {
 public:
  /// Starts at `folder`, with the rules of the folders above it up to the root of its repository, if it is in one.
  explicit IgnoreRules(const std::filesystem::path& folder);

  /// Goes down into a folder of the current one, and back. A folder with a .git of its own begins a new repository.
  void enter(const std::filesystem::path& folder, std::string_view name);
  void leave();

  /// Whether an entry of the current folder is ignored.
  [[nodiscard]] bool ignores(std::string_view name, bool is_folder) const;

 private:
  struct Level {
    std::string name;         // of the folder in its parent; empty for the first
    bool repository = false;  // rules above don't count
    IgnoreFile rules;
    IgnoreFile exclude;  // .git/info/exclude, of a repository's root
  };
  void push(const std::filesystem::path& folder, std::string_view name);

  std::vector<Level> levels_;
};

}  // namespace inlay::code
