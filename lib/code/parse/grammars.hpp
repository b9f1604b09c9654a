// The grammars that are built in, each with its rules made ready.
#pragma once

#include <tree_sitter/api.h>

#include <string>
#include <string_view>
#include <vector>

#include "code/parse/language_rules.hpp"

namespace inlay::code {

/// A grammar and, for each of its symbols, what it is.
class Grammar {
 public:
  Grammar(const TSLanguage* language, const LanguageRules& rules);

  [[nodiscard]] const TSLanguage* language() const noexcept { return language_; }
  [[nodiscard]] const LanguageRules& rules() const noexcept { return *rules_; }

  /// Nothing where the node does not matter.
  [[nodiscard]] const NodeRule* rule(TSSymbol symbol) const noexcept {
    return symbol < symbols_.size() ? symbols_[symbol].rule : nullptr;  // errors have the last of all symbols
  }

  [[nodiscard]] bool is_comment(TSNode node) const noexcept {
    const NodeRule* known = rule(ts_node_symbol(node));
    return known && known->role == Role::comment;
  }

  [[nodiscard]] Bound bound(TSNode node, std::string_view source) const {
    const TSSymbol symbol = ts_node_symbol(node);
    if (symbol >= symbols_.size()) return Bound::none;
    return symbols_[symbol].is_call ? rules_->bound_call(node, source) : symbols_[symbol].bound;
  }

  /// Kinds that the rules name and the grammar does not have: none, or rules and grammar are of different versions.
  [[nodiscard]] const std::vector<std::string>& unknown_kinds() const noexcept { return unknown_; }

 private:
  struct Symbol {
    const NodeRule* rule = nullptr;
    Bound bound = Bound::none;
    bool is_call = false;
  };
  template <class Set>
  void each_symbol(std::string_view kind, const Set& set);

  const TSLanguage* language_;
  const LanguageRules* rules_;
  std::vector<Symbol> symbols_;
  std::vector<std::string> unknown_;
};

/// The grammar of a language; `file_name` chooses among its dialects. Null for one that is not built in.
[[nodiscard]] const Grammar* find_grammar(std::string_view language, std::string_view file_name);

struct BuiltInGrammar {
  std::string_view name;  ///< "python", "tsx"
  Grammar grammar;
};
/// All, in the order of INLAY_LANGUAGES.
[[nodiscard]] const std::vector<BuiltInGrammar>& built_in_grammars();

}  // namespace inlay::code
