#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

// new class extends B {...}: what it extends.
DefinitionName extended_name(TSNode node, std::string_view source) {
  for (const std::string_view clause : {"base_clause", "class_interface_clause"}) {
    const TSNode bases = child_of_kind(node, clause);
    if (ts_node_is_null(bases) || ts_node_named_child_count(bases) == 0) continue;
    return {simple_type_name(node_text(ts_node_named_child(bases, 0), source))};
  }
  return {};
}

constexpr NodeRule nodes[] = {
    {"function_definition", Role::function},
    {"method_declaration", Role::function, field_name, "body", true},
    {"class_declaration", Role::type},
    {"interface_declaration", Role::type},
    {"trait_declaration", Role::type},
    {"enum_declaration", Role::type},
    {"anonymous_class", Role::anonymous, extended_name},
    {"namespace_definition", Role::rest},
    {"expression_statement", Role::wrapper},
    {"assignment_expression", Role::binding, assigned_member},
    {"comment", Role::comment},
};
constexpr const char* functions[] = {"anonymous_function", "arrow_function"};

}  // namespace

const LanguageRules php_rules = {
    .language = "php", .separator = "::", .scope_separator = "\\", .docs = Docs::block_marked, .nodes = nodes, .functions = functions};

}  // namespace inlay::code
