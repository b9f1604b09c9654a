// The custom operators that an architecture's TorchScript source calls as inlay.name(…). Each has two bodies: our kernels where the weights
// are packed for the CPU (three dimensions), and plain aten operators for any other device.
//
//   embed(Tensor tokens, Tensor positions, Tensor word, Tensor position, Tensor? type) -> Tensor
//       [tokens, hidden]: the sum of the three embeddings; type [hidden], if any, is the same for every token
//   layer_norm(Tensor x, Tensor gamma, Tensor beta, float epsilon) -> Tensor
//   linear(Tensor x, Tensor weight, Tensor bias, int activation) -> Tensor
//       activation(x * transposed weight + bias); model::Activation by its number
//   linear_add_norm(Tensor x, Tensor weight, Tensor bias, Tensor residual, Tensor gamma, Tensor beta, float epsilon) -> Tensor
//       layer_norm(x * transposed weight + bias + residual)
//   attention(Tensor qkv, Tensor lengths, int heads, Tensor? relative_bias=None) -> Tensor
//       qkv [tokens, 3 * hidden]; lengths [sequences], int64, on the CPU; relative_bias [heads, 2 * positions - 1]: added to the score of
//       a key and a query, by how far the key lies behind the query, distance 0 in the middle
//   pool(Tensor hidden, Tensor lengths, int pooling, Tensor skip) -> Tensor
//       [sequences, hidden]; skip [sequences]: leading tokens left out
#pragma once

#include <string>

namespace inlay::encode {

/// Registers the operators with libtorch, once in a process for each copy of this library, and returns their namespace: "inlay", or where
/// another copy (a program's own beside the C library's, say) has that, "inlay_2" and so on.
const std::string& register_operators();

}  // namespace inlay::encode
