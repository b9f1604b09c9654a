#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "model/tensor_view.hpp"
#include "support/catch.hpp"

namespace inlay::test {
namespace {

using model::DataType;
using model::TensorView;

template <class Number>
std::vector<float> floats_of(const std::vector<Number>& numbers, DataType type) {
  const std::string_view bytes(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number));
  return read_floats(TensorView{.dtype = "", .type = type, .shape = {numbers.size()}, .strides = {}, .bytes = bytes});
}

}  // namespace

#ifdef __FLT16_MANT_DIG__  // the compiler's own half-precision type is the reference
TEST_CASE("every half-precision number becomes the float of the same value", "[tensor_view]") {
  std::vector<std::uint16_t> halves;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) halves.push_back(static_cast<std::uint16_t>(bits));
  const std::vector<float> floats = floats_of(halves, DataType::float16);
  REQUIRE(floats.size() == halves.size());
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const auto expected = static_cast<float>(std::bit_cast<_Float16>(halves[i]));
    const bool same =
        std::isnan(expected) ? std::isnan(floats[i]) : std::bit_cast<std::uint32_t>(floats[i]) == std::bit_cast<std::uint32_t>(expected);
    if (!same) FAIL_CHECK("half " << i << " became " << floats[i] << ", not " << expected);
  }
}
#endif

TEST_CASE("bfloat16 is a float32's upper half, and float64 is rounded", "[tensor_view]") {
  CHECK(floats_of<std::uint16_t>({0x3F80, 0xC049, 0x0001, 0x7F80}, DataType::bfloat16) ==
        std::vector<float>{1.0F, -3.140625F, std::bit_cast<float>(0x00010000U), std::numeric_limits<float>::infinity()});
  CHECK(floats_of<double>({0.1, -1e300, 3.0}, DataType::float64) ==
        std::vector<float>{0.1F, -std::numeric_limits<float>::infinity(), 3.0F});
}

TEST_CASE("strides are followed, and unaligned elements are read", "[tensor_view]") {
  std::vector<float> values(24);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  std::string unaligned(1 + values.size() * sizeof(float), ' ');
  std::memcpy(unaligned.data() + 1, values.data(), values.size() * sizeof(float));
  TensorView view{
      .dtype = "F32", .type = DataType::float32, .shape = {4, 2, 3}, .strides = {1, 12, 4}, .bytes = std::string_view(unaligned).substr(1)};
  std::vector<float> expected;
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      for (std::size_t k = 0; k < 3; ++k) expected.push_back(static_cast<float>(i + 12 * j + 4 * k));
    }
  }
  CHECK(read_floats(view) == expected);
  view.strides.clear();
  CHECK(read_floats(view) == values);
  CHECK(read_floats(TensorView{.dtype = "F32", .type = DataType::float32, .shape = {3, 0}, .strides = {}, .bytes = {}}).empty());
}

}  // namespace inlay::test
