#include "inlay/generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "cancel_token.hpp"
#include "error.hpp"
#include "inlay.h"
#include "platform/process.hpp"

struct inlay_generator {
  explicit inlay_generator(inlay::EmbeddingGenerator loaded) : generator(std::move(loaded)) {}

  inlay::EmbeddingGenerator generator;
  std::uint64_t process = inlay::platform::process_id();

  mutable std::once_flag prompts_made{};
  mutable std::vector<inlay_prompt> prompts{};  ///< views of generator.info().prompts
};

namespace inlay::capi {
namespace {

std::filesystem::path path_of(inlay_string path) {
  const std::string_view bytes = text(path, "path");
  require(!bytes.empty(), "path is empty");
  require(bytes.find('\0') == std::string_view::npos, "path contains a NUL byte");
  return std::filesystem::path(std::u8string(bytes.begin(), bytes.end()));
}

GeneratorOptions generator_options(const inlay_generator_options* given) {
  GeneratorOptions options;
  if (given == nullptr) return options;
  const inlay_generator_options known = read_struct(given);
  require(known.reserved == 0 && known.reserved_2 == 0, "a reserved field of inlay_generator_options is not 0");
  if (const auto device = text(known.device, "device"); !device.empty()) options.device = Device::parse(device);
  if (const auto pooling = text(known.pooling, "pooling"); !pooling.empty()) options.pooling = parse_pooling(pooling);
  if (const auto precision = text(known.precision, "precision"); !precision.empty() && precision != to_string(options.precision)) {
    throw Error(Status::invalid_argument, fmt::format("unknown precision \"{}\"; known: {}", precision, to_string(options.precision)));
  }
  options.batch_tokens = known.batch_tokens;
  options.batch_size = known.batch_size;
  options.max_sequence_length = known.max_sequence_length;
  options.threads = known.threads;
  options.truncate_dim = known.truncate_dim;
  options.normalize = known.no_normalize == 0;
  options.revision = text(known.revision, "revision");
  options.allow_download = known.allow_download != 0;
  return options;
}

/// The generator behind a handle. fork() copies the handle but not the worker threads: a call in the child would wait for ever.
const EmbeddingGenerator& usable(const inlay_generator* handle) {
  const inlay_generator& generator = required(handle, "generator");
  if (generator.process != platform::process_id()) {
    throw Error(Status::unsupported,
                fmt::format("the generator was loaded in process {} and cannot be used after fork(); load it in process {}",
                            generator.process, platform::process_id()));
  }
  return generator.generator;
}

template <class Load>
inlay_status load(inlay_generator** generator, inlay_error** error, Load&& make) noexcept {
  if (generator != nullptr) *generator = nullptr;
  return guard(error, [&] {
    inlay_generator*& output = required(generator, "generator");
    output = std::make_unique<inlay_generator>(make()).release();
  });
}

/// A caller's options for a call on many items, as the C++ API takes them.
class Call {
 public:
  Call(const inlay_call_options* given, std::size_t count) {
    if (given == nullptr) return;
    const inlay_call_options known = read_struct(given);
    if (known.items != nullptr) {
      if (known.items_capacity < count) {
        throw Error(Status::invalid_argument, fmt::format("items has room for {} reports of {} items", known.items_capacity, count));
      }
      reports_ = array(known.items, count, "items");
    }
    progress_ = known.progress;
    user_data_ = known.user_data;
    if (known.cancel != nullptr) forward_.emplace(known.cancel->source.get_token(), [this] { stop_.request_stop(); });
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  [[nodiscard]] std::span<inlay_item_report> reports() const noexcept { return reports_; }

  [[nodiscard]] CallOptions options() {
    CallOptions options;
    options.stop = stop_.get_token();
    if (progress_ != nullptr) {
      options.on_progress = [this](const Progress& now) {
        const inlay_progress progress = {sizeof(inlay_progress), now.done, now.total, now.tokens, now.seconds, now.tokens_per_second};
        if (progress_(&progress, user_data_) != INLAY_ACTION_CONTINUE) stop_.request_stop();
      };
    }
    return options;
  }

 private:
  std::span<inlay_item_report> reports_;
  inlay_progress_callback progress_ = nullptr;
  void* user_data_ = nullptr;
  std::stop_source stop_;  // of the token's cancellation and of the callback's
  std::optional<std::stop_callback<std::function<void()>>> forward_;
};

/// Throws what a call returns when not every item has its vector.
void throw_unless_complete(std::vector<ItemReport>& items) {
  const auto ok = [](const ItemReport& item) { return item.status == Status::ok; };
  const auto first = std::find_if_not(items.begin(), items.end(), ok);
  if (first == items.end()) return;
  const auto done = static_cast<std::size_t>(std::count_if(items.begin(), items.end(), ok));
  const std::string why = first->message.empty() ? std::string(to_string(first->status)) : first->message;
  const std::string message = first->status == Status::cancelled
                                  ? fmt::format("cancelled with {} of {} items done", done, items.size())
                                  : fmt::format("item {}: {} ({} of {} items done)", first - items.begin(), why, done, items.size());
  const Status status = first->status;
  ItemMessages messages;
  messages.reserve(items.size() - done);
  for (std::size_t index = 0; index < items.size(); ++index) {
    ItemReport& item = items[index];
    if (item.status == Status::ok) continue;
    messages.emplace_back(index, item.message.empty() ? std::string(to_string(item.status)) : std::move(item.message));
  }
  throw ItemsFailed(status, message, std::move(messages));
}

/// The frame of the calls on many items: `embed(generator, options)` gives an EmbedResult for `count` of them.
template <class Embed>
inlay_status embed_items(const inlay_generator* handle, std::size_t count, const inlay_call_options* given, float* vectors,
                         std::size_t capacity, std::size_t* needed, inlay_error** error, Embed&& embed) noexcept {
  set(needed, 0);
  std::span<inlay_item_report> reports;
  bool reported = false;
  const inlay_status status = guard(error, [&] {
    const EmbeddingGenerator& generator = usable(handle);
    Call call(given, count);
    reports = call.reports();
    const std::size_t dimension = generator.dimension();
    require(count <= std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float) / std::max<std::size_t>(dimension, 1),
            "count times the dimension overflows");
    const std::span<float> output = buffer(vectors, capacity, count * dimension, needed, "vectors");
    EmbedResult result = embed(generator, call.options());
    if (result.vectors.size() != output.size() || result.items.size() != count) {
      throw Error(Status::internal,
                  fmt::format("{} items gave {} numbers and {} reports", count, result.vectors.size(), result.items.size()));
    }
    std::copy(result.vectors.data(), result.vectors.data() + output.size(), output.data());
    for (std::size_t index = 0; index < reports.size(); ++index) {
      const ItemReport& item = result.items[index];
      reports[index] = {static_cast<inlay_status>(item.status), 0, item.tokens_seen, item.tokens_used};
    }
    reported = true;
    set(needed, output.size());
    throw_unless_complete(result.items);
  });
  if (!reported) std::fill(reports.begin(), reports.end(), inlay_item_report{status, 0, 0, 0});
  return status;
}

/// The frame of the calls on one text: `embed(generator)` gives its vector.
template <class Embed>
inlay_status embed_one(const inlay_generator* handle, float* vector, std::size_t capacity, std::size_t* needed, inlay_error** error,
                       Embed&& embed) noexcept {
  set(needed, 0);
  return guard(error, [&] {
    const EmbeddingGenerator& generator = usable(handle);
    const std::span<float> output = buffer(vector, capacity, generator.dimension(), needed, "vector");
    const Vector result = embed(generator);
    std::copy(result.begin(), result.end(), output.begin());
    set(needed, output.size());
  });
}

Document document_of(const inlay_document& given) {
  const auto field = [](inlay_string value, std::string_view name) { return std::string(text(value, name)); };
  return {field(given.content, "content"),
          {.file_path = field(given.file_path, "file_path"),
           .file_name = field(given.file_name, "file_name"),
           .file_type = field(given.file_type, "file_type"),
           .language = field(given.language, "language"),
           .function_name = field(given.function_name, "function_name"),
           .class_name = field(given.class_name, "class_name"),
           .line_number = given.line_number}};
}

/// Documents stand in an array of the caller's structs, which may be of another release: the first one's size is the distance.
std::vector<Document> documents_of(const inlay_document* given, std::size_t count) {
  std::vector<Document> documents;
  if (count == 0) return documents;
  required(given, "documents");
  const std::size_t stride = checked_size(given);
  documents.reserve(count);
  const auto* bytes = reinterpret_cast<const std::byte*>(given);
  for (std::size_t index = 0; index < count; ++index) {
    const auto* item = reinterpret_cast<const inlay_document*>(bytes + index * stride);
    if (checked_size(item) != stride) {
      throw Error(Status::invalid_argument, fmt::format("documents[{}].size differs from that of documents[0]", index));
    }
    documents.push_back(document_of(read_struct(item)));
  }
  return documents;
}

}  // namespace
}  // namespace inlay::capi

