// What a C caller passes in, checked: strings, arrays, buffers, and structs that begin with their size. All throw Error (invalid_argument)
// that names the parameter.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>

#include "inlay.h"
#include "inlay/error.hpp"

namespace inlay::capi {

inline void require(bool condition, std::string_view message) {
  if (!condition) throw Error(Status::invalid_argument, std::string(message));
}

template <class T>
T& required(T* pointer, std::string_view name) {
  if (pointer == nullptr) throw Error(Status::invalid_argument, fmt::format("{} is NULL", name));
  return *pointer;
}

template <class T>
std::span<T> array(T* data, std::size_t count, std::string_view name) {
  if (data == nullptr && count > 0) throw Error(Status::invalid_argument, fmt::format("{} is NULL, with a count of {}", name, count));
  if (count > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(T)) {
    throw Error(Status::invalid_argument, fmt::format("{} cannot have {} elements", name, count));
  }
  return {data, count};
}

inline std::string_view text(inlay_string string, std::string_view name) {
  const std::span<const char> bytes = array(string.data, string.length, name);
  return {bytes.data(), bytes.size()};
}

inline inlay_string string(std::string_view text) noexcept { return {text.data(), text.size()}; }

/// Of a struct that begins with its size: its name, and the sizes that it had in all releases, oldest first. Where a release adds fields,
/// offsetof of the first new one joins the list before sizeof.
template <class Struct>
struct Layout;

template <class Struct>
struct FirstLayout {
  static constexpr std::array<std::size_t, 1> sizes = {sizeof(Struct)};
};
template <>
struct Layout<inlay_generator_options> {
  static constexpr std::array<std::size_t, 2> sizes = {offsetof(inlay_generator_options, revision), sizeof(inlay_generator_options)};
  static constexpr std::string_view name = "inlay_generator_options";
};
template <>
struct Layout<inlay_call_options> : FirstLayout<inlay_call_options> {
  static constexpr std::string_view name = "inlay_call_options";
};
template <>
struct Layout<inlay_document> : FirstLayout<inlay_document> {
  static constexpr std::string_view name = "inlay_document";
};
template <>
struct Layout<inlay_model_info> : FirstLayout<inlay_model_info> {
  static constexpr std::string_view name = "inlay_model_info";
};
template <>
struct Layout<inlay_memory_use> : FirstLayout<inlay_memory_use> {
  static constexpr std::string_view name = "inlay_memory_use";
};

/// The struct's size as its caller knows it: that of some release, or larger. A size beyond reason is one that was never set.
template <class Struct>
std::size_t checked_size(const Struct* given) {
  constexpr std::size_t largest = std::size_t{64} * 1024;
  using Known = Layout<Struct>;
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof(size));
  const bool older = std::find(Known::sizes.begin(), Known::sizes.end(), size) != Known::sizes.end();
  const bool newer = size > sizeof(Struct) && size <= largest;
  if (!older && !newer) {
    throw Error(Status::invalid_argument,
                fmt::format("the size of {} is {}, which no release has; this one: {}. Initialise it with its INIT macro", Known::name,
                            size, sizeof(Struct)));
  }
  return size;
}

/// The caller's struct in this release's layout. What an older one lacks is zero, the default.
template <class Struct>
Struct read_struct(const Struct* given) {
  static_assert(std::is_trivially_copyable_v<Struct> && offsetof(Struct, size) == 0);
  const std::size_t size = checked_size(given);
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  if (size > sizeof(Struct) && std::any_of(bytes + sizeof(Struct), bytes + size, [](unsigned char byte) { return byte != 0; })) {
    throw Error(Status::invalid_argument, fmt::format("{} of {} bytes sets a field that this release, with {} bytes, does not know",
                                                      Layout<Struct>::name, size, sizeof(Struct)));
  }
  Struct known{};
  std::memcpy(&known, given, std::min(size, sizeof(Struct)));
  return known;
}

/// Fills the caller's struct with as much as it has room for, and zeros what this release does not know.
template <class Struct>
void write_struct(Struct* given, Struct value) {
  const std::size_t size = checked_size(given);
  value.size = size;
  std::memcpy(given, &value, std::min(size, sizeof(Struct)));
  if (size > sizeof(Struct)) std::memset(reinterpret_cast<unsigned char*>(given) + sizeof(Struct), 0, size - sizeof(Struct));
}

inline void set(std::size_t* output, std::size_t value) noexcept {
  if (output != nullptr) *output = value;
}

/// A buffer for `count` elements. Throws Error (buffer_too_small), after setting *needed, where it has room for fewer.
template <class T>
std::span<T> buffer(T* data, std::size_t capacity, std::size_t count, std::size_t* needed, std::string_view name) {
  const std::span<T> whole = array(data, capacity, name);
  if (capacity < count) {
    set(needed, count);
    throw Error(Status::buffer_too_small, fmt::format("{} has room for {} elements; the result has {}", name, capacity, count));
  }
  return whole.first(count);
}

}  // namespace inlay::capi
