// Structs that begin with their size, read across releases; seen from inside, as the published structs have had one release so far.
#include "arguments.hpp"
#include "support/catch.hpp"

namespace {

// The same struct in three releases of the library.
struct First {
  std::size_t size;
  std::size_t threads;
};
struct Second {
  std::size_t size;
  std::size_t threads;
  std::size_t batch;
};
struct Third {
  std::size_t size;
  std::size_t threads;
  std::size_t batch;
  std::size_t length;
  std::size_t depth;
};

}  // namespace

template <>
struct inlay::capi::Layout<First> : inlay::capi::FirstLayout<First> {
  static constexpr std::string_view name = "options";
};
template <>
struct inlay::capi::Layout<Third> {
  static constexpr std::string_view name = "options";
  static constexpr std::array<std::size_t, 3> sizes = {offsetof(Third, batch), offsetof(Third, length), sizeof(Third)};
};

using inlay::capi::read_struct;
using inlay::capi::write_struct;

TEST_CASE("a library reads the structs of every older release, with defaults for what they lack") {
  const Second second = {sizeof(Second), 3, 4};
  const Third read = read_struct(reinterpret_cast<const Third*>(&second));
  CHECK(read.threads == 3);
  CHECK(read.batch == 4);
  CHECK(read.length == 0);
  CHECK(read.depth == 0);

  const First first = {sizeof(First), 5};
  CHECK(read_struct(reinterpret_cast<const Third*>(&first)).threads == 5);
  CHECK(read_struct(reinterpret_cast<const Third*>(&first)).batch == 0);
}

TEST_CASE("a library reads the structs of newer releases as long as what is new is zero") {
  Third third = {sizeof(Third), 7, 0, 0, 0};
  CHECK(read_struct(reinterpret_cast<const First*>(&third)).threads == 7);
  third.depth = 1;
  CHECK_THROWS_WITH(read_struct(reinterpret_cast<const First*>(&third)), Catch::Contains("options of 40 bytes"));
}

TEST_CASE("sizes that no release has are refused") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, std::size_t{17}, std::size_t{32}, std::size_t{1} << 40}) {
    const Third third = {size, 1, 2, 3, 4};
    CHECK_THROWS_AS(read_struct(&third), inlay::Error);
  }
}

TEST_CASE("a struct is filled in as far as its caller knows it, and not beyond") {
  constexpr std::size_t untouched = 99;
  std::array<std::size_t, 8> older = {sizeof(Second), 0, 0, untouched, untouched, untouched};
  write_struct(reinterpret_cast<Third*>(older.data()), Third{0, 1, 2, 3, 4});
  CHECK((older[0] == sizeof(Second) && older[1] == 1 && older[2] == 2));
  CHECK((older[3] == untouched && older[4] == untouched));

  Third newer = {sizeof(Third), 8, 8, 8, 8};
  write_struct(reinterpret_cast<First*>(&newer), First{0, 6});
  CHECK(newer.size == sizeof(Third));
  CHECK(newer.threads == 6);
  CHECK((newer.batch == 0 && newer.length == 0 && newer.depth == 0));
}
