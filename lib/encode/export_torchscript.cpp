#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "encode/encoder.hpp"
#include "encode/script_program.hpp"
#include "encode/sentence_head.hpp"
#include "inlay/error.hpp"
#include "inlay/torchscript.hpp"
#include "model/hub/cache.hpp"
#include "model/model_config.hpp"
#include "model/model_source.hpp"
#include "platform/files.hpp"
#include "tokenize/tokenizer_factory.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// The model's files that are needed beside its program, relative to its folder.
std::vector<std::string> files_beside(const model::ModelSource& source, const model::ModelConfig& config) {
  std::vector<std::string> files = config.files;
  const model::ModelSource transformer = model::transformer_source(source);
  for (std::string& file : tokenize::tokenizer_files(transformer)) files.push_back(std::move(file));
  if (transformer.has("tokenizer_config.json")) files.push_back(transformer.path("tokenizer_config.json"));
  const std::size_t pooled_width = config.sentence.poolings.size() * config.transformer.hidden_size;
  const encode::SentenceHead head(source, config.sentence.modules, pooled_width);
  files.insert(files.end(), head.files().begin(), head.files().end());
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

[[noreturn]] void refuse_in_the_way(const fs::path& path) {
  throw Error(Status::invalid_argument,
              fmt::format("{} is in the way; choose another place, or have it overwritten (--force)", path.string()));
}

}  // namespace

std::vector<fs::path> export_torchscript(const fs::path& model, const fs::path& output, const ExportOptions& options) {
  std::error_code error;
  if (fs::is_regular_file(model, error)) {
    throw Error(Status::invalid_argument, fmt::format("{} is a file (a program already?), not a model's folder or name", model.string()));
  }
  if (!output.has_filename()) {
    throw Error(Status::invalid_argument, fmt::format("\"{}\" names no file for the program", output.string()));
  }
  const auto source = model::ModelSource::from_folder(model::hub::locate(model, options.revision, options.allow_download));
  const model::ModelConfig config = model::read_model_config(source, encode::architecture_names());
  const fs::path folder = output.has_parent_path() ? output.parent_path() : ".";

  if (!options.overwrite && fs::exists(output, error)) refuse_in_the_way(output);
  std::vector<std::pair<fs::path, model::FileBytes>> copies;
  for (const std::string& file : files_beside(source, config)) {
    const fs::path place = folder / file;
    if (place.lexically_normal() == (folder / output.filename()).lexically_normal()) {
      throw Error(Status::invalid_argument,
                  fmt::format("{} is the place of one of the model's own files; call the program otherwise (model.pt)", output.string()));
    }
    model::FileBytes bytes = source.read(file);
    const bool is_there = fs::exists(place, error);
    if (is_there && platform::read_file(place) == bytes.bytes) continue;
    if (is_there && !options.overwrite) refuse_in_the_way(place);
    copies.emplace_back(place, std::move(bytes));
  }

  platform::ReplacementFile program(output);
  encode::write_script_program(source, config, program.path());
  program.commit();
  std::vector<fs::path> written = {output};
  for (const auto& [place, bytes] : copies) {
    platform::write_file_whole(place, bytes.bytes);
    written.push_back(place);
  }
  return written;
}

}  // namespace inlay
