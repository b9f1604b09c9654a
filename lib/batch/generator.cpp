#include "inlay/generator.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "batch/embed_job.hpp"
#include "batch/generator_access.hpp"
#include "batch/worker_pool.hpp"
#include "encode/encoder.hpp"
#include "inlay/version.hpp"
#include "model/hub/cache.hpp"
#include "model/model_config.hpp"
#include "model/model_source.hpp"
#include "model/torch_file.hpp"
#include "platform/log.hpp"
#include "platform/memory.hpp"
#include "platform/processors.hpp"
#include "tokenize/tokenizer_factory.hpp"

namespace inlay {
namespace {

// Tokens of a batch that keep the activations in the caches of a CPU and a GPU busy.
constexpr std::size_t cpu_batch_tokens = 1024;
constexpr std::size_t cuda_batch_tokens = 32768;

constexpr std::size_t most_threads = 1024;

std::string hexadecimal(XXH128_hash_t hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }

// The prompt of a use, by the names that models give it; empty where there is none.
std::string prompt_of(const model::SentenceConfig& config, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto found = config.prompts.find(name); found != config.prompts.end()) return found->second;
  }
  return {};
}

// "mean", or of several modes joined "cls+mean".
std::string to_string(std::span<const Pooling> poolings) {
  std::string text;
  for (const Pooling pooling : poolings) text += fmt::format("{}{}", text.empty() ? "" : "+", inlay::to_string(pooling));
  return text;
}

void check_tokenizer(const Tokenizer& tokenizer, const model::ModelConfig& config, const model::ModelSource& source) {
  if (config.transformer.vocabulary_size != 0 && tokenizer.vocabulary_size() > config.transformer.vocabulary_size) {
    throw Error(Status::invalid_model,
                fmt::format("{}: vocab_size is {}, but the tokenizer has {} tokens; the first too many is \"{}\"",
                            source.label("config.json"), config.transformer.vocabulary_size, tokenizer.vocabulary_size(),
                            tokenizer.token(static_cast<TokenId>(config.transformer.vocabulary_size))));
  }
  if (config.sentence.lower_case && tokenizer.encode("A").ids != tokenizer.encode("a").ids) {
    throw Error(Status::unsupported, fmt::format("{}: do_lower_case with a tokenizer that keeps case is not supported",
                                                 source.label("sentence_bert_config.json")));
  }
}

void check_options(const GeneratorOptions& options, const std::string& name, std::size_t longest_sequence, const Tokenizer& tokenizer) {
  const auto refuse = [](const std::string& message) { throw Error(Status::invalid_argument, message); };
  if (longest_sequence < tokenizer.special_tokens()) {
    throw Error(Status::invalid_model,
                fmt::format("{}: by its config.json the model has positions for {} tokens, fewer than the {} special ones of every text",
                            name, longest_sequence, tokenizer.special_tokens()));
  }
  if (options.max_sequence_length > longest_sequence) {
    refuse(fmt::format("max_sequence_length is {}, but the model {} has positions for {} tokens", options.max_sequence_length, name,
                       longest_sequence));
  }
  if (options.max_sequence_length != 0 && options.max_sequence_length < tokenizer.special_tokens()) {
    refuse(fmt::format("max_sequence_length is {}, which leaves no room for the {} special tokens", options.max_sequence_length,
                       tokenizer.special_tokens()));
  }
  if (options.threads > most_threads) refuse(fmt::format("threads is {}, at most {} are allowed", options.threads, most_threads));
  if (!options.preparator) refuse("the preparator is empty");
}

// Whether a path names a TorchScript program, not a folder or a model on the hub.
bool is_script(const std::filesystem::path& path) {
  std::error_code error;
  return !std::filesystem::is_directory(path, error) && (path.extension() == ".pt" || std::filesystem::exists(path, error));
}

// A program in a folder that was given in its place.
std::optional<std::filesystem::path> program_in(const std::filesystem::path& folder) {
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() == ".pt") return entry->path();
  }
  return std::nullopt;
}

