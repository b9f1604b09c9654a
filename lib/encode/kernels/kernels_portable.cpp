#define INLAY_KERNELS kernels_portable
#define INLAY_KERNELS_NAME "portable"
#define INLAY_LANES 4
#define INLAY_TILE_ROWS 4
#define INLAY_TILE_VECTORS 2
#include "encode/kernels/kernels_body.hpp"
