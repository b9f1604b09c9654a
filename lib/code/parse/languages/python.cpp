#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

DefinitionName assigned_name(TSNode node, std::string_view source) {
  const TSNode left = child_by_field(node, "left");
  if (ts_node_is_null(left) || std::string_view(ts_node_type(left)) != "identifier") return {};
  return {std::string(node_text(left, source))};
}

constexpr NodeRule nodes[] = {
    {"function_definition", Role::function},
    {"class_definition", Role::type},
    {"decorated_definition", Role::wrapper},
    {"assignment", Role::binding, assigned_name},
    {"comment", Role::comment},
    // Expressions have no definitions in them but lambdas, which count only where an assignment has them at its top.
    {"argument_list", Role::opaque},
    {"assert_statement", Role::opaque},
    {"attribute", Role::opaque},
    {"await", Role::opaque},
    {"binary_operator", Role::opaque},
    {"boolean_operator", Role::opaque},
    {"call", Role::opaque},
    {"comparison_operator", Role::opaque},
    {"concatenated_string", Role::opaque},
    {"conditional_expression", Role::opaque},
    {"delete_statement", Role::opaque},
    {"dictionary", Role::opaque},
    {"dictionary_comprehension", Role::opaque},
    {"generator_expression", Role::opaque},
    {"import_from_statement", Role::opaque},
    {"import_statement", Role::opaque},
    {"list", Role::opaque},
    {"list_comprehension", Role::opaque},
    {"not_operator", Role::opaque},
    {"parameters", Role::opaque},
    {"raise_statement", Role::opaque},
    {"return_statement", Role::opaque},
    {"set", Role::opaque},
    {"string", Role::opaque},
    {"subscript", Role::opaque},
    {"tuple", Role::opaque},
    {"type", Role::opaque},
    {"unary_operator", Role::opaque},
};
constexpr const char* functions[] = {"lambda"};
constexpr const char* unwrapped[] = {"parenthesized_expression"};

}  // namespace

const LanguageRules python_rules = {
    .language = "python", .local = "<locals>", .docs = Docs::python, .nodes = nodes, .functions = functions, .unwrapped = unwrapped};

}  // namespace inlay::code
