#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

// $f = function (...) {...}
DefinitionName variable_name(TSNode node, std::string_view source) {
  const TSNode left = child_by_field(node, "left");
  if (ts_node_is_null(left) || std::string_view(ts_node_type(left)) != "variable_name") return {};
  return {std::string(node_text(left, source).substr(1))};
}

constexpr NodeRule nodes[] = {
    {"function_definition", Role::function},
    {"method_declaration", Role::function, field_name, "body", true},
    {"class_declaration", Role::type},
    {"interface_declaration", Role::type},
    {"trait_declaration", Role::type},
    {"enum_declaration", Role::type},
    {"namespace_definition", Role::rest},
    {"expression_statement", Role::wrapper},
    {"assignment_expression", Role::binding, variable_name},
    {"comment", Role::comment},
};
constexpr const char* functions[] = {"anonymous_function", "arrow_function"};

}  // namespace

const LanguageRules php_rules = {
    .language = "php", .separator = "::", .scope_separator = "\\", .docs = Docs::block_marked, .nodes = nodes, .functions = functions};

}  // namespace inlay::code
