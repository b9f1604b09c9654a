// Torch checkpoints made by hand, so that each byte can be wrong. What real writers write is read in test_torch_files.py.
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/pickle.hpp"
#include "model/tensor_files.hpp"
#include "model/torch_file.hpp"
#include "model/zip_directory.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/torch_archive.hpp"

namespace inlay::test {
namespace {

using model::Pickle;
using model::TorchFile;
using model::ZipDirectory;

constexpr std::string_view elements = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl";  // 12 of 4 bytes

/// A checkpoint of the one tensor "t", whose storage "0" has 12 elements.
std::string checkpoint(const std::string& tensor) {
  return torch_archive({{"archive/data.pkl", dictionary({{"t", tensor}})}, {"archive/data/0", std::string(elements)}});
}

void check_refused(const std::string& file, std::initializer_list<std::string_view> named, Status status = Status::invalid_model) {
  check_error(status, named, [&] { TorchFile(file, "weights.bin"); });
}

void check_pickle(const std::string& body, std::initializer_list<std::string_view> named) {
  CAPTURE(body.substr(0, 100));
  check_error(Status::invalid_model, named, [&] { Pickle("\x80\x02" + body, "data.pkl"); });
}

}  // namespace

TEST_CASE("a tensor lies where its strides say", "[torch_file]") {
  const std::string file = checkpoint(tensor_of(storage("0", 12), 1, {2, 3}, {4, 1}));
  const TorchFile checkpoint(file, "weights.bin");
  const model::TensorView& view = checkpoint.tensors().at("t");
  CHECK(view.dtype == "F32");
  CHECK(view.shape == std::vector<std::size_t>{2, 3});
  CHECK(view.strides == std::vector<std::size_t>{4, 1});
  CHECK(view.bytes == elements.substr(4, 7 * 4));
  std::string gathered(24, ' ');
  copy_row_major(view, reinterpret_cast<std::byte*>(gathered.data()));
  CHECK(gathered == std::string(elements.substr(4, 12)) + std::string(elements.substr(20, 12)));
}

TEST_CASE("the strides of dimensions of one element do not matter", "[torch_file]") {
  const std::string file = checkpoint(tensor_of(storage("0", 12), 0, {1, 4, 1}, {1'000'000'000, 1, 7}));
  const TorchFile checkpoint(file, "weights.bin");
  CHECK(checkpoint.tensors().at("t").contiguous());
  CHECK(checkpoint.tensors().at("t").bytes == elements.substr(0, 16));
}

TEST_CASE("a tensor that reaches outside its storage is refused by name", "[torch_file]") {
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  const auto check = [](std::int64_t offset, const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
    CAPTURE(offset, shape, strides);
    check_refused(checkpoint(tensor_of(storage("0", 12), offset, shape, strides)), {"weights.bin", "tensor t", "storage 0"});
  };
  check(0, {13}, {1});
  check(1, {12}, {1});
  check(12, {1}, {1});
  check(13, {}, {});
  check(0, {2, 2}, {11, 1});
  check(0, {12}, {2});
  check(huge, {1}, {1});
  check(0, {huge}, {1});
  check(0, {huge}, {huge});
  check(0, {huge, huge}, {0, 0});
  check(0, {2}, {huge});
  check(huge, {2}, {huge});
  check(0, {3, 3}, {huge, huge});
  check(0, {13}, {0});  // more elements than there are, all the same one
  check(0, {4, 4}, {0, 1});
}

TEST_CASE("a tensor's numbers are sizes", "[torch_file]") {
  check_refused(checkpoint(tensor_of(storage("0", 12), -1, {2}, {1})), {"data.pkl", "offset", "negative"});
  check_refused(checkpoint(tensor_of(storage("0", 12), 0, {-2}, {1})), {"data.pkl", "shape", "negative"});
  check_refused(checkpoint(tensor_of(storage("0", 12), 0, {2}, {-1})), {"data.pkl", "stride", "negative"});
  check_refused(checkpoint(tensor_of(storage("0", -1), 0, {2}, {1})), {"data.pkl", "size", "negative"});
  check_refused(checkpoint(tensor_of(storage("0", 12), 0, {2, 2}, {1})), {"data.pkl", "strides"});
  check_refused(checkpoint(tensor_of(storage("0", 12), 0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1))),
                {"data.pkl", "65 dimensions"});
  check_refused(checkpoint(tensor_of(storage("0", 12, "StrangeStorage"), 0, {2}, {1})), {"weights.bin", "torch.StrangeStorage"},
                Status::unsupported);
}

TEST_CASE("a storage that has too few bytes is named", "[torch_file]") {
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  for (const std::int64_t size : {std::int64_t{13}, huge, (std::int64_t{1} << 62) + 1}) {
    check_refused(checkpoint(tensor_of(storage("0", size), 0, {1}, {1})), {"weights.bin", "storage 0", "48 bytes", std::to_string(size)});
  }
  check_refused(checkpoint(tensor_of(storage("1", 12), 0, {1}, {1})), {"weights.bin", "storage 1", "missing"});
  check_refused(checkpoint(tensor_of(storage("../0", 12), 0, {1}, {1})), {"weights.bin", "storage ../0", "missing"});
}

TEST_CASE("a tensor that is there twice is refused", "[torch_file]") {
  const std::string one = tensor_of(storage("0", 12), 0, {2}, {1});
  check_refused(torch_archive({{"archive/data.pkl", dictionary({{"t", one}, {"t", one}})}, {"archive/data/0", std::string(elements)}}),
                {"weights.bin", "tensor t", "twice"});
}

TEST_CASE("a pickle that does not hold together is refused with the place", "[pickle]") {
  check_pickle("", {"data.pkl", "truncated", "byte 2"});
  check_pickle(".", {"stack is empty"});
  check_pickle("(.", {"stack is empty"});
  check_pickle("N(.", {"stack is empty"});  // what is below a mark is out of reach
  check_pickle("t.", {"mark is missing"});
  check_pickle("0.", {"stack is empty"});
  check_pickle("\x85.", {"stack is empty"});
  check_pickle("2.", {"stack is empty"});
  check_pickle("q\x01.", {"stack is empty"});
  check_pickle("h\x01.", {"memo 1"});
  check_pickle("j\x01\x01\x01\x01.", {"memo 16843009"});
  check_pickle("NNa.", {"no list"});
  check_pickle("N(Ne.", {"no list"});
  check_pickle("]NNs.", {"no list or dictionary"});
  check_pickle("}(Nu.", {"no value"});
  check_pickle("N)R.", {"what is called"});
  check_pickle("ccollections\nOrderedDict\nNR.", {"what a call is given"});
  check_pickle("ccollections\nOrderedDict\n]]\x86R.", {"OrderedDict"});
  check_pickle("ccollections\nOrderedDict\n]Na\x85R.", {"OrderedDict"});
  check_pickle("ccollections\nOrderedDict\n]]Naa\x85R.", {"OrderedDict"});
  check_pickle("ctorch\nFloatStorage\n)R.", {"torch.FloatStorage"});
  check_pickle("ctorch._utils\n_rebuild_tensor_v2\n)R.", {"_rebuild_tensor_v2", "0 arguments"});
  check_pickle("ctorch._utils\n_rebuild_tensor\n(NNNNNtR.", {"_rebuild_tensor", "5 arguments"});
  check_pickle("ctorch._utils\n_rebuild_tensor\n(NNNNtR.", {"storage"});
  check_pickle("ctorch._utils\n_rebuild_parameter\n)R.", {"_rebuild_parameter"});
  check_pickle("ctorch._utils\n_rebuild_parameter\nN\x85R.", {"a parameter"});
  check_pickle("NQ.", {"storage's id"});
  check_pickle(")Q.", {"persistent id"});
  check_pickle("N}b.", {"attributes"});
  check_pickle("X\xff\xff\xff\xff", {"truncated"});
  check_pickle("\x8d\xff\xff\xff\xff\xff\xff\xff\xff", {"truncated"});
  check_pickle("\x8a\xff", {"truncated"});
  check_pickle("cno end", {"no end"});
  check_pickle("\x80\x06.", {"protocol 6"});
  check_pickle(std::string("\x81\0.", 3), {"0x81", "byte 2"});
}

TEST_CASE("a pickle's globals are refused before anything else happens", "[pickle]") {
  const auto check = [](const std::string& body, std::string_view name) {
    check_error(Status::unsupported, {"data.pkl", name}, [&] { Pickle(body, "data.pkl"); });
  };
  check("cos\nsystem\n.", "os.system");
  check("(ios\nsystem\n.", "os.system");
  check("cbuiltins\neval\n", "builtins.eval");
  check("\x8c\x02os\x8c\x06system\x93", "os.system");
  check("ctorch\nStorage.x\n", "torch.Storage.x");
  check("ctorch.storage\nFloatStorage\n", "torch.storage.FloatStorage");
  check("ctorch._utils\n_rebuild_tensor_v3\n", "_rebuild_tensor_v3");
  check("ccollections\ncounter\n", "collections.counter");
  check("c\n\n", "names .,");
  check("ca\xff\x1b[31m\nb\n", "?[31m.b");  // what a terminal would obey does not reach it
  check("c" + std::string(100'000, 'a') + "\nb\n", "aaa...");
}

TEST_CASE("a short pickle cannot make much of itself", "[pickle]") {
  // A list of a thousand, copied by two bytes at a time.
  std::string body = "](";
  for (int i = 0; i < 1000; ++i) body += "]NaNa";  // pairs: [None, None]
  body += "eq\1";
  body += "0ccollections\nOrderedDict\nq\2";
  for (int i = 0; i < 100'000; ++i) body += "h\2h\1\x85R0";
  check_pickle(body + "N.", {"more than 4000000 values"});

  check_pickle("](" + std::string(5'000'000, 'N') + "e.", {"more than 4000000 values"});
  check_pickle("N" + std::string(5'000'000, '2') + ".", {"too many values"});
  check_pickle(std::string(5'000'000, '(') + ".", {"too many marks"});
  // A tensor of 64 dimensions, made over and over from what the memo holds.
  const std::vector<std::int64_t> sizes(64, 1);
  std::string copies =
      "ctorch._utils\n_rebuild_tensor_v2\nq\1(" + storage("0", 4) + pickled(std::int64_t{0}) + pickled(sizes) + pickled(sizes) + "tq\2";
  for (int i = 0; i < 100'000; ++i) copies += "h\1h\2R0";
  check_pickle(copies + ".", {"values in containers"});
  check_pickle(std::string(1'000'000, ']') + std::string(1'000'000, 'a') + "a.", {"stack is empty"});
}

TEST_CASE("a pickle may hold itself, and be nested without end", "[pickle]") {
  const Pickle itself("]q\1h\1a.", "data.pkl");
  CHECK(std::get<model::PickleList>(itself.root()).items.size() == 1);
  const Pickle nested(std::string(1'000'000, ']') + std::string(999'999, 'a') + ".", "data.pkl");
  CHECK(std::get<model::PickleList>(nested.root()).items.size() == 1);
  CHECK(nested.size() == 2'000'000);
  check_refused(torch_archive({{"archive/data.pkl", "}q\1X\5\0\0\0modelh\1s."}}), {"weights.bin"});
}

TEST_CASE("an archive whose records contradict one another is refused", "[zip]") {
  const std::vector<ZipMember> members = {{"a/data.pkl", "first"}, {"a/data/0", "second member"}};
  const auto check = [](const std::string& archive, std::initializer_list<std::string_view> named) {
    check_error(Status::invalid_model, named, [&] { ZipDirectory(archive, "weights.bin"); });
  };
  const std::string valid = zip(members);
  const ZipDirectory directory(valid, "weights.bin");
  CHECK(directory.read("a/data.pkl") == "first");
  CHECK(directory.read("a/data/0") == "second member");

  for (std::size_t size = 0; size < valid.size(); ++size) check(valid.substr(0, size), {"weights.bin"});
  for (std::size_t i = 0; i < valid.size(); ++i) {  // whatever is changed, what is read lies in the archive
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string changed = valid;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      try {
        const ZipDirectory read(changed, "weights.bin");
        for (const auto& [name, member] : read.members()) {
          CHECK((name.data() >= changed.data() && name.data() + name.size() <= changed.data() + changed.size()));
          CHECK((member.bytes.data() >= changed.data() && member.bytes.data() + member.bytes.size() <= changed.data() + changed.size()));
        }
      } catch (const Error& error) {
        CHECK(error.status() != Status::internal);
      }
    }
  }
  const auto with = [&](auto change) {
    auto changed = members;
    change(changed);
    return zip(changed);
  };
  check(with([](auto& m) { m[1].name = m[0].name; }), {"a/data.pkl", "twice"});
  check(with([](auto& m) { m[1].header_name = "a/data/1"; }), {"a/data/0", "differ"});
  check(with([](auto& m) { m[1].header_method = 8; }), {"a/data/0", "differ"});
  check(with([](auto& m) { m[1].offset = 0; }), {"a/data/0", "differ"});
  check(with([](auto& m) { m[1].offset = 7; }), {"a/data/0", "not where it should be"});
  check(with([](auto& m) { m[1].offset = 0xFFFFFFF0; }), {"a/data/0", "truncated or damaged"});
  check(with([](auto& m) { m[0].size = 20; }), {"a/data.pkl", "a/data/0", "overlap"});
  check(with([](auto& m) { m[1].size = 100; }), {"a/data/0", "overlaps the directory"});
  check(with([](auto& m) { m[1].size = 0xFFFFFFF0; }), {"a/data/0", "truncated or damaged"});
  check(with([](auto& m) { m[1].size = 0xFFFFFFFF; }), {"a/data/0", "zip64"});
  check(with([](auto& m) { m[1].whole_size = 12; }), {"a/data/0", "two sizes"});
  const std::string compressed = with([](auto& m) { m[1].method = m[1].header_method = 8; });
  check_error(Status::unsupported, {"weights.bin", "a/data/0", "compressed"},
              [&] { (void)ZipDirectory(compressed, "weights.bin").read("a/data/0"); });
  check("PK\3\4" + std::string(100, '\0'), {"weights.bin", "directory is missing"});
  check(zip(members, {.entries = 3}), {"weights.bin", "3 members"});
  check(zip(members, {.entries = 60'000}), {"weights.bin", "60000 members"});
  check(zip(members, {.directory_offset = 0xFFFFFF00}), {"weights.bin", "truncated or damaged"});
}

TEST_CASE("files that are no checkpoints are refused for what they are", "[torch_file]") {
  check_refused("", {"weights.bin", "empty"});
  check_refused("hello", {"weights.bin"});
  check_refused("\x80", {"weights.bin"});
  check_refused("\x80\x02N.", {"weights.bin", "torch.save"});
  check_refused("PK\3\4", {"weights.bin"});
  check_refused("version https://git-lfs.github.com/spec/v1\n", {"weights.bin", "git lfs pull"});
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  check_refused(tar, {"weights.bin", "tar"}, Status::unsupported);
}

}  // namespace inlay::test
