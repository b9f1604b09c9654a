#include "code/code_embedding_files.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "code/snippet_json.hpp"
#include "inlay/error.hpp"
#include "platform/log.hpp"
#include "store/json_number.hpp"
#include "store/npy.hpp"

namespace inlay::code {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

// Guards all files of a folder, as they are shared by outputs of different names.
platform::FileLock lock_folder(const CodeEmbeddingPaths& paths) {
  const fs::path folder = paths.vectors.parent_path();
  platform::create_folders(folder);
  auto lock = platform::FileLock::try_acquire(folder / fmt::format(".{}.lock", paths.vectors.filename().string()));
  if (!lock)
    throw Error(Status::io_error, fmt::format("another run is writing code embeddings into {}: wait until it has ended", folder.string()));
  if (lock->excludes()) {  // what a killed run left
    for (const fs::path& path : {paths.snippets, paths.vectors, paths.rows, paths.index, paths.index_metadata}) {
      platform::remove_temporary_files(path);
    }
  }
  return std::move(*lock);
}

void append_vector(std::string& json, std::span<const float> vector) {
  json += '[';
  for (const float number : vector) {
    if (json.back() != '[') json += ',';
    store::append_json_number(json, number);
  }
  json += ']';
}

// A JSON object's text, open for more members.
std::string_view without_end(std::string_view object) {
  if (object.size() <= 2 || !object.starts_with('{') || !object.ends_with('}')) {
    throw Error(Status::invalid_argument, "the json of a snippet is not the text of an object");
  }
  object.remove_suffix(1);
  return object;
}

}  // namespace

CodeEmbeddingPaths::CodeEmbeddingPaths(const fs::path& output) {
  const fs::path folder = output.parent_path();  // of a name alone: empty
  const std::string name = output.filename().string();
  std::error_code error;
  if (name.empty() || name == "." || name == ".." || fs::is_directory(output, error)) {
    throw Error(Status::invalid_argument, fmt::format("the output \"{}\" is not the name of a file", output.string()));
  }
  snippets = output;
  vectors = folder / "embeddings" / "code_embeddings.npy";
  rows = folder / "embeddings" / "metadata.json";
  index = folder / "faiss_index.index";
  index_metadata = folder / "faiss_metadata.json";
  journal = folder / fmt::format(".{}.journal", name);
  if (output == index || output == index_metadata || output == vectors.parent_path()) {
    throw Error(Status::invalid_argument,
                fmt::format("the output \"{}\" has the name of another file or folder that is written", output.string()));
  }
}

void GrowingList::append(std::string_view json) {
  file_.append(std::exchange(empty_, false) ? "\n" : ",\n");
  file_.append(json);
}

void GrowingList::finish() {
  file_.append(empty_ ? "]\n" : "\n]\n");
  file_.finish();
}

CodeEmbeddingFiles::CodeEmbeddingFiles(CodeEmbeddingPaths paths, std::size_t dimension)
    : paths_(std::move(paths)),
      dimension_(dimension),
      lock_(lock_folder(paths_)),
      vectors_(paths_.vectors),
      metadata_(paths_.rows),
      snippets_(paths_.snippets) {
  vectors_.append(store::npy_header(0, dimension_));
}

void CodeEmbeddingFiles::append(const CodeRow& row) {
  const Snippet& snippet = row.record.snippet;
  line_ = row.record.json.empty() ? to_json(snippet) : row.record.json;
  line_.resize(without_end(line_).size());
  line_ += ",\"embedding\":";
  append_vector(line_, row.vector);
  line_ += '}';
  snippets_.append(line_);
  items_checksum_ = items_checksum(items_checksum_, snippet);
  metadata_.append(metadata_row(snippet, rows_, row.tokens, row.truncated));
  vectors_.append({reinterpret_cast<const char*>(row.vector.data()), row.vector.size_bytes()});
  ++rows_;
}

void CodeEmbeddingFiles::commit(SnippetIndexInfo info, const std::optional<VectorIndexOptions>& index) {
  vectors_.overwrite(0, store::npy_header(rows_, dimension_));
  vectors_.finish();
  metadata_.finish();
  snippets_.finish();
  if (index) {
    const platform::MappedFile mapped(vectors_.path());
    const std::string_view bytes = mapped.bytes().substr(store::npy_header_bytes);
    info.dimension = dimension_;
    info.count = rows_;
    info.index_kind = to_string(index_kind(rows_, *index));
    info.vectors_checksum = vectors_checksum(bytes);
    info.items_checksum = fmt::format("{:016x}", items_checksum_);
    write_index_metadata(info);
    save_index(paths_.index, {reinterpret_cast<const float*>(bytes.data()), rows_ * dimension_}, dimension_, *index);
  } else if (std::error_code error; fs::exists(paths_.index, error)) {
    platform::log(LogLevel::warning, fmt::format("{} is an earlier run's, and stays as it is", paths_.index.string()));
  }
  vectors_.commit();
  metadata_.commit();
  snippets_.commit();
  if (index_metadata_) index_metadata_->commit();
}

void CodeEmbeddingFiles::write_index_metadata(const SnippetIndexInfo& info) {
  const nlohmann::ordered_json header = {{"model_name", info.model_name},
                                         {"model_version", info.model_version},
                                         {"dimension", info.dimension},
                                         {"count", info.count},
                                         {"index_kind", info.index_kind},
                                         {"metric", info.metric},
                                         {"normalized", info.normalized},
                                         {"use_cls_token", info.use_cls_token},
                                         {"include_paper_context", info.include_paper_context},
                                         {"paper_context_weight", info.paper_context_weight},
                                         {"max_length", info.max_length},
                                         {"vectors_checksum", info.vectors_checksum},
                                         {"items_checksum", info.items_checksum}};
  index_metadata_.emplace(paths_.index_metadata);
  const std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  index_metadata_->append(without_end(text));
  index_metadata_->append(",\"items\":");
  const platform::MappedFile items(metadata_.path());
  for (std::size_t first = 0; first < items.bytes().size(); first += buffer_bytes) {
    const std::string_view part = items.bytes().substr(first, buffer_bytes);
    index_metadata_->append(part);
    items.drop(part);
  }
  index_metadata_->append("}\n");
  index_metadata_->finish();
}

std::uint64_t items_checksum(std::uint64_t before, const Snippet& item) {
  const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", item.paper_id, item.repo_name, item.repo_url, item.file_path,
                                       item.function_name, item.line_begin, item.line_end);
  return XXH3_64bits_withSeed(text.data(), text.size(), before);
}

std::string vectors_checksum(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace inlay::code
