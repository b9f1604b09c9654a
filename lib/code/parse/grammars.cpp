#include "code/parse/grammars.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "code/languages.hpp"

extern "C" {
#define INLAY_GRAMMAR(name) const TSLanguage* tree_sitter_##name(void);
#include "grammars.inc"
#undef INLAY_GRAMMAR
}

namespace inlay::code {
namespace {

struct Known {
  std::string_view grammar;
  const LanguageRules* rules;
};

constexpr auto known = std::to_array<Known>({
    {"bash", &bash_rules},
    {"c", &c_rules},
    {"cpp", &cpp_rules},
    {"c_sharp", &csharp_rules},
    {"go", &go_rules},
    {"java", &java_rules},
    {"javascript", &javascript_rules},
    {"kotlin", &kotlin_rules},
    {"php", &php_rules},
    {"python", &python_rules},
    {"ruby", &ruby_rules},
    {"rust", &rust_rules},
    {"typescript", &typescript_rules},
    {"tsx", &typescript_rules},
});

const LanguageRules& rules_of(std::string_view grammar) { return *std::ranges::find(known, grammar, &Known::grammar)->rules; }

}  // namespace

DefinitionName field_name(TSNode node, std::string_view source) {
  const TSNode name = child_by_field(node, "name");
  return ts_node_is_null(name) ? DefinitionName() : DefinitionName{std::string(node_text(name, source))};
}

const std::vector<BuiltInGrammar>& built_in_grammars() {
  static const std::vector<BuiltInGrammar> all = [] {
    std::vector<BuiltInGrammar> list;
#define INLAY_GRAMMAR(name) list.push_back({#name, Grammar(tree_sitter_##name(), rules_of(#name))});
#include "grammars.inc"
#undef INLAY_GRAMMAR
    return list;
  }();
  return all;
}

DefinitionName no_name(TSNode, std::string_view) { return {}; }

std::string simple_type_name(std::string_view type) {
  constexpr std::string_view separators = ".:\\";
  std::size_t begin = 0;
  std::size_t end = type.size();  // of the name, without what it is given in <>
  std::size_t depth = 0;
  for (std::size_t at = 0; at < type.size(); ++at) {
    if (type[at] == '<') {
      if (depth++ == 0) end = at;
    } else if (type[at] == '>') {
      depth -= depth > 0;
    } else if (depth == 0 && separators.find(type[at]) != std::string_view::npos) {
      begin = at + 1;
      end = type.size();
    }
  }
  return std::string(type.substr(begin, end > begin ? end - begin : 0));
}

DefinitionName assigned_member(TSNode node, std::string_view source) {
  TSNode left = child_by_field(node, "left");
  for (const std::string_view field : {"field", "name"}) {
    if (ts_node_is_null(left) || kind_of(left) == "variable_name") break;
    if (const TSNode member = child_by_field(left, field); !ts_node_is_null(member)) left = member;
  }
  if (ts_node_is_null(left)) return {};
  std::string_view name = node_text(left, source);
  name.remove_prefix(std::min(name.find_first_not_of('$'), name.size()));
  const bool is_identifier = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  });
  return is_identifier ? DefinitionName{std::string(name)} : DefinitionName();
}

TSNode child_of_kind(TSNode node, std::string_view kind) {
  TSNode found = {};
  for_each_child(node, [&](TSNode child) {
    if (ts_node_is_named(child) && ts_node_type(child) == kind) found = child;
    return ts_node_is_null(found);
  });
  return found;
}

template <class Set>
void Grammar::each_symbol(std::string_view kind, const Set& set) {
  bool found = false;
  for (std::size_t number = 0; number < symbols_.size(); ++number) {
    const auto symbol = static_cast<TSSymbol>(number);
    if (ts_language_symbol_type(language_, symbol) != TSSymbolTypeRegular || ts_language_symbol_name(language_, symbol) != kind) continue;
    set(symbols_[number]);
    found = true;
  }
  if (!found) unknown_.emplace_back(kind);
}

Grammar::Grammar(const TSLanguage* language, const LanguageRules& rules)
    : language_(language), rules_(&rules), symbols_(ts_language_symbol_count(language)) {
  for (const NodeRule& rule : rules.nodes) each_symbol(rule.node, [&](Symbol& symbol) { symbol.rule = &rule; });
  for (const auto& [kinds, bound] : {std::pair(rules.functions, Bound::function), std::pair(rules.types, Bound::type),
                                     std::pair(rules.scopes, Bound::scope), std::pair(rules.unwrapped, Bound::unwrap)}) {
    for (const char* kind : kinds) each_symbol(kind, [bound = bound](Symbol& symbol) { symbol.bound = bound; });
  }
  if (rules.call) each_symbol(rules.call, [](Symbol& symbol) { symbol.is_call = true; });
}

const Grammar* find_grammar(std::string_view language, std::string_view file_name) {
  const std::string_view dialect = language == "typescript" && lower_ending(file_name) == "tsx" ? "tsx"
                                   : language == "csharp"                                       ? "c_sharp"
                                                                                                : language;
  const auto found = std::ranges::find(built_in_grammars(), dialect, &BuiltInGrammar::name);
  return found == built_in_grammars().end() ? nullptr : &found->grammar;
}

}  // namespace inlay::code
