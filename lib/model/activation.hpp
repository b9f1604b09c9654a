// The functions that stand behind linear layers. Apart from all else: the kernels are compiled for several instruction sets and include no
// more than this.
#pragma once

namespace inlay::model {

enum class Activation { none, gelu, gelu_tanh, relu, silu };

}  // namespace inlay::model
