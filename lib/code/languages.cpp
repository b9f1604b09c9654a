#include "code/languages.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace inlay::code {
namespace {

using Entry = std::pair<std::string_view, std::string_view>;

// Endings in lower case, sorted, so that they can be searched.
constexpr auto languages = std::to_array<Entry>({
    {"asm", "assembly"},
    {"bash", "bash"},
    {"bat", "batch"},
    {"bzl", "starlark"},
    {"c", "c"},
    {"c++", "cpp"},
    {"cc", "cpp"},
    {"cjs", "javascript"},
    {"clj", "clojure"},
    {"cljc", "clojure"},
    {"cljs", "clojure"},
    {"cmake", "cmake"},
    {"cpp", "cpp"},
    {"cs", "csharp"},
    {"cts", "typescript"},
    {"cu", "cuda"},
    {"cuh", "cuda"},
    {"cxx", "cpp"},
    {"d", "d"},
    {"dart", "dart"},
    {"el", "elisp"},
    {"erl", "erlang"},
    {"ex", "elixir"},
    {"exs", "elixir"},
    {"f", "fortran"},
    {"f03", "fortran"},
    {"f90", "fortran"},
    {"f95", "fortran"},
    {"fs", "fsharp"},
    {"fsx", "fsharp"},
    {"glsl", "glsl"},
    {"go", "go"},
    {"gradle", "groovy"},
    {"groovy", "groovy"},
    {"h", "c"},
    {"h++", "cpp"},
    {"hh", "cpp"},
    {"hpp", "cpp"},
    {"hrl", "erlang"},
    {"hs", "haskell"},
    {"hxx", "cpp"},
    {"inl", "cpp"},
    {"ipp", "cpp"},
    {"java", "java"},
    {"jl", "julia"},
    {"js", "javascript"},
    {"jsx", "javascript"},
    {"kt", "kotlin"},
    {"kts", "kotlin"},
    {"lisp", "lisp"},
    {"lua", "lua"},
    {"m", "objective-c"},
    {"mjs", "javascript"},
    {"ml", "ocaml"},
    {"mli", "ocaml"},
    {"mm", "objective-c++"},
    {"mts", "typescript"},
    {"nim", "nim"},
    {"nix", "nix"},
    {"pas", "pascal"},
    {"php", "php"},
    {"pl", "perl"},
    {"pm", "perl"},
    {"proto", "protobuf"},
    {"ps1", "powershell"},
    {"psm1", "powershell"},
    {"py", "python"},
    {"pyi", "python"},
    {"pyx", "cython"},
    {"r", "r"},
    {"rake", "ruby"},
    {"rb", "ruby"},
    {"rs", "rust"},
    {"s", "assembly"},
    {"sass", "sass"},
    {"sbt", "scala"},
    {"scala", "scala"},
    {"scm", "scheme"},
    {"sh", "bash"},
    {"sol", "solidity"},
    {"sql", "sql"},
    {"sv", "systemverilog"},
    {"svelte", "svelte"},
    {"swift", "swift"},
    {"tcl", "tcl"},
    {"tf", "terraform"},
    {"tpp", "cpp"},
    {"ts", "typescript"},
    {"tsx", "typescript"},
    {"v", "verilog"},
    {"vb", "vb"},
    {"vhd", "vhdl"},
    {"vhdl", "vhdl"},
    {"vim", "vim"},
    {"vue", "vue"},
    {"zig", "zig"},
    {"zsh", "zsh"},
});

// Kinds of text that no one programs in.
constexpr auto formats = std::to_array<Entry>({
    {"adoc", "asciidoc"}, {"cfg", "ini"},      {"css", "css"},     {"csv", "csv"},   {"htm", "html"},          {"html", "html"},
    {"ini", "ini"},       {"json", "json"},    {"jsonl", "jsonl"}, {"less", "less"}, {"markdown", "markdown"}, {"md", "markdown"},
    {"mdx", "markdown"},  {"ndjson", "jsonl"}, {"org", "org"},     {"rst", "rst"},   {"scss", "scss"},         {"svg", "svg"},
    {"tex", "tex"},       {"text", "text"},    {"toml", "toml"},   {"tsv", "tsv"},   {"txt", "text"},          {"xml", "xml"},
    {"yaml", "yaml"},     {"yml", "yaml"},
});

constexpr auto whole_names = std::to_array<Entry>({
    {"BUILD", "starlark"},
    {"CMakeLists.txt", "cmake"},
    {"Containerfile", "dockerfile"},
    {"Dockerfile", "dockerfile"},
    {"GNUmakefile", "make"},
    {"Gemfile", "ruby"},
    {"Jenkinsfile", "groovy"},
    {"Makefile", "make"},
    {"Rakefile", "ruby"},
    {"WORKSPACE", "starlark"},
    {"makefile", "make"},
});

static_assert(std::ranges::is_sorted(languages, {}, &Entry::first));
static_assert(std::ranges::is_sorted(formats, {}, &Entry::first));
static_assert(std::ranges::is_sorted(whole_names, {}, &Entry::first));

std::string_view find(const auto& table, std::string_view name) {
  const auto entry = std::ranges::lower_bound(table, name, {}, &Entry::first);
  return entry != table.end() && entry->first == name ? entry->second : std::string_view();
}

// The interpreter that a first line names, behind /usr/bin/env too, without its version.
std::string_view interpreter(std::string_view content) {
  if (!content.starts_with("#!")) return {};
  std::string_view line = content.substr(2, content.find('\n') - 2);
  std::string_view name;
  for (;;) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
    line.remove_prefix(word.size());
    if (word.starts_with('-') || word.find('=') != std::string_view::npos) continue;  // an option or a variable of env's
    name = word.substr(word.rfind('/') + 1);
    if (name != "env") break;
  }
  return name.substr(0, name.find_first_of("0123456789."));
}

constexpr auto interpreters = std::to_array<Entry>({
    {"bash", "bash"},
    {"dash", "bash"},
    {"ksh", "bash"},
    {"node", "javascript"},
    {"nodejs", "javascript"},
    {"php", "php"},
    {"pypy", "python"},
    {"python", "python"},
    {"ruby", "ruby"},
    {"sh", "bash"},
});
static_assert(std::ranges::is_sorted(interpreters, {}, &Entry::first));

// Whether a header is C++: one of its lines begins with what C does not have.
bool is_cpp(std::string_view content) {
  constexpr auto beginnings =
      std::to_array<std::string_view>({"namespace ", "template ", "template<", "class ", "using ", "public:", "private:", "protected:"});
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (std::ranges::any_of(beginnings, [&](std::string_view beginning) { return line.starts_with(beginning); })) return true;
    if (end == std::string_view::npos) break;
    content.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

std::string_view file_language(std::string_view file_name, std::string_view content) {
  const std::string_view language = file_kind(file_name).language;
  if (language == "c" && lower_ending(file_name) == "h" && is_cpp(content)) return "cpp";
  if (language.empty() && file_name.find('.', 1) == std::string_view::npos) return find(interpreters, interpreter(content));
  return language;
}

std::string lower_ending(std::string_view file_name) {
  const std::size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  std::string ending(file_name.substr(dot + 1));
  for (char& letter : ending) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return ending;
}

FileKind file_kind(std::string_view file_name) {
  if (const std::string_view language = find(whole_names, file_name); !language.empty()) return {language, language};
  const std::string ending = lower_ending(file_name);
  if (const std::string_view language = find(languages, ending); !language.empty()) return {language, language};
  return {find(formats, ending), {}};
}

}  // namespace inlay::code
