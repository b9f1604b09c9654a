#include <inlay/error.hpp>
#include <limits>

#include "store/npy.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace inlay;
using inlay::test::TemporaryFolder;
using inlay::test::write;

namespace {

// numpy.save of [[1, 2.5, -3], [0, 1e-38, pi]] as float32, NumPy 2.
const std::string numpy_header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + std::string(58, ' ') + "\n";
const std::string numpy_file =
    std::string("\x93NUMPY\x01\x00v\x00", 10) + numpy_header +
    std::string("\x00\x00\x80\x3f\x00\x00\x20\x40\x00\x00\x40\xc0\x00\x00\x00\x00\xee\xe3\x6c\x00\xdb\x0f\x49\x40", 24);
const Matrix numpy_matrix = {{1, 2.5, -3}, {0, 1e-38F, 3.14159265F}};

std::string file_with(const std::string& header, std::size_t payload, char version = 1) {
  std::string file = "\x93NUMPY";
  file += version;
  file += '\0';
  const std::size_t bytes = version == 1 ? 2 : 4;
  for (std::size_t i = 0; i < bytes; ++i) file += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return file + header + std::string(payload, '\0');
}

}  // namespace

TEST_CASE("a matrix is written as NumPy writes it, byte for byte") {
  const TemporaryFolder folder;
  store::write_npy(folder / "a.npy", numpy_matrix);
  CHECK(test::read(folder / "a.npy") == numpy_file);
}

TEST_CASE("NumPy's file is read") {
  const TemporaryFolder folder;
  CHECK((store::read_npy(write(folder / "a.npy", numpy_file)) == numpy_matrix));
}

TEST_CASE("version 2, other spacing and another order of the header's fields are read") {
  const TemporaryFolder folder;
  for (const std::string header :
       {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", "{\"shape\":(2,3),'fortran_order':False,'descr':'<f4'}",
        "{ 'shape' : ( 2 , 3 , ) , 'fortran_order' : False , 'descr' : '<f4' , }   \n"}) {
    CHECK((store::read_npy(write(folder / "a.npy", file_with(header, 24, 1))) == Matrix(xt::zeros<float>({2, 3}))));
    CHECK((store::read_npy(write(folder / "a.npy", file_with(header, 24, 2))) == Matrix(xt::zeros<float>({2, 3}))));
  }
}

TEST_CASE("matrices without rows keep their width") {
  const TemporaryFolder folder;
  store::write_npy(folder / "a.npy", Matrix::from_shape({0, 384}));
  CHECK((store::read_npy(folder / "a.npy").shape() == Matrix::shape_type{0, 384}));
}

TEST_CASE("what is not a whole float32 matrix in C order is an error that names the file and the reason") {
  const TemporaryFolder folder;
  const auto header = [](const std::string& descr, const std::string& order, const std::string& shape) {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  };
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "not an npy file"},
      {"PK\x03\x04", "not an npy file"},
      {"\x93NUMPY", "truncated in its header"},
      {std::string("\x93NUMPY\x01\x00\xff\xff", 10), "truncated in its header"},
      {std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12), "truncated in its header"},
      {std::string("\x93NUMPY\x03\x00v\x00\x00\x00", 12) + numpy_header, "version 3.0"},
      {file_with(header("'<f8'", "False", "(2, 3)"), 48), "\"<f8\""},
      {file_with(header("'>f4'", "False", "(2, 3)"), 24), "\">f4\""},
      {file_with(header("'|O'", "False", "(2, 3)"), 24), "\"|O\""},
      {file_with(header("[('a', '<f4')]", "False", "(2, 3)"), 24), "records"},
      {file_with(header("'<f4'", "True", "(2, 3)"), 24), "Fortran"},
      {file_with(header("'<f4'", "Maybe", "(2, 3)"), 24), "header"},
      {file_with(header("'<f4'", "False", "(6,)"), 24), "1 dimensions"},
      {file_with(header("'<f4'", "False", "()"), 4), "0 dimensions"},
      {file_with(header("'<f4'", "False", "(1, 2, 3)"), 24), "3 dimensions"},
      {file_with(header("'<f4'", "False", "(-2, 3)"), 24), "shape"},
      {file_with(header("'<f4'", "False", "(2, 99999999999999999999)"), 24), "shape"},
      {file_with(header("'<f4'", "False", "(4294967296, 4294967296)"), 0), "4294967296 x 4294967296"},  // the product is 0 modulo 2^64
      {file_with(header("'<f4'", "False", "(4611686018427387904, 4)"), 0), "4611686018427387904 x 4"},  // so are its bytes
      {file_with(header("'<f4'", "False", "(2305843009213693953, 2)"), 8), "2305843009213693953 x 2"},
      {file_with(header("'<f4'", "False", "(2, 3)"), 23), "23 bytes follow"},
      {file_with(header("'<f4'", "False", "(2, 3)"), 25), "25 bytes follow"},
      {file_with(header("'<f4'", "False", "(2, 3)") + "x", 24), "does not end"},
      {file_with("{'descr': '<f4', 'fortran_order': False}", 24), "lacks"},
      {file_with("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 24), "unexpected field \"descr\""},
      {file_with("{'descr': '<f4", 24), "unfinished"},
      {file_with("{'shape': (2, 3", 24), "header"},
      {file_with("", 24), "header"},
      {file_with(std::string(65000, '{'), 0), "header"},
  };
  for (const auto& [bytes, reason] : bad) {
    INFO(reason);
    const auto path = write(folder / "bad.npy", bytes);
    try {
      static_cast<void>(store::read_npy(path));
      FAIL("was read");
    } catch (const Error& error) {
      CHECK(error.status() == Status::invalid_data);
      CHECK_THAT(error.what(), Catch::Contains(path.string()) && Catch::Contains(reason));
    }
  }
}

TEST_CASE("every prefix of a file is refused, and every changed header byte is either refused or read as 24 bytes") {
  const TemporaryFolder folder;
  for (std::size_t size = 0; size < numpy_file.size(); ++size) {
    CHECK_THROWS_AS(store::read_npy(write(folder / "a.npy", numpy_file.substr(0, size))), Error);
  }
  for (std::size_t position = 0; position < 128; ++position) {
    for (const int change : {1, 0x20, 0x80}) {
      std::string file = numpy_file;
      file[position] = static_cast<char>(file[position] ^ change);
      try {
        const std::size_t size = store::read_npy(write(folder / "a.npy", file)).size();
        CHECK(size == 6);
      } catch (const Error& error) {
        CHECK(error.status() == Status::invalid_data);
      }
    }
  }
}

TEST_CASE("a missing file is not found, a folder is an io_error") {
  const TemporaryFolder folder;
  try {
    static_cast<void>(store::read_npy(folder / "none.npy"));
    FAIL("was read");
  } catch (const Error& error) {
    CHECK(error.status() == Status::not_found);
  }
  CHECK_THROWS_AS(store::read_npy(folder.path()), Error);
}
