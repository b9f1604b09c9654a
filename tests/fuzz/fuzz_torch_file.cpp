// Any bytes as pytorch_model.bin, a zip archive or stacked pickles: tensors that lie inside the file, all of whose elements can be read, or an Error.
// What is neither is the data.pkl of an archive with one storage, so that the pickle is reached without a directory's checks.
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
  run(input);
  if (!input.starts_with("PK")) run(inlay::test::torch_archive({{"a/data.pkl", std::string(input)}, {"a/data/0", std::string(64, 'x')}}));
  return 0;
}
