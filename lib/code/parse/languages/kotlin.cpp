// Kotlin's grammar names no fields: names and bodies are told by their kinds.
#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

DefinitionName child_text(TSNode node, std::string_view kind, std::string_view source) {
  const TSNode child = child_of_kind(node, kind);
  return ts_node_is_null(child) ? DefinitionName() : DefinitionName{std::string(node_text(child, source))};
}

DefinitionName function_name(TSNode node, std::string_view source) { return child_text(node, "simple_identifier", source); }
DefinitionName type_name(TSNode node, std::string_view source) { return child_text(node, "type_identifier", source); }

DefinitionName companion_name(TSNode node, std::string_view source) {
  DefinitionName name = type_name(node, source);
  return name.name.empty() ? DefinitionName{"Companion"} : name;
}

DefinitionName property_name(TSNode node, std::string_view source) {
  const TSNode variable = child_of_kind(node, "variable_declaration");
  return ts_node_is_null(variable) ? DefinitionName() : function_name(variable, source);
}

DefinitionName constructor_name(TSNode, std::string_view) { return {"constructor"}; }

// object : Runnable, Closeable {...}: what it implements first.
DefinitionName implemented_name(TSNode node, std::string_view source) {
  TSNode type = child_of_kind(node, "delegation_specifier");
  for (const std::string_view kind : {"constructor_invocation", "user_type"}) {
    if (ts_node_is_null(type)) return {};
    if (const TSNode inner = child_of_kind(type, kind); !ts_node_is_null(inner)) type = inner;
  }
  return {simple_type_name(node_text(type, source))};
}

// c = {...}, this.c = {...}
DefinitionName assigned_name(TSNode node, std::string_view source) {
  TSNode target = child_of_kind(node, "directly_assignable_expression");
  if (ts_node_is_null(target) || !ts_node_is_null(child_of_kind(target, "indexing_suffix"))) return {};
  if (const TSNode member = child_of_kind(target, "navigation_suffix"); !ts_node_is_null(member)) target = member;
  return function_name(target, source);
}

constexpr NodeRule nodes[] = {
    {"function_declaration", Role::function, function_name, "function_body", true},
    {"secondary_constructor", Role::function, constructor_name, "statements", true},
    {"class_declaration", Role::type, type_name, "class_body"},
    {"object_declaration", Role::type, type_name, "class_body"},
    {"companion_object", Role::members, companion_name, "class_body"},
    {"object_literal", Role::anonymous, implemented_name, "class_body"},
    {"property_declaration", Role::binding, property_name},
    {"assignment", Role::binding, assigned_name},
    {"line_comment", Role::comment},
    {"multiline_comment", Role::comment},
};
constexpr const char* functions[] = {"lambda_literal", "anonymous_function"};

}  // namespace

const LanguageRules kotlin_rules = {.language = "kotlin", .docs = Docs::block_marked, .nodes = nodes, .functions = functions};

}  // namespace inlay::code
