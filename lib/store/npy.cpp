#include "store/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "inlay/error.hpp"
#include "platform/files.hpp"

namespace inlay::store {
namespace {

static_assert(std::endian::native == std::endian::little, "npy files of ours are little-endian");

constexpr std::string_view magic = "\x93NUMPY";

// The header's Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 384), }
class Header {
 public:
  Header(std::string_view text, const std::filesystem::path& path) : rest_(text), path_(path) {
    expect("{");
    while (!accept("}")) {
      read_field();
      if (accept(",")) continue;
      expect("}");
      break;
    }
    if (skip_space(); !rest_.empty()) fail("its header does not end where it should");
    if (!descr_ || !fortran_order_ || !shape_) fail("its header lacks descr, fortran_order or shape");
    if (*descr_ != "<f4") fail(fmt::format("its numbers are \"{}\", not float32 (\"<f4\")", *descr_));
    if (*fortran_order_) fail("it is in Fortran order, not in C order");
  }

  [[nodiscard]] const std::array<std::size_t, 2>& shape() const { return *shape_; }

 private:
  [[noreturn]] void fail(std::string_view reason) const {
    throw Error(Status::invalid_data, fmt::format("{} is not an embedding matrix: {}", path_.string(), reason));
  }
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n\t"), rest_.size())); }
  bool accept(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) {
    if (!accept(word)) fail(fmt::format("its header has no {} where one should be", word));
  }
  std::string_view quoted() {
    const char quote = accept("'") ? '\'' : (expect("\""), '"');
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail("its header has an unfinished string");
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }
  void read_field() {
    const std::string_view name = quoted();
    expect(":");
    if (name == "descr" && !descr_) {
      skip_space();
      if (rest_.starts_with("[")) fail("its rows are records, not float32");
      descr_ = quoted();
    } else if (name == "fortran_order" && !fortran_order_) {
      fortran_order_ = accept("True");
      if (!*fortran_order_) expect("False");
    } else if (name == "shape" && !shape_) {
      read_shape();
    } else {
      fail(fmt::format("its header has an unexpected field \"{}\"", name.substr(0, 40)));
    }
  }
  void read_shape() {
    std::array<std::size_t, 2> shape{};
    std::size_t dimensions = 0;
    expect("(");
    while (!accept(")")) {
      std::size_t extent = 0;
      skip_space();
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc()) fail("its shape is not a tuple of sizes that fit");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (dimensions < 2) shape[dimensions] = extent;
      ++dimensions;
      if (accept(",")) continue;
      expect(")");
      break;
    }
    if (dimensions != 2) fail(fmt::format("it has {} dimensions, not 2", dimensions));
    shape_ = shape;
  }

  std::string_view rest_;
  const std::filesystem::path& path_;
  std::optional<std::string_view> descr_;
  std::optional<bool> fortran_order_;
  std::optional<std::array<std::size_t, 2>> shape_;
};

// The header's text and the numbers behind it.
std::pair<std::string_view, std::string_view> split(std::string_view bytes, const std::filesystem::path& path) {
  if (!bytes.starts_with(magic)) throw Error(Status::invalid_data, fmt::format("{} is not an npy file", path.string()));
  const auto byte = [&](std::size_t position) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[position])); };
  const std::size_t version = bytes.size() > 6 ? byte(6) : 0;
  const std::size_t prefix = version == 1 ? 10 : 12;
  if (bytes.size() < prefix) throw Error(Status::invalid_data, fmt::format("{} is truncated in its header", path.string()));
  if (version != 1 && version != 2) {
    throw Error(Status::invalid_data, fmt::format("{} has npy version {}.{}; known: 1.0, 2.0", path.string(), version, byte(7)));
  }
  std::size_t length = byte(8) | byte(9) << 8;
  if (version == 2) length |= byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - prefix) throw Error(Status::invalid_data, fmt::format("{} is truncated in its header", path.string()));
  return {bytes.substr(prefix, length), bytes.substr(prefix + length)};
}

}  // namespace

std::string npy_header(std::size_t rows, std::size_t columns) {
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  const std::size_t prefix = magic.size() + 4;
  // NumPy fills up to a multiple of 64. The shortest shape needs 70 bytes, the longest 108: it is always the same multiple.
  header.append(npy_header_bytes - prefix - header.size() - 1, ' ').append("\n");
  const char version_and_length[] = {1, 0, static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  return std::string(magic).append(version_and_length, sizeof version_and_length).append(header);
}

NpyLayout npy_layout(std::string_view bytes, const std::filesystem::path& path) {
  const auto [header, numbers] = split(bytes, path);
  const auto [rows, columns] = Header(header, path).shape();
  constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float);
  const bool fits = columns == 0 ? rows <= most : rows <= most / columns;
  if (!fits || rows * columns * sizeof(float) != numbers.size()) {
    throw Error(Status::invalid_data, fmt::format("{} is damaged: its shape is {} x {} float32, but {} bytes follow", path.string(), rows,
                                                  columns, numbers.size()));
  }
  return {rows, columns, bytes.size() - numbers.size()};
}

void write_npy(const std::filesystem::path& path, const Matrix& matrix) {
  const std::string_view numbers(reinterpret_cast<const char*>(matrix.data()), matrix.size() * sizeof(float));
  platform::write_file(path, {npy_header(matrix.shape(0), matrix.shape(1)), numbers});
}

Matrix read_npy(const std::filesystem::path& path) {
  const platform::MappedFile file(path);
  const NpyLayout layout = npy_layout(file.bytes(), path);
  Matrix matrix = Matrix::from_shape({layout.rows, layout.columns});
  const std::string_view numbers = file.bytes().substr(layout.offset);
  if (!numbers.empty()) std::memcpy(matrix.data(), numbers.data(), numbers.size());
  return matrix;
}

}  // namespace inlay::store
