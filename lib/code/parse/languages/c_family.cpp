// C and C++: a function's name stands in its declarator, behind pointers and references.
#include <utility>

#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

bool is(TSNode node, std::string_view kind) { return kind_of(node) == kind; }

// operator bool() const: what stands before the brackets.
std::string cast_name(TSNode node, std::string_view source) {
  const std::string_view text = node_text(node, source);
  return std::string(text.substr(0, text.find('(')));
}

// a::b::c as the grammar has it: qualified_identifier(scope a, name qualified_identifier(scope b, name c)).
DefinitionName qualified(TSNode node, std::string_view source) {
  const std::uint32_t begin = ts_node_start_byte(node);
  TSNode last = node;
  while (is(last, "qualified_identifier")) {
    const TSNode name = child_by_field(last, "name");
    if (ts_node_is_null(name)) break;
    last = name;
  }
  if (ts_node_eq(last, node)) return {std::string(node_text(node, source))};
  std::string_view scope = source.substr(begin, ts_node_start_byte(last) - begin);
  while (scope.ends_with(':') || scope.ends_with(' ')) scope.remove_suffix(1);
  while (scope.starts_with(':')) scope.remove_prefix(1);
  return {is(last, "operator_cast") ? cast_name(last, source) : std::string(node_text(last, source)), std::string(scope)};
}

// A::operator int() const: a qualified name with the cast at its end.
bool ends_in_cast(TSNode node) {
  while (is(node, "qualified_identifier")) {
    const TSNode name = child_by_field(node, "name");
    if (ts_node_is_null(name)) return false;
    node = name;
  }
  return is(node, "operator_cast");
}

struct Declared {
  DefinitionName name;
  bool is_function = false;  // a function's declarator is in the chain
};

// What stands at the end of the chain of declarators.
Declared declared(TSNode node, std::string_view source) {
  bool is_function = false;
  for (TSNode declarator = child_by_field(node, "declarator"); !ts_node_is_null(declarator);) {
    is_function = is_function || is(declarator, "function_declarator");
    if (is(declarator, "operator_cast")) return {{cast_name(declarator, source)}, true};
    TSNode inner = child_by_field(declarator, "declarator");
    const bool is_name = is(declarator, "qualified_identifier") || is(declarator, "destructor_name") || is(declarator, "operator_name") ||
                         is(declarator, "template_function");
    if (const std::uint32_t count = ts_node_named_child_count(declarator); ts_node_is_null(inner) && count > 0 && !is_name) {
      inner = ts_node_named_child(declarator, count - 1);  // reference and parenthesised ones: no field
    }
    if (ts_node_is_null(inner)) return {qualified(declarator, source), is_function || ends_in_cast(declarator)};
    declarator = inner;
  }
  return {};
}

DefinitionName declared_name(TSNode node, std::string_view source) { return declared(node, source).name; }

// Of a member that has a first value.
DefinitionName member_name(TSNode node, std::string_view source) {
  return ts_node_is_null(child_by_field(node, "default_value")) ? DefinitionName() : declared_name(node, source);
}

// Nothing where there is no function: where a macro stands before a class's name, the class looks like a function's body behind its name.
DefinitionName function_name(TSNode node, std::string_view source) {
  Declared found = declared(node, source);
  return found.is_function ? std::move(found.name) : DefinitionName();
}

DefinitionName type_name(TSNode node, std::string_view source) {
  const TSNode name = child_by_field(node, "name");
  return ts_node_is_null(name) ? DefinitionName() : qualified(name, source);
}

constexpr NodeRule c_nodes[] = {
    {"function_definition", Role::function, function_name, "body", true},
    {"struct_specifier", Role::type, type_name, "body", true},
    {"union_specifier", Role::type, type_name, "body", true},
    {"type_definition", Role::binding, declared_name},
    {"comment", Role::comment},
};
constexpr const char* c_types[] = {"struct_specifier", "union_specifier"};

constexpr NodeRule cpp_nodes[] = {
    {"function_definition", Role::function, function_name, "body", true},
    {"class_specifier", Role::type, type_name, "body", true},
    {"struct_specifier", Role::type, type_name, "body", true},
    {"union_specifier", Role::type, type_name, "body", true},
    {"namespace_definition", Role::scope},
    {"template_declaration", Role::wrapper},
    {"declaration", Role::wrapper},
    {"field_declaration", Role::binding, member_name},
    {"init_declarator", Role::binding, declared_name},
    {"assignment_expression", Role::binding, assigned_member},
    {"type_definition", Role::binding, declared_name},
    {"comment", Role::comment},
};
constexpr const char* cpp_functions[] = {"lambda_expression"};
constexpr const char* cpp_types[] = {"struct_specifier", "union_specifier", "class_specifier"};

}  // namespace

const LanguageRules c_rules = {.language = "c", .separator = "::", .nodes = c_nodes, .types = c_types};
const LanguageRules cpp_rules = {.language = "cpp", .separator = "::", .nodes = cpp_nodes, .functions = cpp_functions, .types = cpp_types};

}  // namespace inlay::code
