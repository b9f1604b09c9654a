#include <algorithm>

#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

// class A::B: B, in A.
DefinitionName constant_name(TSNode node, std::string_view source) {
  DefinitionName name = field_name(node, source);
  if (const std::size_t colons = name.name.rfind("::"); colons != std::string::npos) {
    name.scope = name.name.substr(0, colons);
    name.name.erase(0, colons + 2);
  }
  return name;
}

DefinitionName assigned_name(TSNode node, std::string_view source) {
  const TSNode left = child_by_field(node, "left");
  if (ts_node_is_null(left)) return {};
  const std::string_view kind = kind_of(left);
  std::string_view name = node_text(left, source);
  if (kind == "instance_variable" || kind == "class_variable" || kind == "global_variable") {
    name.remove_prefix(std::min(name.find_first_not_of("@$"), name.size()));
  } else if (kind != "identifier" && kind != "constant") {
    return {};
  }
  return {std::string(name)};
}

// lambda {...}, Proc.new {...}; Struct.new(...) do ... end and what else makes a class. One without a block has no methods.
Bound made_by_call(TSNode call, std::string_view source) {
  const TSNode method = child_by_field(call, "method");
  if (ts_node_is_null(method) || ts_node_is_null(child_by_field(call, "block"))) return Bound::none;
  const std::string_view name = node_text(method, source);
  const TSNode receiver = child_by_field(call, "receiver");
  if (ts_node_is_null(receiver)) return name == "lambda" || name == "proc" ? Bound::function : Bound::none;
  std::string_view made = node_text(receiver, source);
  if (made.starts_with("::")) made.remove_prefix(2);
  if (name == "new" && made == "Proc") return Bound::function;
  if (name == "new" && (made == "Struct" || made == "Class" || made == "Module")) return Bound::type;
  return name == "define" && made == "Data" ? Bound::type : Bound::none;
}

constexpr NodeRule nodes[] = {
    {"method", Role::function},
    {"singleton_method", Role::function},
    {"class", Role::type, constant_name},
    {"module", Role::type, constant_name},
    {"singleton_class", Role::scope, no_name},
    {"assignment", Role::binding, assigned_name},
    {"comment", Role::comment},
};
constexpr const char* functions[] = {"lambda"};

}  // namespace

const LanguageRules ruby_rules = {
    .language = "ruby", .separator = "::", .nodes = nodes, .functions = functions, .call = "call", .bound_call = made_by_call};

}  // namespace inlay::code
