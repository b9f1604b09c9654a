#include "code/parse/language_rules.hpp"

namespace inlay::code {
namespace {

constexpr NodeRule nodes[] = {
    {"function_definition", Role::function},
    {"comment", Role::comment},
};

}  // namespace

const LanguageRules bash_rules = {.language = "bash", .nodes = nodes};

}  // namespace inlay::code
