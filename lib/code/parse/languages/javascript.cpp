// JavaScript and TypeScript: most functions have no name of their own, and are known by what they are bound to.
#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

std::string_view without_quotes(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'' || text.front() == '[')) return text.substr(1, text.size() - 2);
  return text;
}

DefinitionName text_of_field(TSNode node, std::string_view field, std::string_view source) {
  const TSNode name = child_by_field(node, field);
  return ts_node_is_null(name) ? DefinitionName() : DefinitionName{std::string(without_quotes(node_text(name, source)))};
}

DefinitionName property_name(TSNode node, std::string_view source) { return text_of_field(node, "name", source); }
DefinitionName field_property(TSNode node, std::string_view source) { return text_of_field(node, "property", source); }
DefinitionName key_name(TSNode node, std::string_view source) { return text_of_field(node, "key", source); }

DefinitionName variable_name(TSNode node, std::string_view source) {
  const TSNode name = child_by_field(node, "name");
  if (ts_node_is_null(name) || std::string_view(ts_node_type(name)) != "identifier") return {};
  return {std::string(node_text(name, source))};
}

// a = ..., A.b = ..., A.prototype.b = ..., exports.b = ...
DefinitionName assigned_name(TSNode node, std::string_view source) {
  const TSNode left = child_by_field(node, "left");
  if (ts_node_is_null(left)) return {};
  const std::string_view kind = ts_node_type(left);
  if (kind == "identifier") return {std::string(node_text(left, source))};
  if (kind != "member_expression") return {};
  const TSNode object = child_by_field(left, "object");
  const TSNode property = child_by_field(left, "property");
  if (ts_node_is_null(object) || ts_node_is_null(property)) return {};
  std::string_view scope = node_text(object, source);
  constexpr std::string_view prototype = ".prototype";
  const bool is_method = scope.ends_with(prototype);
  if (is_method) scope.remove_suffix(prototype.size());
  const bool is_path = scope.find_first_of(" \t\r\n()[]{}") == std::string_view::npos;
  if (!is_path || scope == "exports" || scope == "module" || scope == "module.exports" || scope == "this") scope = {};
  return {std::string(node_text(property, source)), std::string(scope), is_method};
}

// export default function () {...}: the name that the language gives it.
DefinitionName default_name(TSNode node, std::string_view) {
  return ts_node_is_null(child_by_field(node, "value")) ? DefinitionName() : DefinitionName{"default"};
}

constexpr NodeRule javascript_nodes[] = {
    {"function_declaration", Role::function},
    {"generator_function_declaration", Role::function},
    {"function_expression", Role::function},
    {"generator_function", Role::function},
    {"method_definition", Role::function, property_name},
    {"class_declaration", Role::type},
    {"class", Role::type},
    {"export_statement", Role::exporting, default_name},
    {"lexical_declaration", Role::wrapper},
    {"variable_declaration", Role::wrapper},
    {"expression_statement", Role::wrapper},
    {"variable_declarator", Role::binding, variable_name},
    {"assignment_expression", Role::binding, assigned_name},
    {"field_definition", Role::binding, field_property},
    {"pair", Role::binding, key_name},
    {"object", Role::anonymous, no_name},
    {"comment", Role::comment},
};

constexpr NodeRule typescript_nodes[] = {
    {"function_declaration", Role::function},
    {"generator_function_declaration", Role::function},
    {"function_expression", Role::function},
    {"generator_function", Role::function},
    {"method_definition", Role::function, property_name},
    {"class_declaration", Role::type},
    {"abstract_class_declaration", Role::type},
    {"class", Role::type},
    {"interface_declaration", Role::type},
    {"internal_module", Role::scope},
    {"module", Role::scope, property_name},
    {"export_statement", Role::exporting, default_name},
    {"ambient_declaration", Role::wrapper},
    {"decorator", Role::attribute},
    {"lexical_declaration", Role::wrapper},
    {"variable_declaration", Role::wrapper},
    {"expression_statement", Role::wrapper},
    {"variable_declarator", Role::binding, variable_name},
    {"assignment_expression", Role::binding, assigned_name},
    {"public_field_definition", Role::binding, property_name},
    {"pair", Role::binding, key_name},
    {"object", Role::anonymous, no_name},
    {"comment", Role::comment},
};

constexpr const char* functions[] = {"arrow_function", "function_expression", "generator_function"};
constexpr const char* types[] = {"class"};
constexpr const char* scopes[] = {"object"};
constexpr const char* unwrapped[] = {"parenthesized_expression"};

}  // namespace

const LanguageRules javascript_rules = {.language = "javascript",
                                        .docs = Docs::block_marked,
                                        .nodes = javascript_nodes,
                                        .functions = functions,
                                        .types = types,
                                        .scopes = scopes,
                                        .unwrapped = unwrapped};
const LanguageRules typescript_rules = {.language = "typescript",
                                        .docs = Docs::block_marked,
                                        .nodes = typescript_nodes,
                                        .functions = functions,
                                        .types = types,
                                        .scopes = scopes,
                                        .unwrapped = unwrapped};

}  // namespace inlay::code
