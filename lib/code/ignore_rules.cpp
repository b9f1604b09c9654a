#include "code/ignore_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "inlay/error.hpp"
#include "platform/files.hpp"

namespace inlay::code {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_file = 1u << 24;  // a .gitignore that is larger is none
constexpr std::size_t longest_rule = 8192;      // twice the longest path
constexpr std::string_view special = "*?[\\";

// The POSIX classes of ASCII, as the C locale has them.
bool in_class(std::string_view name, unsigned char c, bool& known) {
  const bool lower = c >= 'a' && c <= 'z';
  const bool upper = c >= 'A' && c <= 'Z';
  const bool digit = c >= '0' && c <= '9';
  const bool graph = c > ' ' && c < 0x7F;
  known = true;
  if (name == "alnum") return lower || upper || digit;
  if (name == "alpha") return lower || upper;
  if (name == "blank") return c == ' ' || c == '\t';
  if (name == "cntrl") return c < ' ' || c == 0x7F;
  if (name == "digit") return digit;
  if (name == "graph") return graph;
  if (name == "lower") return lower;
  if (name == "print") return graph || c == ' ';
  if (name == "punct") return graph && !lower && !upper && !digit;
  if (name == "space") return c == ' ' || (c >= '\t' && c <= '\r');
  if (name == "upper") return upper;
  if (name == "xdigit") return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  known = false;
  return false;
}

std::string_view without_trailing_spaces(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;  // an escaped space counts
      end = std::min(i + 1, line.size());
    } else if (line[i] != ' ') {
      end = i + 1;
    }
  }
  return line.substr(0, end);
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string read_rules(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(path, error)) || fs::file_size(path, error) > largest_file || error) return {};
  try {
    return platform::read_file(path);
  } catch (const Error&) {  // as git: a file of rules that cannot be read has none
    return {};
  }
}

// The folder of a repository's own files: .git itself, or what a worktree's .git file points to and shares.
fs::path common_git_folder(const fs::path& git) {
  std::error_code error;
  if (fs::is_directory(git, error)) return git;
  const auto first_line = [](const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); };
  constexpr std::string_view label = "gitdir: ";
  const std::string link = read_rules(git);
  if (!link.starts_with(label)) return git;
  const fs::path own = git.parent_path() / first_line(link.substr(label.size()));
  const std::string common = first_line(read_rules(own / "commondir"));
  return common.empty() ? own : own / common;
}

bool is_repository(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / ".git", error);
}

}  // namespace

Glob::Glob(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size() && valid_; ++i) {
    const char c = pattern[i];
    if (c == '?') {
      tokens_.push_back({Kind::any});
    } else if (c == '[') {
      valid_ = parse_set(pattern, i);
    } else if (c == '\\') {
      valid_ = ++i < pattern.size();
      if (valid_) tokens_.push_back({Kind::byte, static_cast<unsigned char>(pattern[i])});
    } else if (c == '*') {
      const std::size_t begin = i;
      while (i + 1 < pattern.size() && pattern[i + 1] == '*') ++i;
      const std::string_view rest = pattern.substr(i + 1);
      const bool alone = (begin == 0 || pattern[begin - 1] == '/') && (rest.empty() || rest.starts_with('/') || rest.starts_with("\\/"));
      if (i > begin && alone) {
        if (rest.starts_with('/')) tokens_.push_back({Kind::skip});
        tokens_.push_back({Kind::star_star});
      } else {
        tokens_.push_back({Kind::star});
      }
    } else {
      tokens_.push_back({Kind::byte, static_cast<unsigned char>(c)});
    }
  }
}

// From '[' at `position` to its ']', where it leaves position. False: it has no end, or names a class that there is not.
bool Glob::parse_set(std::string_view pattern, std::size_t& position) {
  ByteSet set;
  const auto at = [&](std::size_t i) { return i < pattern.size() ? static_cast<unsigned char>(pattern[i]) : 0; };
  std::size_t i = position + 1;
  const bool negated = at(i) == '!' || at(i) == '^';
  if (negated) ++i;
  unsigned previous = 0;  // what a '-' would begin a range with; 0: nothing
  for (bool first = true; first || at(i) != ']'; first = false, ++i) {
    unsigned c = at(i);
    if (c == 0) return false;
    if (c == '\\') {
      c = at(++i);
      if (c == 0) return false;
      set.insert(static_cast<unsigned char>(c));
    } else if (c == '-' && previous != 0 && at(i + 1) != 0 && at(i + 1) != ']') {
      unsigned last = at(++i);
      if (last == '\\') last = at(++i);
      if (last == 0) return false;
      for (unsigned byte = previous; byte <= last; ++byte) set.insert(static_cast<unsigned char>(byte));
      c = 0;
    } else if (c == '[' && at(i + 1) == ':') {
      const std::size_t end = pattern.find(']', i + 2);
      if (end == std::string_view::npos) return false;
      if (end > i + 2 && at(end - 1) == ':') {
        const std::string_view name = pattern.substr(i + 2, end - 1 - (i + 2));
        bool known = false;
        for (unsigned byte = 0; byte < 256; ++byte) {
          if (in_class(name, static_cast<unsigned char>(byte), known)) set.insert(static_cast<unsigned char>(byte));
        }
        if (!known) return false;
        i = end;
        c = 0;
      } else {
        set.insert('[');
      }
    } else {
      set.insert(static_cast<unsigned char>(c));
    }
    previous = c;
  }
  if (negated) {
    for (std::uint64_t& bits : set.bits) bits = ~bits;
  }
  set.bits[0] &= ~(std::uint64_t{1} << '/');
  tokens_.push_back({Kind::set, 0, sets_.size()});
  sets_.push_back(set);
  position = i;
  return true;
}

