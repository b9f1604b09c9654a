#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

// func (s *Stack[T]) Push(...): a method of Stack.
DefinitionName method_name(TSNode node, std::string_view source) {
  DefinitionName name = field_name(node, source);
  const TSNode receiver = child_by_field(node, "receiver");
  if (ts_node_is_null(receiver)) return name;
  std::string_view text = node_text(receiver, source);
  text = text.substr(0, text.find('['));
  while (!text.empty() && (text.back() == ')' || text.back() == ' ' || text.back() == ',')) text.remove_suffix(1);
  const std::size_t before = text.find_last_of(" *(\t\n");
  name.scope = text.substr(before == std::string_view::npos ? 0 : before + 1);
  return name;
}

// f := func() {...}
DefinitionName assigned_name(TSNode node, std::string_view source) {
  const TSNode left = child_by_field(node, "left");
  if (ts_node_is_null(left) || ts_node_named_child_count(left) != 1) return {};
  const TSNode name = ts_node_named_child(left, 0);
  if (std::string_view(ts_node_type(name)) != "identifier") return {};
  return {std::string(node_text(name, source))};
}

constexpr NodeRule nodes[] = {
    {"function_declaration", Role::function, field_name, "body", true},
    {"method_declaration", Role::function, method_name, "body", true},
    {"type_declaration", Role::wrapper},
    {"type_spec", Role::binding},
    {"var_declaration", Role::wrapper},
    {"var_spec", Role::binding},
    {"short_var_declaration", Role::binding, assigned_name},
    {"assignment_statement", Role::binding, assigned_name},
    {"comment", Role::comment},
};
constexpr const char* functions[] = {"func_literal"};
constexpr const char* types[] = {"struct_type", "interface_type"};
constexpr const char* unwrapped[] = {"expression_list"};

}  // namespace

const LanguageRules go_rules = {.language = "go", .nodes = nodes, .functions = functions, .types = types, .unwrapped = unwrapped};

}  // namespace inlay::code