// What a generator is made of.
struct LoadedModel {
  model::ModelSource tokenizer_source;
  std::shared_ptr<const Tokenizer> tokenizer;
  model::ModelConfig config;
  std::shared_ptr<const encode::Encoder> encoder;
  std::size_t longest_sequence;  // of tokens
};

// Tokens of a text that are used at most.
std::size_t limit_of(const LoadedModel& model, const GeneratorOptions& options) {
  if (options.max_sequence_length != 0) return options.max_sequence_length;
  const std::size_t own = model.config.max_sequence_length;
  return own == 0 ? model.longest_sequence : std::min(own, model.longest_sequence);
}

LoadedModel load_folder(const model::ModelSource& source, const GeneratorOptions& options, Device device) {
  const model::ModelSource transformer = model::transformer_source(source);
  model::ModelConfig config = model::read_model_config(source, encode::architecture_names());
  auto tokenizer = tokenize::make_tokenizer(transformer);
  check_tokenizer(*tokenizer, config, transformer);
  auto encoder = encode::Encoder::load(transformer, config.transformer, device);
  const std::size_t longest = encoder->longest_sequence();
  check_options(options, source.name(), longest, *tokenizer);
  return {transformer, std::move(tokenizer), std::move(config), std::move(encoder), longest};
}

// A text as long as can come is tried.
void try_length(const encode::Encoder& encoder, std::int64_t token, std::size_t length, const std::string& label) {
  const std::vector<std::int64_t> tokens(length, token);
  const auto count = static_cast<std::int64_t>(length);
  constexpr std::int64_t skip = 0;
  constexpr Pooling pooling = Pooling::mean;
  std::vector<float> vector(encoder.width());
  try {
    encoder.encode({tokens, {&count, 1}, {&skip, 1}}, {&pooling, 1}, vector.data());
  } catch (const Error& error) {
    if (error.status() != Status::invalid_model) throw;
    throw Error(Status::unsupported, fmt::format("{}; a text of {} tokens was tried: set a smaller max_sequence_length, or write one as "
                                                 "model_max_length into {}",
                                                 error.what(), length, label));
  }
}

LoadedModel load_script(const model::ModelSource& source, const std::string& script, const GeneratorOptions& options, Device device) {
  constexpr std::size_t usual_limit = 512;  // where nothing says another
  const model::FileBytes file = source.read(script);
  model::require_torchscript(file.bytes, file.label);
  const model::ModelSource tokenizer_source = model::script_tokenizer_source(source);
  auto tokenizer = tokenize::make_tokenizer(tokenizer_source);
  const std::vector<TokenId> ids = tokenizer->encode("the quick brown fox").ids;
  const std::vector<std::int64_t> sample(ids.begin(), ids.end());
  const bool is_told_how_to_pool = options.pooling.has_value() || source.has("modules.json");
  const auto preferred = is_told_how_to_pool ? encode::ScriptOutput::hidden_states : encode::ScriptOutput::vector;
  auto encoder = encode::Encoder::load_script(file, sample, preferred, device);
  if (encoder->pools() && options.pooling) {
    throw Error(Status::invalid_argument, fmt::format("pooling is {}, but the program {} gives a text's vector by itself",
                                                      inlay::to_string(*options.pooling), file.label));
  }
  model::ModelConfig config = model::read_script_config(source, encoder->pools() ? 0 : encoder->width());
  check_tokenizer(*tokenizer, config, model::transformer_source(source));
  const bool has_positions = config.transformer.positions != 0;
  const std::size_t longest = has_positions ? encode::longest_sequence(config.transformer) : encoder->longest_sequence();
  if (!has_positions && config.max_sequence_length == 0) config.max_sequence_length = usual_limit;
  config.transformer.architecture = "torchscript";
  LoadedModel model{tokenizer_source, std::move(tokenizer), std::move(config), std::move(encoder), longest};
  check_options(options, source.name(), longest, *model.tokenizer);
  try_length(*model.encoder, sample[sample.size() / 2], limit_of(model, options), tokenizer_source.label("tokenizer_config.json"));
  return model;
}

