// A model as a TorchScript program of its own: an architecture's source on plain aten operators in place of ours.
#pragma once

#include <filesystem>

#include "model/model_config.hpp"
#include "model/model_source.hpp"

namespace inlay::encode {

/// Writes it to `path`, whose folder is there. Throws Error: as Encoder::load, io_error.
void write_script_program(const model::ModelSource& source, const model::ModelConfig& config, const std::filesystem::path& path);

}  // namespace inlay::encode
