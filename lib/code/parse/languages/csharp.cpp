#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

// operator +(...), implicit operator T(...): C#'s own names for them have no better form.
DefinitionName operator_name(TSNode node, std::string_view source) {
  const TSNode symbol = child_by_field(node, "operator");
  if (!ts_node_is_null(symbol)) return {"operator " + std::string(node_text(symbol, source))};
  const TSNode type = child_by_field(node, "type");
  return ts_node_is_null(type) ? DefinitionName() : DefinitionName{"operator " + std::string(node_text(type, source))};
}

DefinitionName destructor_name(TSNode node, std::string_view source) {
  DefinitionName name = field_name(node, source);
  if (!name.name.empty()) name.name.insert(0, 1, '~');
  return name;
}

constexpr NodeRule nodes[] = {
    {"method_declaration", Role::function, field_name, "body", true},
    {"constructor_declaration", Role::function, field_name, "body", true},
    {"destructor_declaration", Role::function, destructor_name, "body", true},
    {"operator_declaration", Role::function, operator_name, "body", true},
    {"conversion_operator_declaration", Role::function, operator_name, "body", true},
    {"local_function_statement", Role::function, field_name, "body", true},
    {"class_declaration", Role::type},
    {"struct_declaration", Role::type},
    {"interface_declaration", Role::type},
    {"record_declaration", Role::type},
    {"namespace_declaration", Role::scope},
    {"file_scoped_namespace_declaration", Role::rest},
    {"field_declaration", Role::wrapper},
    {"local_declaration_statement", Role::wrapper},
    {"variable_declaration", Role::wrapper},
    {"variable_declarator", Role::binding},
    {"property_declaration", Role::binding},
    {"assignment_expression", Role::binding, assigned_member},
    {"comment", Role::comment},
};
constexpr const char* functions[] = {"lambda_expression", "anonymous_method_expression"};

}  // namespace

const LanguageRules csharp_rules = {.language = "csharp", .docs = Docs::xml, .nodes = nodes, .functions = functions};

}  // namespace inlay::code
