// NumPy's .npy format (numpy.lib.format, versions 1 and 2) for matrices of float32.
//
// Not xtensor's: it believes the header (a shape larger than the file, or one whose product overflows, is allocated and read), and costs
// each file that includes it several seconds to compile.
#pragma once

#include <filesystem>

#include "inlay/matrix.hpp"

namespace inlay::store {

/// Throws Error (io_error).
void write_npy(const std::filesystem::path& path, const Matrix& matrix);

/// Throws Error: not_found, io_error; invalid_data, naming the file, for anything but a whole two-dimensional little-endian float32 array
/// in C order whose size is the shape's.
[[nodiscard]] Matrix read_npy(const std::filesystem::path& path);

}  // namespace inlay::store
