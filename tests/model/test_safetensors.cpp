#include <fmt/format.h>

#include <filesystem>
#include <random>
#include <string>

#include "model/safetensors.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

using model::DataType;
using model::Safetensors;

/// A file with this header and so many bytes of data.
std::string file(std::string_view header, std::size_t data) { return safetensors_head(header) + std::string(data, '\x2A'); }

void check_refused(const std::string& bytes, std::initializer_list<std::string_view> named) {
  check_error(Status::invalid_model, named, [&] { Safetensors(bytes, "weights.safetensors"); });
}

}  // namespace

TEST_CASE("tensors are read with their type, shape and place", "[safetensors]") {
  const std::string bytes =
      safetensors({{"a", {2, 3}, std::string(24, 'a')}, {"b.c", {}, "bbbb"}, {"half", {3}, "hhhhhh", "F16"}, {"none", {0, 7}, ""}});
  const Safetensors weights(bytes, "weights");
  REQUIRE(weights.tensors().size() == 4);
  CHECK(weights.tensors().at("a").shape == std::vector<std::size_t>{2, 3});
  CHECK(weights.tensors().at("a").type == DataType::float32);
  CHECK(weights.tensors().at("a").bytes == std::string(24, 'a'));
  CHECK(weights.tensors().at("b.c").shape.empty());
  CHECK(weights.tensors().at("b.c").bytes == "bbbb");
  CHECK(weights.tensors().at("half").type == DataType::float16);
  CHECK(weights.tensors().at("half").bytes == "hhhhhh");
  CHECK(weights.tensors().at("none").bytes.empty());
}

TEST_CASE("tensors may lie in any order, and there may be none", "[safetensors]") {
  const std::string bytes =
      file(R"({"late":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"early":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 6);
  CHECK(Safetensors(bytes, "weights").tensors().size() == 2);
  CHECK(Safetensors(file("{}", 0), "weights").tensors().empty());
  CHECK(Safetensors(file(R"({"__metadata__":{"format":"pt"}}    )", 0), "weights").tensors().empty());
}

TEST_CASE("a file too short for its header is refused", "[safetensors]") {
  for (std::size_t size = 0; size < 8; ++size) check_refused(std::string(size, '\0'), {"weights.safetensors"});
  check_refused(safetensors_head("{}").substr(0, 9), {"weights.safetensors", "truncated"});
}

TEST_CASE("header lengths that no file can have are refused", "[safetensors]") {
  for (const std::uint64_t length : {std::uint64_t{1} << 20, std::uint64_t{100'000'001}, std::uint64_t{1} << 40, std::uint64_t{1} << 63,
                                     ~std::uint64_t{0}, ~std::uint64_t{7}}) {
    std::string bytes(64, ' ');
    std::memcpy(bytes.data(), &length, 8);
    CAPTURE(length);
    check_refused(bytes, {"weights.safetensors", std::to_string(length)});
  }
}

TEST_CASE("a header that is not a JSON object is refused", "[safetensors]") {
  for (const std::string_view header : {"", "[]", "null", "3", "\"text\"", "{", "{\"a\"", "{\"a\":}", "not json",
                                        "{\"a\":{\"dtype\":\"F32\"", "\xff\xfe", "{\"\xff\":{}}"}) {
    CAPTURE(header);
    check_refused(file(header, 16), {"weights.safetensors"});
  }
  check_refused(file(std::string(200'000, '['), 0), {"weights.safetensors"});
}

TEST_CASE("every truncation of a valid file is refused", "[safetensors]") {
  const std::string bytes = safetensors({{"a", {2, 3}, std::string(24, 'a')}, {"b", {2}, "bbbbbbbb"}});
  REQUIRE_NOTHROW(Safetensors(bytes, "weights"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    check_refused(bytes.substr(0, size), {"weights.safetensors"});
  }
}

TEST_CASE("hostile descriptions of a tensor are refused, and the tensor is named", "[safetensors]") {
  const auto entry = [](std::string_view fields) { return file(fmt::format(R"({{"evil.weight":{}}})", fields), 16); };
  for (const std::string_view fields : {
           R"([])",
           R"(null)",
           R"({})",  // nothing there
           R"({"shape":[4],"data_offsets":[0,16]})",
           R"({"dtype":"F32","data_offsets":[0,16]})",                                                   // parts missing
           R"({"dtype":"F32","shape":[4]})",                                                             //
           R"({"dtype":32,"shape":[4],"data_offsets":[0,16]})",                                          // wrong types
           R"({"dtype":"F32","shape":4,"data_offsets":[0,16]})",                                         //
           R"({"dtype":"F32","shape":["4"],"data_offsets":[0,16]})",                                     //
           R"({"dtype":"F32","shape":[4.0],"data_offsets":[0,16]})",                                     //
           R"({"dtype":"F32","shape":[-4],"data_offsets":[0,16]})",                                      //
           R"({"dtype":"F32","shape":[4],"data_offsets":16})",                                           //
           R"({"dtype":"F32","shape":[4],"data_offsets":[16]})",                                         //
           R"({"dtype":"F32","shape":[4],"data_offsets":[0,8,16]})",                                     //
           R"({"dtype":"F32","shape":[4],"data_offsets":["0","16"]})",                                   //
           R"({"dtype":"F32","shape":[4],"data_offsets":[0.0,16.0]})",                                   //
           R"({"dtype":"F32","shape":[4],"data_offsets":[-16,0]})",                                      //
           R"({"dtype":"F31","shape":[4],"data_offsets":[0,16]})",                                       // unknown dtype
           R"({"dtype":"F32","shape":[4],"data_offsets":[16,0]})",                                       // backwards
           R"({"dtype":"F32","shape":[4],"data_offsets":[4,20]})",                                       // out of range
           R"({"dtype":"F32","shape":[4],"data_offsets":[16,32]})",                                      //
           R"({"dtype":"F32","shape":[4],"data_offsets":[18446744073709551600,18446744073709551615]})",  // overflowing
           R"({"dtype":"F32","shape":[4],"data_offsets":[18446744073709551608,8]})",                     //
           R"({"dtype":"F32","shape":[4],"data_offsets":[0,99999999999999999999999]})",                  //
           R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]})",                   //
           R"({"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]})",                      // times 4 is 4 in 64 bits
           R"({"dtype":"U8","shape":[6148914691236517206,3],"data_offsets":[0,2]})",                     //
           R"({"dtype":"F32","shape":[3],"data_offsets":[0,16]})",                                       // size and shape disagree
           R"({"dtype":"F32","shape":[],"data_offsets":[0,16]})",                                        //
           R"({"dtype":"F64","shape":[4],"data_offsets":[0,16]})",                                       //
           R"({"dtype":"F4","shape":[3],"data_offsets":[0,1]})",                                         // not whole bytes
       }) {
    CAPTURE(fields);
    check_refused(entry(fields), {"weights.safetensors",
                                  std::string_view(fields).find("99999999999999999999999") == std::string_view::npos ? "evil.weight" : ""});
  }
}