// Runs the call on a thread that computes alone, so that the caller's libtorch settings don't matter and no threads are started for it.
template <class Call>
auto on_own_thread(const Call& call) -> decltype(call()) {
  std::packaged_task<decltype(call())()> task([&] {
    encode::compute_alone();
    return call();
  });
  auto result = task.get_future();
  try {
    std::thread(std::move(task)).join();
  } catch (const std::system_error& error) {
    throw Error(Status::internal, fmt::format("cannot start a thread: {}", error.what()));
  }
  return result.get();
}

}  // namespace

class EmbeddingGenerator::Implementation {
 public:
  /// `script`: the file in `source` that is the model's program; empty: the model is made of its weights.
  Implementation(const model::ModelSource& source, GeneratorOptions options, const std::string& script = {});

  [[nodiscard]] std::shared_ptr<batch::EmbedJob> submit(batch::EmbedInput input, CallOptions call) const;
  [[nodiscard]] EmbedResult run(batch::EmbedInput input, const CallOptions& call) const;
  /// Does not wait. The future gets what `deliver` makes of the finished job.
  template <class Deliver>
  [[nodiscard]] auto run_async(batch::EmbedInput input, CallOptions call, Deliver deliver) const {
    using Result = decltype(deliver(std::declval<batch::EmbedJob&>()));
    check_process();
    auto promise = std::make_shared<std::promise<Result>>();
    std::future<Result> future = promise->get_future();
    pool_->submit(std::make_shared<batch::EmbedJob>(settings, std::move(input), std::move(call), [promise, deliver](batch::EmbedJob& job) {
      try {
        promise->set_value(deliver(job));
      } catch (...) {
        promise->set_exception(std::current_exception());
      }
    }));
    return future;
  }
  using Text = std::function<std::string_view(std::size_t, std::string&)>;
  using Language = std::function<std::string_view(std::size_t)>;
  [[nodiscard]] batch::EmbedInput input_of(std::size_t count, std::string prompt, Text text, Language language = {}) const {
    return {count, std::move(text), std::move(prompt), include_prompt, std::move(language)};
  }
  [[nodiscard]] const ModelInfo& info() const;

  GeneratorOptions options;
  std::shared_ptr<const batch::EmbedSettings> settings;  // shared with the jobs in flight
  Device device;
  std::string default_prompt;
  std::string document_prompt;
  std::string query_prompt;
  bool include_prompt = true;

 private:
  void check_process() const;
  [[nodiscard]] std::string fingerprint() const;

  mutable ModelInfo info_;
  mutable std::once_flag info_once_;
  std::string files_hash_;                         // of the tokenizer's and the small files
  mutable std::optional<batch::WorkerPool> pool_;  // last: joined before anything that its jobs use goes
};

