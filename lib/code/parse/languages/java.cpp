#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

// new java.util.Comparator<T>() {...}: what it implements.
DefinitionName created_name(TSNode node, std::string_view source) {
  const TSNode type = child_by_field(node, "type");
  return ts_node_is_null(type) ? DefinitionName() : DefinitionName{simple_type_name(node_text(type, source))};
}

constexpr NodeRule nodes[] = {
    {"method_declaration", Role::function, field_name, "body", true},
    {"constructor_declaration", Role::function},
    {"compact_constructor_declaration", Role::function},
    {"class_declaration", Role::type},
    {"interface_declaration", Role::type},
    {"enum_declaration", Role::type},
    {"record_declaration", Role::type},
    {"annotation_type_declaration", Role::type},
    {"object_creation_expression", Role::anonymous, created_name, "class_body", true},
    {"field_declaration", Role::wrapper},
    {"local_variable_declaration", Role::wrapper},
    {"variable_declarator", Role::binding},
    {"assignment_expression", Role::binding, assigned_member},
    {"line_comment", Role::comment},
    {"block_comment", Role::comment},
};
constexpr const char* functions[] = {"lambda_expression"};

}  // namespace

const LanguageRules java_rules = {.language = "java", .docs = Docs::block_marked, .nodes = nodes, .functions = functions};

}  // namespace inlay::code