using namespace inlay::capi;

extern "C" {

inlay_status inlay_generator_load(inlay_string path, const inlay_generator_options* options, inlay_generator** generator,
                                  inlay_error** error) {
  return load(generator, error, [&] { return inlay::EmbeddingGenerator::load(path_of(path), generator_options(options)); });
}

inlay_status inlay_generator_load_memory(const inlay_model_file* files, size_t count, inlay_string name,
                                         const inlay_generator_options* options, inlay_generator** generator, inlay_error** error) {
  return load(generator, error, [&] {
    std::vector<inlay::ModelFile> views;
    for (const inlay_model_file& file : array(files, count, "files")) {
      const std::string file_name(text(file.name, "a file's name"));
      const auto bytes = array(static_cast<const std::byte*>(file.data), file.length, "data of " + file_name);
      views.push_back({file_name, bytes});
    }
    const std::string_view given = text(name, "name");
    return inlay::EmbeddingGenerator::load(views, generator_options(options), std::string(given.empty() ? "memory" : given));
  });
}

void inlay_generator_free(inlay_generator* generator) {
  // A forked child has no worker threads to join: its copy is given up, as the child's end or exec frees it anyway.
  if (generator != nullptr && generator->process != inlay::platform::process_id()) return;
  delete generator;
}

size_t inlay_generator_dimension(const inlay_generator* generator) { return generator == nullptr ? 0 : generator->generator.dimension(); }

size_t inlay_generator_max_sequence_length(const inlay_generator* generator) {
  return generator == nullptr ? 0 : generator->generator.max_sequence_length();
}

inlay_status inlay_generator_info(const inlay_generator* generator, inlay_model_info* info, inlay_error** error) {
  return guard(error, [&] {
    required(info, "info");
    checked_size(info);
    const inlay::ModelInfo& known = usable(generator).info();
    std::call_once(generator->prompts_made, [&] {
      for (const auto& [name, prompt] : known.prompts) generator->prompts.push_back({string(name), string(prompt)});
    });
    inlay_model_info value = INLAY_MODEL_INFO_INIT;
    value.name = string(known.name);
    value.path = string(known.path);
    value.architecture = string(known.architecture);
    value.pooling = string(known.pooling);
    value.precision = string(known.precision);
    value.device = string(known.device);
    value.kernels = string(known.kernels);
    value.fingerprint = string(known.fingerprint);
    value.library_version = string(known.library_version);
    value.dimension = known.dimension;
    value.max_sequence_length = known.max_sequence_length;
    value.vocabulary_size = known.vocabulary_size;
    value.layers = known.layers;
    value.parameters = known.parameters;
    value.threads = known.threads;
    value.prompts = generator->prompts.data();
    value.prompt_count = generator->prompts.size();
    value.normalized = known.normalized ? 1 : 0;
    write_struct(info, value);
  });
}

inlay_status inlay_generator_memory(const inlay_generator* generator, inlay_memory_use* memory, inlay_error** error) {
  return guard(error, [&] {
    required(memory, "memory");
    const inlay::MemoryUse use = usable(generator).memory();
    write_struct(memory, {0, use.weights, use.tokenizer, use.device_cached, use.process_resident, use.process_peak});
  });
}

inlay_status inlay_generator_trim(const inlay_generator* generator, inlay_error** error) {
  return guard(error, [&] { usable(generator).trim(); });
}

inlay_status inlay_generator_embed(const inlay_generator* generator, const inlay_string* texts, size_t count,
                                   const inlay_call_options* call, float* vectors, size_t capacity, size_t* needed, inlay_error** error) {
  return embed_items(generator, count, call, vectors, capacity, needed, error,
                     [&](const inlay::EmbeddingGenerator& embedder, const inlay::CallOptions& options) {
                       std::vector<std::string_view> views;
                       const auto given = array(texts, count, "texts");
                       views.reserve(given.size());
                       for (std::size_t index = 0; index < given.size(); ++index) {
                         views.push_back(text(given[index], "texts[" + std::to_string(index) + "]"));
                       }
                       return embedder.embed(std::span<const std::string_view>(views), options);
                     });
}

inlay_status inlay_generator_embed_documents(const inlay_generator* generator, const inlay_document* documents, size_t count,
                                             const inlay_call_options* call, float* vectors, size_t capacity, size_t* needed,
                                             inlay_error** error) {
  return embed_items(generator, count, call, vectors, capacity, needed, error,
                     [&](const inlay::EmbeddingGenerator& embedder, const inlay::CallOptions& options) {
                       return embedder.embed_documents(documents_of(documents, count), options);
                     });
}

inlay_status inlay_generator_embed_query(const inlay_generator* generator, inlay_string text, inlay_query_type type, float* vector,
                                         size_t capacity, size_t* needed, inlay_error** error) {
  return embed_one(generator, vector, capacity, needed, error, [&](const inlay::EmbeddingGenerator& embedder) {
    if (type < INLAY_QUERY_GENERAL || type > INLAY_QUERY_DOCUMENTATION) {
      throw inlay::Error(inlay::Status::invalid_argument, fmt::format("unknown query type {}", type));
    }
    return embedder.embed_query(inlay::capi::text(text, "text"), static_cast<inlay::QueryType>(type));
  });
}

inlay_status inlay_generator_embed_code(const inlay_generator* generator, inlay_string code, inlay_string language, float* vector,
                                        size_t capacity, size_t* needed, inlay_error** error) {
  return embed_one(generator, vector, capacity, needed, error, [&](const inlay::EmbeddingGenerator& embedder) {
    return embedder.embed_code(text(code, "code"), text(language, "language"));
  });
}

inlay_status inlay_generator_tokenize(const inlay_generator* generator, inlay_string text, size_t max_tokens, int32_t* ids, size_t capacity,
                                      size_t* needed, size_t* tokens_seen, inlay_error** error) {
  set(needed, 0);
  set(tokens_seen, 0);
  return guard(error, [&] {
    const inlay::EmbeddingGenerator& tokenizer = usable(generator);
    array(ids, capacity, "ids");
    const std::size_t limit = max_tokens == 0 ? tokenizer.max_sequence_length() : max_tokens;
    const inlay::Encoding encoding = tokenizer.tokenizer().encode(inlay::capi::text(text, "text"), limit);
    set(tokens_seen, encoding.tokens_seen);
    const std::span<std::int32_t> output = buffer(ids, capacity, encoding.ids.size(), needed, "ids");
    std::copy(encoding.ids.begin(), encoding.ids.end(), output.begin());
    set(needed, output.size());
  });
}

inlay_status inlay_generator_tokenize_with_offsets(const inlay_generator* generator, inlay_string text, size_t max_tokens, int32_t* ids,
                                                   inlay_byte_range* offsets, size_t capacity, size_t* needed, size_t* tokens_seen,
                                                   inlay_error** error) {
  set(needed, 0);
  set(tokens_seen, 0);
  return guard(error, [&] {
    const inlay::EmbeddingGenerator& tokenizer = usable(generator);
    array(ids, capacity, "ids");
    array(offsets, capacity, "offsets");
    const std::size_t limit = max_tokens == 0 ? tokenizer.max_sequence_length() : max_tokens;
    const inlay::Encoding encoding = tokenizer.tokenizer().encode_with_offsets(inlay::capi::text(text, "text"), limit);
    set(tokens_seen, encoding.tokens_seen);
    const std::span<std::int32_t> output = buffer(ids, capacity, encoding.ids.size(), needed, "ids");
    std::copy(encoding.ids.begin(), encoding.ids.end(), output.begin());
    std::transform(encoding.offsets.begin(), encoding.offsets.end(), offsets, [](const inlay::ByteRange& range) {
      return inlay_byte_range{range.begin, range.end};
    });
    set(needed, output.size());
  });
}

inlay_string inlay_generator_token(const inlay_generator* generator, int32_t id) {
  return generator == nullptr ? inlay_string{nullptr, 0} : string(generator->generator.tokenizer().token(id));
}

}  // extern "C"
