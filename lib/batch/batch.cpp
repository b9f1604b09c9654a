#include "inlay/batch.hpp"

#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "inlay/error.hpp"
#include "store/timestamp.hpp"

namespace inlay {
namespace {

// A string of any bytes as JSON.
std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_numbers(std::string& json, std::span<const float> numbers) {
  json += '[';
  for (std::size_t i = 0; i < numbers.size(); ++i) fmt::format_to(std::back_inserter(json), "{}{}", i == 0 ? "" : ",", numbers[i]);
  json += ']';
}

// "key": value, … with `append_value` for each.
template <class Map, class AppendValue>
void append_object(std::string& json, const Map& map, const AppendValue& append_value) {
  json += '{';
  bool first = true;
  for (const auto& [key, value] : map) {
    fmt::format_to(std::back_inserter(json), "{}{}:", std::exchange(first, false) ? "" : ",", json_string(key));
    append_value(value);
  }
  json += '}';
}

std::string text_of(const CodeItem& item, const CodePreparator& prepare) {
  return std::visit(
      [&](const auto& code) {
        if (code.file_path.empty()) throw Error(Status::invalid_argument, "the item has no file_path");
        if (code.name.empty() && code.source_code.empty())
          throw Error(Status::invalid_argument, "the item has neither name nor source_code");
        return prepare(item);
      },
      item);
}

StreamText prepared(const CodeItem& item, const CodePreparator& prepare) {
  StreamText next;
  next.held = std::visit(
      [](const auto& code) { return sizeof(CodeItem) + code.file_path.size() + code.docstring.size() + code.source_code.size(); }, item);
  next.label = location_key(item);
  std::visit(
      [&next](const auto& code) {
        next.name = code.name;
        next.language = code.language;
      },
      item);
  try {
    next.text = text_of(item, prepare);
  } catch (const std::exception& error) {
    next.error = fmt::format("preparing the text: {}", error.what());
  } catch (...) {
    next.error = "preparing the text: an exception of an unknown type";
  }
  return next;
}

// Keys of a result: the second of one name is told apart.
class UniqueKeys {
 public:
  std::string operator()(std::string key) {
    if (const std::size_t count = ++counts_[key]; count > 1) key += fmt::format("#{}", count);
    return key;
  }

