// An index over snippets, and whether it is what its metadata says.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "code/code_embedding_files.hpp"
#include "code/snippet_json.hpp"
#include "inlay/code_embeddings.hpp"
#include "inlay/error.hpp"
#include "model/json.hpp"
#include "platform/files.hpp"
#include "store/cache/json_splitter.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& message) { throw Error(Status::invalid_data, message); }

constexpr std::size_t most_item_bytes = std::size_t{1} << 30;

// Where an item stands in the metadata's file.
struct Place {
  std::uint64_t offset = 0;
  std::size_t size = 0;
};

// Reads faiss_metadata.json, or a list of items, and remembers where each stands.
class IndexMetadata {
 public:
  explicit IndexMetadata(const fs::path& path) : path_(path), name_(path.string()), file_(path) {
    store::JsonSplitter splitter([this](std::uint64_t offset, std::span<char> buffer) { return file_.read(offset, buffer); },
                                 most_item_bytes);
    try {
      const std::optional<char> kind = splitter.next_kind();
      if (kind == '{') {
        read_object(splitter);
      } else if (kind == '[') {
        read_items(splitter);
      } else {
        refuse("neither a JSON list of items nor an object that has one");
      }
      splitter.finish();
    } catch (const Error& error) {
      throw Error(error.status(), fmt::format("{}: {}", name_, error.what()));
    }
  }

  [[nodiscard]] const fs::path& path() const noexcept { return path_; }
  [[nodiscard]] std::size_t count() const noexcept { return items_.size(); }
  [[nodiscard]] const std::optional<SnippetIndexInfo>& info() const noexcept { return info_; }

  [[nodiscard]] Snippet snippet(std::size_t row) const {
    const auto fail = [&](std::string_view message) { refuse(fmt::format("{}, item {}: {}", name_, row, message)); };
    std::string text(items_.at(row).size, '\0');
    if (file_.read(items_.at(row).offset, text) != text.size()) fail("the file was cut short meanwhile");
    simdjson::dom::parser parser;
    simdjson::dom::object record;
    if (const auto error = parser.parse(text).get(record)) fail(simdjson::error_message(error));
    try {
      return code::read_snippet(record, code::CodeText::optional);
    } catch (const code::BadSnippet& bad) {
      fail(bad.message);
    }
    return {};
  }

 private:
  void read_object(store::JsonSplitter& splitter) {
    SnippetIndexInfo info;
    std::optional<std::size_t> count;
    bool has_items = false;
    splitter.enter();
    while (const auto quoted = splitter.name()) {
      const std::string_view name = std::string_view(*quoted).substr(1, quoted->size() - 2);
      if (name == "items" && splitter.next_kind() == '[' && !has_items) {
        read_items(splitter);
        has_items = true;
      } else {
        read_field(info, name, splitter.value());
        if (name == "count") count = info.count;
      }
    }
    if (!has_items) refuse("it has no list \"items\"");
    if (count && *count != items_.size()) refuse(fmt::format("its count is {}, but it has {} items", *count, items_.size()));
    const std::string checksum = fmt::format("{:016x}", checksum_);
    if (!info.items_checksum.empty() && info.items_checksum != checksum) {
      refuse(fmt::format(
          "its items are not those that were written, or not in their order: their checksum is {}, where items_checksum says {}", checksum,
          info.items_checksum));
    }
    info.count = items_.size();
    info_ = std::move(info);
  }

  void read_items(store::JsonSplitter& splitter) {
    splitter.enter_array();
    while (const auto text = splitter.element()) {
      check_item(*text, items_.size());
      items_.push_back({splitter.position() - text->size(), text->size()});
    }
  }

  void check_item(std::string_view text, std::size_t row) {
    simdjson::dom::object item;
    simdjson::dom::element value;
    std::uint64_t index = 0;
    if (json_.parse(text.data(), text.size()).get(value)) refuse(fmt::format("item {} is not JSON", row));
    if (value.get(item)) refuse(fmt::format("item {} is not an object", row));
    if (item.at_key("index").get(index)) refuse(fmt::format("item {} has no index, the number of its row", row));
    if (index != row)
      refuse(fmt::format("item {} has the index {}: the items are not in the order of the rows, or not all there", row, index));
    try {
      checksum_ = code::items_checksum(checksum_, code::read_snippet(item, code::CodeText::optional));
    } catch (const code::BadSnippet& bad) {
      refuse(fmt::format("item {}: {}", row, bad.message));
    }
  }

