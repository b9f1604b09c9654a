// Any bytes as model.safetensors: tensors that lie inside the file, all of whose elements can be read, or an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "check_tensors.hpp"
#include "inlay/error.hpp"
#include "model/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  try {
    inlay::fuzz::check_tensors(inlay::model::Safetensors(file, "fuzz").tensors(), file);
  } catch (const inlay::Error&) {
  }
  return 0;
}
