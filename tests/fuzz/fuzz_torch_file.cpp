// Any bytes as pytorch_model.bin, a zip archive or stacked pickles: tensors that lie inside the file, all of whose elements can be read, or an Error.
// What is neither is the data.pkl of an archive with one storage, so that the pickle is reached without a directory's checks. And as a
// TorchScript program's file, as far as it is checked before libtorch reads it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../support/torch_archive.hpp"
#include "check_tensors.hpp"
#include "inlay/error.hpp"
#include "model/torch_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto run = [](std::string_view file) {
    try {
      inlay::fuzz::check_tensors(inlay::model::TorchFile(file, "fuzz").tensors(), file);
    } catch (const inlay::Error&) {
    }
  };
  const auto run_program = [](std::string_view file) {
    try {
      inlay::model::require_torchscript(file, "fuzz");
    } catch (const inlay::Error&) {
    }
  };
  run(input);
  run_program(input);
  if (!input.starts_with("PK")) {
    const std::pair<std::string, std::string> pickle = {"a/data.pkl", std::string(input)};
    const std::pair<std::string, std::string> storage = {"a/data/0", std::string(64, 'x')};
    run(inlay::test::torch_archive({pickle, storage}));
    run_program(inlay::test::torch_archive({pickle, storage, {"a/constants.pkl", "\x80\2)."}}));
  }
  return 0;
}