EmbeddingGenerator::Implementation::Implementation(const model::ModelSource& source, GeneratorOptions given, const std::string& script)
    : options(std::move(given)), device(encode::resolve(options.device)) {
  const LoadedModel model =
      script.empty() ? load_folder(source, options, device) : on_own_thread([&] { return load_script(source, script, options, device); });
  const model::ModelConfig& config = model.config;
  batch::EmbedSettings next;
  next.tokenizer = model.tokenizer;
  next.encoder = model.encoder;
  next.poolings = options.pooling ? std::vector{*options.pooling} : config.sentence.poolings;
  next.pooled_width = next.poolings.size() * next.encoder->width();
  next.head = std::make_shared<const encode::SentenceHead>(source, config.sentence.modules, next.pooled_width);
  if (options.truncate_dim > next.head->dimension()) {
    throw Error(Status::invalid_argument, fmt::format("truncate_dim is {}, but the model {} has vectors of {} components",
                                                      options.truncate_dim, source.name(), next.head->dimension()));
  }

  next.normalize = options.normalize;
  next.dimension = options.truncate_dim == 0 ? next.head->dimension() : options.truncate_dim;
  next.max_sequence_length = limit_of(model, options);
  const std::size_t batch_tokens = device.type == DeviceType::cuda ? cuda_batch_tokens : cpu_batch_tokens;
  next.token_limit = std::make_shared<TokenLimitEstimator>(options.batch_tokens == 0 ? batch_tokens : options.batch_tokens);
  next.batch_size = options.batch_size;
  next.workers = options.threads == 0 ? std::min(platform::available_processors(), most_threads) : options.threads;

  if (!config.sentence.default_prompt.empty()) default_prompt = config.sentence.prompts.at(config.sentence.default_prompt);
  document_prompt = prompt_of(config.sentence, {"document", "passage", "corpus"});
  query_prompt = prompt_of(config.sentence, {"query"});
  include_prompt = config.sentence.include_prompt;

  info_ = {
      .name = source.name(),
      .path = (script.empty() ? source.folder() : source.folder() / script).string(),
      .architecture = config.transformer.architecture,
      .dimension = next.dimension,
      .max_sequence_length = next.max_sequence_length,
      .vocabulary_size = config.transformer.vocabulary_size == 0 ? next.tokenizer->vocabulary_size() : config.transformer.vocabulary_size,
      .layers = config.transformer.layers,
      .parameters = next.encoder->parameters() + next.head->parameters(),
      .pooling = next.encoder->pools() ? "none" : to_string(next.poolings),
      .normalized = next.normalize,
      .precision = std::string(to_string(options.precision)),
      .device = to_string(device),
      .kernels = script.empty() ? encode::kernels_name(device) : "aten",
      .threads = next.workers,
      .prompts = config.sentence.prompts,
      .library_version = std::string(version())};
  settings = std::make_shared<const batch::EmbedSettings>(std::move(next));

  std::string small_files;
  std::vector<std::string> files = config.files;
  for (std::string& file : tokenize::tokenizer_files(model.tokenizer_source)) files.push_back(std::move(file));
  files.insert(files.end(), settings->head->files().begin(), settings->head->files().end());
  for (const std::string& file : files) {
    const model::FileBytes bytes = source.read(file);
    small_files += fmt::format("{}:{};", file, hexadecimal(XXH3_128bits(bytes.bytes.data(), bytes.bytes.size())));
  }
  files_hash_ = hexadecimal(XXH3_128bits(small_files.data(), small_files.size()));

  try {
    pool_.emplace(settings->workers, encode::compute_alone);
  } catch (const std::system_error& error) {
    throw Error(Status::internal, fmt::format("cannot start {} threads: {}", settings->workers, error.what()));
  }
}

std::string EmbeddingGenerator::Implementation::fingerprint() const {
  const std::string parts = fmt::format("weights={} files={} pooling={} normalize={} dimension={} max_sequence_length={} precision={}",
                                        settings->encoder->weights_hash(), files_hash_, info_.pooling, settings->normalize,
                                        settings->dimension, settings->max_sequence_length, to_string(options.precision));
  return "xxh3:" + hexadecimal(XXH3_128bits(parts.data(), parts.size()));
}

const ModelInfo& EmbeddingGenerator::Implementation::info() const {
  std::call_once(info_once_, [this] { info_.fingerprint = fingerprint(); });
  return info_;
}

void EmbeddingGenerator::Implementation::check_process() const {
  if (!pool_->is_own_process()) {
    throw Error(Status::unsupported, "the generator was loaded before fork() and has no threads in this process; load it in the child");
  }
}

std::shared_ptr<batch::EmbedJob> EmbeddingGenerator::Implementation::submit(batch::EmbedInput input, CallOptions call) const {
  check_process();
  if (pool_->is_worker()) {
    throw Error(Status::invalid_argument,
                "a generator cannot be waited for from its own callbacks; use another one there, or an _async form");
  }
  auto job = std::make_shared<batch::EmbedJob>(settings, std::move(input), std::move(call), nullptr);
  pool_->submit(job);
  return job;
}

EmbedResult EmbeddingGenerator::Implementation::run(batch::EmbedInput input, const CallOptions& call) const {
  const auto job = submit(std::move(input), call);
  job->wait();
  return job->take_result();
}

