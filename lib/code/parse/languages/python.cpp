#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

DefinitionName assigned_name(TSNode node, std::string_view source) {
  const TSNode left = child_by_field(node, "left");
  if (ts_node_is_null(left) || std::string_view(ts_node_type(left)) != "identifier") return {};
  return {std::string(node_text(left, source))};
}

constexpr NodeRule nodes[] = {
    {"function_definition", Role::function},      {"class_definition", Role::type},
    {"decorated_definition", Role::wrapper},      {"assignment", Role::binding, assigned_name}, {"comment", Role::comment},
};
constexpr const char* functions[] = {"lambda"};
constexpr const char* unwrapped[] = {"parenthesized_expression"};

}  // namespace

const LanguageRules python_rules = {
    .language = "python", .local = "<locals>", .docs = Docs::python, .nodes = nodes, .functions = functions, .unwrapped = unwrapped};

}  // namespace inlay::code
