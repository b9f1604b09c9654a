// What the readers of a model's files share in their errors.
#pragma once

#include <string>
#include <string_view>

namespace inlay::model {

/// Text from a file as a part of a message: one line of valid UTF-8, of bounded length.
[[nodiscard]] std::string one_line(std::string_view text);

/// Throws Error (invalid_model) with the remedy when the file is what Git leaves in place of a large file that it didn't fetch.
void refuse_git_lfs_pointer(std::string_view file, const std::string& label);

}  // namespace inlay::model
