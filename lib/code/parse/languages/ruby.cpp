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
  const std::string_view kind = ts_node_type(left);
  return kind == "identifier" || kind == "constant" ? DefinitionName{std::string(node_text(left, source))} : DefinitionName();
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

const LanguageRules ruby_rules = {.language = "ruby", .separator = "::", .nodes = nodes, .functions = functions};

}  // namespace inlay::code
