#define INLAY_KERNELS kernels_avx2
#define INLAY_KERNELS_NAME "avx2"
#define INLAY_LANES 8
#define INLAY_TILE_ROWS 6
#define INLAY_TILE_VECTORS 2
#include "encode/kernels/kernels_body.hpp"
