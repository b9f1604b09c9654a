#define INLAY_KERNELS kernels_avx512
#define INLAY_KERNELS_NAME "avx512"
#define INLAY_LANES 16
#define INLAY_TILE_ROWS 12
#define INLAY_TILE_VECTORS 2
#include "encode/kernels/kernels_body.hpp"