  static void read_field(SnippetIndexInfo& info, std::string_view name, std::string_view text) {
    const model::JsonDocument document(text, fmt::format("its {}", name), Status::invalid_data);
    const auto read = [&](auto& field) {
      if (document.root().get(field)) refuse(fmt::format("its {} has a value of the wrong type", name));
    };
    const auto read_text = [&](std::string& field) {
      std::string_view found;
      read(found);
      field = found;
    };
    const auto read_size = [&](std::size_t& field) {
      std::uint64_t found = 0;
      read(found);
      field = found;
    };
    if (name == "model_name") read_text(info.model_name);
    if (name == "model_version") read_text(info.model_version);
    if (name == "index_kind") read_text(info.index_kind);
    if (name == "metric") read_text(info.metric);
    if (name == "vectors_checksum") read_text(info.vectors_checksum);
    if (name == "items_checksum") read_text(info.items_checksum);
    if (name == "dimension") read_size(info.dimension);
    if (name == "count") read_size(info.count);
    if (name == "max_length") read_size(info.max_length);
    if (name == "paper_context_weight") read(info.paper_context_weight);
    if (name == "normalized") read(info.normalized);
    if (name == "use_cls_token") read(info.use_cls_token);
    if (name == "include_paper_context") read(info.include_paper_context);
  }

  fs::path path_;
  std::string name_;
  platform::ReadableFile file_;
  simdjson::dom::parser json_;
  std::vector<Place> items_;
  std::uint64_t checksum_ = 0;  // of them
  std::optional<SnippetIndexInfo> info_;
};

// Whether what the metadata says is so of the index.
void check_info(const VectorIndex& index, const std::string& index_name, const IndexMetadata& metadata) {
  const SnippetIndexInfo& info = *metadata.info();
  const std::string name = metadata.path().string();
  if (info.dimension != 0 && info.dimension != index.dimension()) {
    refuse(fmt::format("{} says that the dimension is {}, but the vectors of {} have {} components", name, info.dimension, index_name,
                       index.dimension()));
  }
  if (!info.metric.empty() && info.metric != "inner_product") {
    refuse(fmt::format("{} says that the measure is \"{}\", but that of {} is the inner product", name, info.metric, index_name));
  }
  if (!info.index_kind.empty() && info.index_kind != to_string(index.kind())) {
    refuse(fmt::format("{} says that the index is of kind \"{}\", but {} is of kind \"{}\"", name, info.index_kind, index_name,
                       to_string(index.kind())));
  }
}

}  // namespace

class SnippetIndex::Implementation {
 public:
  Implementation(const fs::path& index, const fs::path& metadata, std::size_t dimension)
      : name_(index.string()), index_(index), metadata_(checked_dimension(metadata, dimension)) {
    if (metadata_.info()) check_info(index_, name_, metadata_);
    if (metadata_.count() != index_.size()) {
      refuse(fmt::format("{} has {} items, but the index {} has {} rows", metadata.string(), metadata_.count(), name_, index_.size()));
    }
    if (index_.kind() == IndexKind::flat) check_vectors();
  }

  [[nodiscard]] std::vector<SnippetMatch> search(std::span<const float> query, std::size_t k) const {
    std::vector<SnippetMatch> matches;
    for (const Match& match : index_.search(query, k)) matches.push_back({match.row, match.score, metadata_.snippet(match.row)});
    return matches;
  }

  [[nodiscard]] std::optional<std::vector<float>> vector(std::size_t row) const {
    check_row(row);
    if (index_.kind() != IndexKind::flat) return std::nullopt;
    return flat_row(row);
  }

  [[nodiscard]] Snippet snippet(std::size_t row) const {
    check_row(row);
    return metadata_.snippet(row);
  }

