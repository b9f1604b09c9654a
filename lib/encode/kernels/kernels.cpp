#include "encode/kernels/kernels.hpp"

#include "platform/processors.hpp"

namespace inlay::encode {

const Kernels& kernels() noexcept {
#if defined(__x86_64__)
  switch (platform::instruction_set()) {
    case platform::InstructionSet::avx512: return kernels_avx512();
    case platform::InstructionSet::avx2: return kernels_avx2();
    case platform::InstructionSet::portable: break;
  }
#endif
  return kernels_portable();
}

}  // namespace inlay::encode
