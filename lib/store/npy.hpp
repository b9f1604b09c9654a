// NumPy's .npy format (numpy.lib.format, versions 1 and 2) for matrices of float32.
//
// Not xtensor's: it believes the header (a shape larger than the file, or one whose product overflows, is allocated and read), and costs
// each file that includes it several seconds to compile.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "inlay/matrix.hpp"

namespace inlay::store {

/// What stands before the numbers. As long for any shape, so that it can be written again when the rows have been counted.
constexpr std::size_t npy_header_bytes = 128;
[[nodiscard]] std::string npy_header(std::size_t rows, std::size_t columns);

/// Where a file's numbers are.
struct NpyLayout {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t offset = 0;  ///< of the first number, in bytes
};

/// Of a whole file's bytes. Throws Error (invalid_data) as read_npy.
[[nodiscard]] NpyLayout npy_layout(std::string_view bytes, const std::filesystem::path& path);

/// Throws Error (io_error).
void write_npy(const std::filesystem::path& path, const Matrix& matrix);

/// Throws Error: not_found, io_error; invalid_data, naming the file, for anything but a whole two-dimensional little-endian float32 array
/// in C order whose size is the shape's.
[[nodiscard]] Matrix read_npy(const std::filesystem::path& path);

}  // namespace inlay::store
