// The library's version: semantic versioning, of the C++ API by source, of the C ABI by soname.
#pragma once

#include <string_view>

#define INLAY_VERSION_MAJOR 0
#define INLAY_VERSION_MINOR 1
#define INLAY_VERSION_PATCH 0
#define INLAY_VERSION_STRING "0.1.0"

namespace inlay {

/// The version of the library that is linked, which a program may compare with INLAY_VERSION_STRING, the one it was compiled against.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace inlay
