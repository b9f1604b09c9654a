// What a language calls its definitions: for each kind of node of its grammar that matters, what it is and how its name is read.
#pragma once

#include <tree_sitter/api.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace inlay::code {

enum class Role : std::uint8_t {
  none,
  function,
  type,       ///< a class and what is like one
  scope,      ///< names what is in it, and is no item itself: a namespace
  members,    ///< a scope whose functions are methods of the class that it names: Rust's impl
  anonymous,  ///< a type without a name of its own; what it is named by is what it implements, where that is known
  rest,       ///< a scope that lasts to the end of its parent, where it has no body: PHP's `namespace a;`
  wrapper,    ///< what stands around a definition and is part of it: decorators, export, template
  binding,    ///< gives a name to the function, class or object in it
  exporting,  ///< a binding of what has no name of its own, else a wrapper: JavaScript's `export default`
  attribute,  ///< belongs to the definition that follows it
  comment,
  opaque,  ///< has no definition in it: not looked into
};

/// A definition's name, and what it says itself of where it belongs: of `void A::B::f()` {"f", "A::B"}.
struct DefinitionName {
  std::string name{};
  std::string scope{};
  bool is_method = true;  ///< whether the scope, where there is one, is a class
};

using NameOf = DefinitionName (*)(TSNode node, std::string_view source);

/// What a node is to the binding that it stands in.
enum class Bound : std::uint8_t { none, function, type, scope, unwrap };
using BoundOf = Bound (*)(TSNode node, std::string_view source);

/// The text of the field "name".
DefinitionName field_name(TSNode node, std::string_view source);
/// No name: what is in it is named as if it were not there.
DefinitionName no_name(TSNode node, std::string_view source);
/// Of a type as it is written its own name: Entry of "java.util.Map<K, V>.Entry", "\\App\\Entry" and "a::Map<K>::Entry<V>".
[[nodiscard]] std::string simple_type_name(std::string_view type);
/// The last identifier of the field "left", which is one, or a member of something: of `this.on_close = ...` on_close.
DefinitionName assigned_member(TSNode node, std::string_view source);

struct NodeRule {
  const char* node;
  Role role;
  NameOf name = field_name;
  const char* body = "body";  ///< the field, or the kind of the child, that is the body
  bool needs_body = false;    ///< without one it is no item
};

enum class Docs : std::uint8_t {
  python,        ///< the first string of the body
  any_comment,   ///< comments right above
  block_marked,  ///< those that begin with /**
  marked,        ///< those that begin with /** or ///
  xml,           ///< those that begin with ///, whose tags are left out
};

struct LanguageRules {
  std::string_view language;
  std::string_view separator = ".";       ///< of qualified names
  std::string_view scope_separator = "";  ///< behind a namespace; empty: as elsewhere
  std::string_view local = "";            ///< stands between a function and what is nested in it
  Docs docs = Docs::any_comment;
  std::span<const NodeRule> nodes;
  std::span<const char* const> functions;  ///< what a binding can bind: functions without a name of their own
  std::span<const char* const> types;      ///< classes without one
  std::span<const char* const> scopes;     ///< objects whose members get its name
  std::span<const char* const> unwrapped;  ///< what a bound value may stand in: parentheses
  const char* call = nullptr;              ///< a kind of which bound_call tells: Ruby's functions and classes that calls make
  BoundOf bound_call = nullptr;
};

/// A node's text.
[[nodiscard]] inline std::string_view node_text(TSNode node, std::string_view source) {
  const std::uint32_t begin = ts_node_start_byte(node);
  return source.substr(begin, ts_node_end_byte(node) - begin);
}
[[nodiscard]] inline std::string_view kind_of(TSNode node) { return ts_node_type(node); }
[[nodiscard]] inline TSNode child_by_field(TSNode node, std::string_view field) {
  return ts_node_child_by_field_name(node, field.data(), static_cast<std::uint32_t>(field.size()));
}
/// Owns a cursor. Children are walked through with one: to ask a node for its n-th child is to count them from the first.
class TreeCursor {
 public:
  explicit TreeCursor(TSNode node) : cursor_(ts_tree_cursor_new(node)) {}
  ~TreeCursor() { ts_tree_cursor_delete(&cursor_); }
  TreeCursor(const TreeCursor&) = delete;
  TreeCursor& operator=(const TreeCursor&) = delete;

  [[nodiscard]] TSTreeCursor* get() noexcept { return &cursor_; }
  [[nodiscard]] TSNode node() const { return ts_tree_cursor_current_node(&cursor_); }

 private:
  TSTreeCursor cursor_;
};

/// Calls visit(child) with each child, until it returns false.
template <class Visit>
void for_each_child(TSNode node, const Visit& visit) {
  TreeCursor cursor(node);
  if (!ts_tree_cursor_goto_first_child(cursor.get())) return;
  do {
    if (!visit(cursor.node())) return;
  } while (ts_tree_cursor_goto_next_sibling(cursor.get()));
}

/// The first named child of that kind, or a null node.
[[nodiscard]] TSNode child_of_kind(TSNode node, std::string_view kind);

extern const LanguageRules bash_rules, c_rules, cpp_rules, csharp_rules, go_rules, java_rules, javascript_rules, kotlin_rules, php_rules,
    python_rules, ruby_rules, rust_rules, typescript_rules;

}  // namespace inlay::code