namespace {

// The vector of a call with one item; what became of the item otherwise is thrown.
Vector single_vector(const EmbedResult& result, std::string_view what) {
  const ItemReport& item = result.items.front();
  if (item.status != Status::ok)
    throw Error(item.status, fmt::format("{}: {}", what, item.message.empty() ? to_string(item.status) : item.message));
  if (item.truncated()) {
    platform::log(LogLevel::warning,
                  fmt::format("{} was truncated: it has {} tokens, {} were used", what, item.tokens_seen, item.tokens_used));
  }
  Vector vector = Vector::from_shape({result.vectors.shape(1)});
  std::copy_n(result.vectors.data(), vector.size(), vector.data());
  return vector;
}

}  // namespace

std::shared_ptr<batch::EmbedJob> batch::GeneratorAccess::submit(const EmbeddingGenerator& generator, EmbedInput input, CallOptions call) {
  return generator.implementation_->submit(std::move(input), std::move(call));
}

batch::EmbedInput batch::GeneratorAccess::documents(const EmbeddingGenerator& generator, std::size_t count,
                                                    std::function<std::string_view(std::size_t, std::string&)> text,
                                                    std::function<std::string_view(std::size_t)> language) {
  return generator.implementation_->input_of(count, document_prompt(generator), std::move(text), std::move(language));
}

void batch::GeneratorAccess::check(const EmbeddingGenerator& generator, const LongTextOptions& long_text) {
  const EmbedSettings& settings = *generator.implementation_->settings;
  static_cast<void>(chunk_size(settings, long_text, frame_tokens(settings, document_prompt(generator))));
}

const std::string& batch::GeneratorAccess::document_prompt(const EmbeddingGenerator& generator) noexcept {
  return generator.implementation_->document_prompt;
}

EmbeddingGenerator::EmbeddingGenerator(std::shared_ptr<const Implementation> implementation) : implementation_(std::move(implementation)) {}

EmbeddingGenerator EmbeddingGenerator::load(const std::filesystem::path& model, GeneratorOptions options) {
  if (is_script(model)) {
    const std::filesystem::path folder = model.has_parent_path() ? model.parent_path() : ".";
    const auto source = model::ModelSource::from_folder(folder);
    const std::string script = model.filename().string();
    if (!source.has(script)) throw Error(Status::not_found, fmt::format("{}: there is no such TorchScript program", model.string()));
    return EmbeddingGenerator(std::make_shared<const Implementation>(source, std::move(options), script));
  }
  const std::filesystem::path place = model::hub::locate(model, options.revision, options.allow_download);
  try {
    return EmbeddingGenerator(std::make_shared<const Implementation>(model::ModelSource::from_folder(place), std::move(options)));
  } catch (const Error& error) {
    const auto program = program_in(place);
    if (error.status() != Status::not_found || !program) throw;
    throw Error(Status::not_found, fmt::format("{}; to load the TorchScript program there, give {}", error.what(), program->string()));
  }
}

EmbeddingGenerator EmbeddingGenerator::load(std::span<const ModelFile> files, GeneratorOptions options, std::string name) {
  return EmbeddingGenerator(
      std::make_shared<const Implementation>(model::ModelSource::from_memory(files, std::move(name)), std::move(options)));
}

EmbedResult EmbeddingGenerator::embed(std::span<const std::string_view> texts, const CallOptions& call) const {
  return implementation_->run(
      implementation_->input_of(texts.size(), implementation_->default_prompt, [texts](std::size_t i, std::string&) { return texts[i]; }),
      call);
}

EmbedResult EmbeddingGenerator::embed(std::span<const std::string> texts, const CallOptions& call) const {
  return implementation_->run(implementation_->input_of(texts.size(), implementation_->default_prompt,
                                                        [texts](std::size_t i, std::string&) { return std::string_view(texts[i]); }),
                              call);
}

