#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

// impl<T> Display for Stack<T>: methods of Stack.
DefinitionName implemented_name(TSNode node, std::string_view source) {
  const TSNode type = child_by_field(node, "type");
  if (ts_node_is_null(type)) return {};
  std::string_view text = node_text(type, source);
  text = text.substr(0, text.find('<'));
  while (text.ends_with(' ')) text.remove_suffix(1);
  text = text.substr(text.find_last_of(" &*") + 1);  // behind references, lifetimes, mut and dyn
  const std::size_t path = text.rfind("::");
  if (path == std::string_view::npos) return {std::string(text)};
  return {std::string(text.substr(path + 2)), std::string(text.substr(0, path))};
}

// let f = |x| ...
DefinitionName pattern_name(TSNode node, std::string_view source) {
  const TSNode pattern = child_by_field(node, "pattern");
  if (ts_node_is_null(pattern) || std::string_view(ts_node_type(pattern)) != "identifier") return {};
  return {std::string(node_text(pattern, source))};
}

constexpr NodeRule nodes[] = {
    {"function_item", Role::function},   {"struct_item", Role::type},
    {"union_item", Role::type},          {"enum_item", Role::type},
    {"trait_item", Role::type},          {"impl_item", Role::members, implemented_name},
    {"mod_item", Role::scope},           {"let_declaration", Role::binding, pattern_name},
    {"attribute_item", Role::attribute}, {"line_comment", Role::comment},
    {"block_comment", Role::comment},
};
constexpr const char* functions[] = {"closure_expression"};

}  // namespace

const LanguageRules rust_rules = {.language = "rust", .separator = "::", .docs = Docs::marked, .nodes = nodes, .functions = functions};

}  // namespace inlay::code
