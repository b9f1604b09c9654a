// Matrix and Vector: xtensor's containers, row-major, rows are items.
#pragma once

#include <xtensor/xtensor.hpp>

namespace inlay {

using Matrix = xt::xtensor<float, 2>;  ///< shape {items, dimension}
using Vector = xt::xtensor<float, 1>;  ///< shape {dimension}

}  // namespace inlay
