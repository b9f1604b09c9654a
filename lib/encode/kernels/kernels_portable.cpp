#define INLAY_LANES 4
#define INLAY_TILE_ROWS 4
#define INLAY_TILE_VECTORS 2
#include "encode/kernels/kernels.hpp"

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace inlay::encode {
namespace {
#include "encode/kernels/kernels_body.hpp"
}  // namespace

const Kernels& kernels_portable() noexcept {
  static constexpr Kernels set{"portable", panel, pack, linear, attention, attention_scratch, layer_norm, embed};
  return set;
}

}  // namespace inlay::encode