  [[nodiscard]] EmbeddingGenerator load_model(const fs::path& model, CodeModelOptions options) const {
    const auto& info = metadata_.info();
    if (info) {
      options.use_cls_token = info->use_cls_token;
      options.max_length = info->max_length;
    }
    EmbeddingGenerator generator = load_code_model(model, options);
    if (generator.dimension() != index_.dimension()) {
      refuse(fmt::format("{} is not the model that made {}: its vectors have {} components, the index's have {}", model.string(), name_,
                         generator.dimension(), index_.dimension()));
    }
    if (info && !info->model_version.empty() && generator.info().fingerprint != info->model_version) {
      refuse(fmt::format("{} is not the model that made {}: its fingerprint with {} and {} tokens is {}, that of the index ({}) {}",
                         model.string(), name_, options.use_cls_token ? "CLS" : "mean pooling", generator.max_sequence_length(),
                         generator.info().fingerprint, info->model_name, info->model_version));
    }
    return generator;
  }

  [[nodiscard]] const VectorIndex& index() const noexcept { return index_; }
  [[nodiscard]] const IndexMetadata& metadata() const noexcept { return metadata_; }
  [[nodiscard]] bool checksum_verified() const noexcept { return checksum_verified_; }

 private:
  // Before the metadata is read, which takes longer.
  [[nodiscard]] const fs::path& checked_dimension(const fs::path& metadata, std::size_t dimension) const {
    if (dimension != 0 && dimension != index_.dimension()) {
      refuse(fmt::format("the vectors of {} have {} components, not {}", name_, index_.dimension(), dimension));
    }
    return metadata;
  }

  [[nodiscard]] std::vector<float> flat_row(std::size_t row) const {
    std::vector<float> vector(index_.dimension());
    const std::size_t bytes = vector.size() * sizeof(float);
    std::memcpy(vector.data(), index_.row_bytes().data() + row * bytes, bytes);
    return vector;
  }

  void check_vectors() {
    const auto& info = metadata_.info();
    checksum_verified_ = info && !info->vectors_checksum.empty();
    if (checksum_verified_) return check_checksum(info->vectors_checksum);
    for (std::size_t row = 0; row < index_.size(); ++row) {
      if (!std::ranges::all_of(flat_row(row), [](float value) { return std::isfinite(value); }))
        refuse(fmt::format("{} is damaged: row {} is not a vector of finite numbers", name_, row));
    }
  }

  void check_checksum(const std::string& expected) const {
    const std::string found = code::vectors_checksum(index_.row_bytes());
    if (found == expected) return;
    refuse(fmt::format("{} has not the vectors that it was made of: their checksum is {}, where {} says {}", name_, found,
                       metadata_.path().string(), expected));
  }

  void check_row(std::size_t row) const {
    if (row >= index_.size())
      throw Error(Status::invalid_argument, fmt::format("there is no row {}: {} has {}", row, name_, index_.size()));
  }

  std::string name_;
  VectorIndex index_;
  IndexMetadata metadata_;
  bool checksum_verified_ = false;
};

SnippetIndex::SnippetIndex(const fs::path& index, const fs::path& metadata, std::size_t dimension)
    : implementation_(std::make_unique<const Implementation>(index, metadata, dimension)) {}
SnippetIndex::~SnippetIndex() = default;
SnippetIndex::SnippetIndex(SnippetIndex&&) noexcept = default;
SnippetIndex& SnippetIndex::operator=(SnippetIndex&&) noexcept = default;

std::size_t SnippetIndex::size() const noexcept { return implementation_->index().size(); }
std::size_t SnippetIndex::dimension() const noexcept { return implementation_->index().dimension(); }
IndexKind SnippetIndex::kind() const noexcept { return implementation_->index().kind(); }
const std::optional<SnippetIndexInfo>& SnippetIndex::info() const noexcept { return implementation_->metadata().info(); }
bool SnippetIndex::items_verified() const noexcept { return info() && !info()->items_checksum.empty(); }
bool SnippetIndex::checksum_verified() const noexcept { return implementation_->checksum_verified(); }

std::vector<SnippetMatch> SnippetIndex::search(std::span<const float> query, std::size_t k) const {
  return implementation_->search(query, k);
}
std::vector<SnippetMatch> SnippetIndex::search(const Vector& query, std::size_t k) const {
  return search(std::span<const float>(query.data(), query.size()), k);
}
std::optional<std::vector<float>> SnippetIndex::vector(std::size_t row) const { return implementation_->vector(row); }
Snippet SnippetIndex::snippet(std::size_t row) const { return implementation_->snippet(row); }

EmbeddingGenerator SnippetIndex::load_model(const fs::path& model, CodeModelOptions options) const {
  return implementation_->load_model(model, std::move(options));
}

}  // namespace inlay
