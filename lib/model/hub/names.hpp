// What may be a model's name, a revision and a file's name on the hub. Everything that becomes part of a path or a URL passes here first.
#pragma once

#include <string>
#include <string_view>

namespace inlay::model::hub {

inline constexpr std::string_view default_revision = "main";

/// Whether the hub could have a repository of this name, by huggingface_hub's rules: "name" or "organisation/name" of ASCII letters,
/// digits, '-', '_' and '.', each part beginning and ending with neither '-' nor '.', no "--" or "..", not ending in ".git", at most 96
/// characters a part.
[[nodiscard]] bool is_repository_name(std::string_view name) noexcept;

/// Forty hexadecimal digits, letters in lower case.
[[nodiscard]] bool is_commit(std::string_view revision) noexcept;

/// Whether the bytes of a relative path with '/' stay below its folder, and can be a file's name everywhere: no empty, "." or ".." parts,
/// no backslash, no colon, no control characters.
[[nodiscard]] bool is_safe_path(std::string_view path) noexcept;

/// `revision`, or "main" where it is empty. Throws Error (invalid_argument) for what cannot be a branch, a tag or a commit.
[[nodiscard]] std::string checked_revision(std::string_view revision);

/// The text in quotes for a message: cut to a readable length, control characters and bytes that are not ASCII as "\x1b".
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace inlay::model::hub
