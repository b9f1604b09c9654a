// Checkpoints that torch.save wrote (pytorch_model.bin), in both of its forms: the zip archive of torch 1.6 and later, and the pickles
// before it, with the storages' bytes behind them. The tensors stay where they lie in the file.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "model/tensor_view.hpp"

namespace inlay::model {

/// Throws Error naming `label` unless the file is an archive that holds a TorchScript program, as torch.jit.save writes it, and all the
/// bytes that its tensors are made of, which libtorch does not check: unsupported for
/// a checkpoint, which is none, invalid_model for anything else.
void require_torchscript(std::string_view file, const std::string& label);

class TorchFile {
 public:
  /// Reads a state_dict, or one that lies in a dictionary under "state_dict", "model_state_dict", "model" or "module"; what is no tensor is
  /// passed over. Checks that every tensor lies inside its storage. The file must outlive the object. Throws Error naming `label`
  /// and the tensor or the global at fault: invalid_model, or unsupported (big-endian, compressed, tar, more than tensors).
  TorchFile(std::string_view file, const std::string& label);

  [[nodiscard]] const std::map<std::string, TensorView, std::less<>>& tensors() const noexcept { return tensors_; }

 private:
  std::map<std::string, TensorView, std::less<>> tensors_;
};

}  // namespace inlay::model
