// Packing: a model's linear layers in the order that the kernels read them in. Half the time that a model takes to load is this, so the
// layers are announced first, and then packed together, on all processors.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "model/tensor_files.hpp"

namespace inlay::encode {

class Packing {
 public:
  /// The files must outlive the object.
  explicit Packing(const model::TensorFiles& files) : files_(files) {}

  /// Announces a layer [out, in], whose rows are those of `parts`, one part after the other: tensors of `files` of the same shape, no type
  /// of which is `other`. Returns the packed weights' place, packed_floats of them, which run() fills.
  [[nodiscard]] std::shared_ptr<float> add(std::vector<const model::StoredTensor*> parts, std::size_t out, std::size_t in);

  /// Packs all that was announced. What was read leaves the files' resident pages.
  void run();

 private:
  struct Layer {
    std::vector<const model::StoredTensor*> parts;
    std::size_t out, in;
    std::shared_ptr<float> packed;
  };
  std::shared_ptr<float> allocate(std::size_t floats);
  void pack(const Layer& layer) const;

  const model::TensorFiles& files_;
  std::vector<Layer> layers_;
  std::shared_ptr<std::byte> block_;  // the last one that allocate() cut pieces from
  std::size_t block_size_ = 0;
  std::size_t block_used_ = 0;
};

}  // namespace inlay::encode