// Runs all the ways through the pattern at once: states[i] says that tokens before i can have matched the text so far.
bool Glob::matches(std::string_view text) const {
  if (!valid_) return false;
  const std::size_t end = tokens_.size();
  std::vector<char> states(end + 1, 0);
  std::vector<char> next(end + 1, 0);
  const auto add = [&](std::vector<char>& set, std::size_t state, const auto& self) -> void {
    if (set[state] != 0) return;
    set[state] = 1;
    if (state == end) return;
    const Kind kind = tokens_[state].kind;
    if (kind == Kind::star || kind == Kind::star_star || kind == Kind::skip) self(set, state + 1, self);
    if (kind == Kind::skip) self(set, state + 3, self);
  };
  add(states, 0, add);
  for (const char letter : text) {
    const auto c = static_cast<unsigned char>(letter);
    bool alive = false;
    for (std::size_t state = 0; state < end; ++state) {
      if (states[state] == 0) continue;
      const Token& token = tokens_[state];
      const bool stays = token.kind == Kind::star_star || (token.kind == Kind::star && c != '/');
      const bool goes = (token.kind == Kind::byte && token.byte == c) || (token.kind == Kind::any && c != '/') ||
                        (token.kind == Kind::set && sets_[token.set].contains(c));
      if (stays) add(next, state, add);
      if (goes) add(next, state + 1, add);
      alive = alive || stays || goes;
    }
    if (!alive) return false;
    states.swap(next);
    std::ranges::fill(next, 0);
  }
  return states[end] != 0;
}

IgnoreFile::IgnoreFile(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = line.substr(0, line.find('\0'));
    if (!line.empty() && line.front() != '#') add(line, rules_);
  }
}

void IgnoreFile::add(std::string_view line, std::vector<Rule>& rules) {
  line = without_trailing_spaces(line);
  if (line.size() > longest_rule) return;
  Rule rule;
  if (line.starts_with('!')) {
    rule.negated = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    rule.folders_only = true;
    line.remove_suffix(1);
  }
  rule.base_name = line.find('/') == std::string_view::npos;
  if (line.empty()) return;
  if (rule.base_name && line.front() == '*' && line.find_first_of(special, 1) == std::string_view::npos) {
    rule.ends_with = true;
    rule.literal = line.substr(1);
  } else {
    if (line.starts_with('/')) line.remove_prefix(1);
    const std::size_t wild = std::min(line.find_first_of(special), line.size());
    // A rule for the last part is one pattern to git; of a path's rule it first takes off what stands before the wildcard.
    const std::size_t literal = rule.base_name && wild < line.size() ? 0 : wild;
    rule.literal = line.substr(0, literal);
    if (literal < line.size()) rule.glob = std::make_unique<Glob>(line.substr(literal));
  }
  rules.push_back(std::move(rule));
}

Verdict IgnoreFile::match(std::string_view path, bool is_folder) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->folders_only && !is_folder) continue;
    std::string_view text = rule->base_name ? last_part(path) : path;
    bool matched = false;
    if (rule->ends_with) {
      matched = text.ends_with(rule->literal);
    } else if (text.starts_with(rule->literal)) {
      text.remove_prefix(rule->literal.size());
      matched = rule->glob == nullptr ? text.empty() : rule->glob->matches(text);
    }
    if (matched) return rule->negated ? Verdict::included : Verdict::ignored;
  }
  return Verdict::none;
}

IgnoreRules::IgnoreRules(const fs::path& folder) {
  std::error_code error;
  fs::path place = fs::canonical(folder, error);
  if (error) place = folder;
  std::vector<fs::path> above = {place};  // from the folder up to its repository's root
  while (!is_repository(above.back()) && above.back().has_relative_path()) above.push_back(above.back().parent_path());
  if (!is_repository(above.back())) above = {place};
  for (auto level = above.rbegin(); level != above.rend(); ++level) push(*level, level == above.rbegin() ? "" : level->filename().native());
}

void IgnoreRules::enter(const fs::path& folder, std::string_view name) { push(folder, name); }

void IgnoreRules::leave() { levels_.pop_back(); }

void IgnoreRules::push(const fs::path& folder, std::string_view name) {
  const bool repository = is_repository(folder);
  levels_.push_back({std::string(name), repository,
                     IgnoreFile(read_rules(folder / ".gitignore") + "\n" + read_rules(folder / ".inlayignore")),
                     IgnoreFile(repository ? read_rules(common_git_folder(folder / ".git") / "info" / "exclude") : std::string())});
}

bool IgnoreRules::ignores(std::string_view name, bool is_folder) const {
  std::string path(name);  // relative to the level that is asked
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    const Verdict verdict = level->rules.match(path, is_folder);
    if (verdict != Verdict::none) return verdict == Verdict::ignored;
    if (level->repository) return level->exclude.match(path, is_folder) == Verdict::ignored;
    path.insert(0, level->name + "/");
  }
  return false;
}

}  // namespace inlay::code