EmbedResult EmbeddingGenerator::embed(std::initializer_list<std::string_view> texts, const CallOptions& call) const {
  return embed(std::span<const std::string_view>(texts.begin(), texts.size()), call);
}

EmbedResult EmbeddingGenerator::embed_documents(std::span<const Document> documents, const CallOptions& call) const {
  const DocumentPreparator& prepare = implementation_->options.preparator;
  const auto text = [documents, &prepare](std::size_t i, std::string& buffer) -> std::string_view {
    return buffer = prepare(documents[i]);
  };
  const auto language = [documents](std::size_t i) -> std::string_view { return documents[i].metadata.language; };
  return implementation_->run(implementation_->input_of(documents.size(), implementation_->document_prompt, text, language), call);
}

Vector EmbeddingGenerator::embed_code(std::string_view code, std::string_view language) const {
  const Document document{std::string(code), {.language = std::string(language)}};
  return single_vector(embed_documents({&document, 1}), "the code");
}

Vector EmbeddingGenerator::embed_query(std::string_view text, QueryType type) const {
  const std::string query = TextPreparator::prepare_query(text, type);
  const auto input =
      implementation_->input_of(1, implementation_->query_prompt, [&query](std::size_t, std::string&) { return std::string_view(query); });
  return single_vector(implementation_->run(input, {}), "the query");
}

std::future<EmbedResult> EmbeddingGenerator::embed_async(std::vector<std::string> texts, CallOptions call) const {
  const std::size_t count = texts.size();
  auto input = implementation_->input_of(count, implementation_->default_prompt,
                                         [owned = std::make_shared<const std::vector<std::string>>(std::move(texts))](
                                             std::size_t i, std::string&) { return std::string_view((*owned)[i]); });
  return implementation_->run_async(std::move(input), std::move(call), [](batch::EmbedJob& job) { return job.take_result(); });
}

std::future<EmbedResult> EmbeddingGenerator::embed_documents_async(std::vector<Document> documents, CallOptions call) const {
  const auto owned = std::make_shared<const std::vector<Document>>(std::move(documents));
  const auto text = [owned, prepare = implementation_->options.preparator](std::size_t i, std::string& buffer) -> std::string_view {
    return buffer = prepare((*owned)[i]);
  };
  const auto language = [owned](std::size_t i) -> std::string_view { return (*owned)[i].metadata.language; };
  auto input = implementation_->input_of(owned->size(), implementation_->document_prompt, text, language);
  return implementation_->run_async(std::move(input), std::move(call), [](batch::EmbedJob& job) { return job.take_result(); });
}

std::future<Vector> EmbeddingGenerator::embed_query_async(std::string text, QueryType type) const {
  auto input = implementation_->input_of(
      1, implementation_->query_prompt,
      [query = TextPreparator::prepare_query(text, type)](std::size_t, std::string&) { return std::string_view(query); });
  return implementation_->run_async(std::move(input), {},
                                    [](batch::EmbedJob& job) { return single_vector(job.take_result(), "the query"); });
}

const ModelInfo& EmbeddingGenerator::info() const { return implementation_->info(); }

const Tokenizer& EmbeddingGenerator::tokenizer() const noexcept { return *implementation_->settings->tokenizer; }

std::size_t EmbeddingGenerator::dimension() const noexcept { return implementation_->settings->dimension; }

std::size_t EmbeddingGenerator::max_sequence_length() const noexcept { return implementation_->settings->max_sequence_length; }

const GeneratorOptions& EmbeddingGenerator::options() const noexcept { return implementation_->options; }

MemoryUse EmbeddingGenerator::memory() const {
  return {.weights = implementation_->settings->encoder->bytes() + implementation_->settings->head->bytes(),
          .tokenizer = implementation_->settings->tokenizer->memory(),
          .device_cached = encode::device_cached_bytes(implementation_->device),
          .process_resident = platform::resident_bytes(),
          .process_peak = platform::peak_resident_bytes()};
}

void EmbeddingGenerator::trim() const {
  encode::release_device_cache(implementation_->device);
  platform::release_free_memory();
}

}  // namespace inlay