TEST_CASE("tensors that overlap are refused, and both are named", "[safetensors]") {
  check_refused(
      file(R"({"one":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"two":{"dtype":"U8","shape":[8],"data_offsets":[7,15]}})", 16),
      {"one", "two", "overlap"});
  check_refused(
      file(R"({"one":{"dtype":"U8","shape":[8],"data_offsets":[4,12]},"two":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}})", 16),
      {"one", "two"});
  check_refused(
      file(R"({"inner":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"outer":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}})", 16),
      {"inner", "outer"});
}

TEST_CASE("a tensor described twice is refused", "[safetensors]") {
  check_refused(
      file(R"({"twin":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"twin":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}})", 16),
      {"twin", "twice"});
}

TEST_CASE("a Git LFS pointer in the weights' place is refused with the remedy", "[safetensors]") {
  check_refused(
      "version https://git-lfs.github.com/spec/v1\noid sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db\nsize "
      "90868376\n",
      {"weights.safetensors", "Git LFS", "git lfs pull"});
}

TEST_CASE("a name of control characters does not break the message's line", "[safetensors]") {
  check_refused(file(R"({"two\nlines":{"dtype":"F31","shape":[4],"data_offsets":[0,16]}})", 16), {"weights.safetensors"});
}

TEST_CASE("random damage gives a file or an Error, nothing else", "[safetensors]") {
  const std::string valid = safetensors({{"a", {2, 3}, std::string(24, 'a')}, {"b", {2}, "bbbbbbbb"}, {"c", {1}, "cccc"}});
  std::mt19937 random(11);
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = valid;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int change = 0; change < changes; ++change) bytes[random() % (bytes.size() - 36)] = static_cast<char>(random());
    try {
      const Safetensors weights(bytes, "weights");
      for (const auto& [name, tensor] : weights.tensors()) {
        REQUIRE((tensor.bytes.empty() ||
                 (tensor.bytes.data() >= bytes.data() && tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + bytes.size())));
      }
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 10'000);
}

TEST_CASE("the reference implementation's own files are read", "[safetensors]") {
  const auto data = data_folder();
  INLAY_SKIP_WITHOUT(data, "INLAY_DATA");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*data / "safetensors")) {
    if (entry.path().extension() != ".safetensors") continue;
    CAPTURE(entry.path());
    const std::string bytes = read(entry.path());
    CHECK(!Safetensors(bytes, entry.path().string()).tensors().empty());
    ++files;
  }
  CHECK(files >= 10);
}

}  // namespace inlay::test