 private:
  std::unordered_map<std::string, std::size_t> counts_;
};

template <class Items>
BatchResult process(const BatchEmbeddingGenerator& batch, const Items& items, BatchOptions options) {
  BatchResult result;
  UniqueKeys unique;
  if (options.total == 0) options.total = items.size();
  const auto source = [&items, next = std::size_t{0}]() mutable -> std::optional<CodeItem> {
    if (next == items.size()) return std::nullopt;
    return items[next++];
  };
  const auto sink = [&](const BatchedItem& item) {
    const std::string key = unique(item.key);
    std::optional<Vector>& vector = result.embeddings[key];
    if (item.report.status != Status::ok) {
      result.errors[key] = item.report.message.empty() ? std::string(to_string(item.report.status)) : item.report.message;
      return;
    }
    vector = Vector::from_shape({item.vector.size()});
    std::ranges::copy(item.vector, vector->begin());
    if (item.report.truncated()) result.cut[key] = item.report;
  };
  result.summary = batch.process_stream(source, sink, options);
  // Those that were never read because of a stop are the caller's items all the same.
  for (std::size_t i = result.summary.total; i < items.size(); ++i) {
    const std::string key = unique(location_key(items[i]));
    result.embeddings[key] = std::nullopt;
    result.errors[key] = to_string(Status::cancelled);
    ++result.summary.total;
    ++result.summary.failed;
  }
  const CacheModel model = cache_model(batch.generator().info(), options.long_text);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  result.metadata = {
      .model_name = model.name, .model_version = model.fingerprint, .dimensions = model.dimension, .processed_at = store::to_rfc3339(now)};
  return result;
}

}  // namespace

CodePreparator code_preparator(TextPreparator preparator) {
  return [preparator](const CodeItem& item) {
    if (const auto* function = std::get_if<Function>(&item)) return preparator.prepare_function(*function);
    return preparator.prepare_class(std::get<Class>(item));
  };
}

std::string location_key(const CodeItem& item) {
  return std::visit([](const auto& code) { return fmt::format("{}:{}", code.file_path, code.line_number); }, item);
}

std::string to_json(const BatchResult& result) {
  const BatchSummary& summary = result.summary;
  std::string json = fmt::format(R"({{"summary":{{"total":{},"success":{},"failed":{},"cached":{},"newly_embedded":{}}},"embeddings":)",
                                 summary.total, summary.success, summary.failed, summary.cached, summary.newly_embedded);
  append_object(json, result.embeddings, [&json](const std::optional<Vector>& vector) {
    if (vector) {
      append_numbers(json, {vector->data(), vector->size()});
    } else {
      json += "null";
    }
  });
  json += R"(,"errors":)";
  append_object(json, result.errors, [&json](const std::string& message) { json += json_string(message); });
  const BatchMetadata& metadata = result.metadata;
  json += fmt::format(R"(,"metadata":{{"model_name":{},"model_version":{},"dimensions":{},"processed_at":{}}}}})",
                      json_string(metadata.model_name), json_string(metadata.model_version), metadata.dimensions,
                      json_string(metadata.processed_at));
  return json;
}

std::string to_json_row(const BatchedItem& item) {
  if (item.vector.empty()) throw Error(Status::invalid_argument, fmt::format("{} has no vector", item.key));
  std::string json = fmt::format(R"({{"id":{},"vector":)", json_string(item.key));
  append_numbers(json, item.vector);
  const auto* const function = std::get_if<Function>(&item.item);
  std::visit(
      [&](const auto& code) {
        json += fmt::format(
            R"(,"kind":"{}","file_path":{},"line_number":{},"name":{},"class_name":{},"language":{},"docstring":{},"source_code":{}}})",
            function != nullptr ? "function" : "class", json_string(code.file_path), code.line_number, json_string(code.name),
            json_string(function != nullptr ? function->class_name : ""), json_string(code.language), json_string(code.docstring),
            json_string(code.source_code));
      },
      item.item);
  return json;
}

std::string to_json_rows(const BatchResult& result, std::span<const CodeItem> items) {
  std::string json = "[";
  UniqueKeys unique;
  for (const CodeItem& item : items) {
    const std::string key = unique(location_key(item));
    const auto found = result.embeddings.find(key);
    if (found == result.embeddings.end()) {
      throw Error(Status::invalid_argument, fmt::format("{} is no item of the result", key));
    }
    if (!found->second) continue;
    if (json.size() > 1) json += ",\n";
    json += to_json_row({.key = key, .item = item, .vector = {found->second->data(), found->second->size()}});
  }
  return json + "]";
}

BatchEmbeddingGenerator::BatchEmbeddingGenerator(EmbeddingGenerator generator, TextPreparator preparator,
                                                 std::shared_ptr<VectorCache> cache)
    : BatchEmbeddingGenerator(std::move(generator), code_preparator(preparator), std::move(cache)) {}

BatchEmbeddingGenerator::BatchEmbeddingGenerator(EmbeddingGenerator generator, CodePreparator preparator,
                                                 std::shared_ptr<VectorCache> cache)
    : generator_(std::move(generator)), preparator_(std::move(preparator)), cache_(cache ? std::move(cache) : open_cache("memory:")) {
  if (!preparator_) throw Error(Status::invalid_argument, "the preparator is empty");
}

BatchResult BatchEmbeddingGenerator::process_functions(std::span<const Function> functions, const BatchOptions& options) const {
  return process(*this, functions, options);
}

BatchResult BatchEmbeddingGenerator::process_classes(std::span<const Class> classes, const BatchOptions& options) const {
  return process(*this, classes, options);
}

BatchResult BatchEmbeddingGenerator::process_batch(std::span<const CodeItem> items, const BatchOptions& options) const {
  return process(*this, items, options);
}

BatchSummary BatchEmbeddingGenerator::process_stream(const std::function<std::optional<CodeItem>()>& source,
                                                     const std::function<void(const BatchedItem&)>& sink,
                                                     const BatchOptions& options) const {
  if (!source) throw Error(Status::invalid_argument, "the source is empty");
  if (!sink) throw Error(Status::invalid_argument, "the sink is empty");
  std::deque<CodeItem> on_their_way;  // in the order in which they come out
  const auto read = [&]() -> std::optional<StreamText> {
    std::optional<CodeItem> item = source();
    if (!item) return std::nullopt;
    on_their_way.push_back(std::move(*item));
    return prepared(on_their_way.back(), preparator_);
  };
  const auto hand_over = [&](const StreamedVector& streamed) {
    BatchedItem item{
        .item = std::move(on_their_way.front()), .report = streamed.report, .vector = streamed.vector, .cached = streamed.cached};
    on_their_way.pop_front();
    item.key = location_key(item.item);
    sink(item);
  };
  const StreamSummary summary = embed_stream(generator_, read, hand_over,
                                             {.max_memory = options.max_memory,
                                              .long_text = options.long_text,
                                              .cache = cache_,
                                              .total = options.total,
                                              .stop = options.stop,
                                              .on_progress = options.on_progress});
  return {.total = summary.total,
          .success = summary.success,
          .failed = summary.failed + summary.cancelled,
          .cached = summary.cached,
          .newly_embedded = summary.newly_embedded};
}

}  // namespace inlay
