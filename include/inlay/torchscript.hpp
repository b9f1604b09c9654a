// A model as one TorchScript program: for Python, for programs of your own on libtorch, and for EmbeddingGenerator::load.
//
//   inlay::export_torchscript("sentence-transformers/all-MiniLM-L6-v2", "minilm/model.pt");
//
//   # Python
//   program = torch.jit.load("minilm/model.pt")
//   output = program(tokens["input_ids"], tokens["attention_mask"])       # int64 or bool [batch, length], of texts padded at either end
//   output["last_hidden_state"]                                           # [batch, length, hidden], 0 where the mask is
//   output["sentence_embedding"]                                          # [batch, dimension]: pooled, and through the model's modules
//
// The program is the one that the library itself runs, on plain aten operators in place of its own kernels: float32, any batch, any length
// from 1 up to the model's positions, any device (map_location, or .to). A text's prompt takes part in its pooling, also of models that leave
// it out. The same model gives the same bytes.
//
// Thread rule: any thread, any number at once, as long as they write to different places.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace inlay {

struct ExportOptions {
  bool overwrite = false;       ///< whether other files that are in the way are replaced
  std::string revision{};       ///< as GeneratorOptions::revision
  bool allow_download = false;  ///< as GeneratorOptions::allow_download
};

/// Writes the program of a model (a folder or a name, as EmbeddingGenerator::load takes it) to `output`, whose folder is made where it is
/// missing, and beside it the small files of the model that loading the program needs: its tokenizer's, its config.json, its
/// modules and theirs. Returns all files written, the program first; a file that is there already with the same bytes is left alone. Each
/// is written beside its place and then moved there. Throws Error: whatever load throws for this model; invalid_argument where another file
/// is in the way, before anything is written; io_error.
std::vector<std::filesystem::path> export_torchscript(const std::filesystem::path& model, const std::filesystem::path& output,
                                                      const ExportOptions& options = {});

}  // namespace inlay
