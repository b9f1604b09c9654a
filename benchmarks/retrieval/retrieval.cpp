// Vectors of functions and of queries, for run.py, over the public API alone.
//
//   benchmark_retrieval MODEL MAX_LENGTH THREADS PAIRS FOLDER queries TYPE...
//   benchmark_retrieval MODEL MAX_LENGTH THREADS PAIRS FOLDER documents FORMAT [CHUNK[:OVERLAP]]...
//   benchmark_retrieval MODEL MAX_LENGTH THREADS PAIRS FOLDER chunks FORMAT
//
// PAIRS holds a JSON object a line (pairs.py). TYPE is general, code_search, error_analysis or documentation: FOLDER/queries_TYPE.npy. FORMAT is
// what the text of a function is made of (preparator_of): FOLDER/FORMAT_truncate.npy, and FOLDER/FORMAT_average_CHUNK_OVERLAP.npy for each CHUNK,
// in tokens, by chunk-and-average (LongText::average). A function that fits into the chunk whole is not embedded again for it. Rows are in the
// order of PAIRS. With `chunks`, FOLDER/FORMAT_chunks.npy has a vector for each chunk of the functions that the model cannot see whole, each
// prepared as a function of its own, so with the same context; "rows" of the report says whose, "weights" how many tokens it has.
// MAX_LENGTH 0 is the model's own limit, THREADS 0 one a processor. Prints JSON: tokens and seconds.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <fstream>
#include <future>
#include <inlay/inlay.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <xtensor/xnpy.hpp>

namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Pairs {
  std::vector<std::string> queries;
  std::vector<inlay::Function> functions;
};

Pairs read_pairs(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Pairs pairs;
  for (std::string line; std::getline(file, line);) {
    const Json pair = Json::parse(line);
    pairs.queries.push_back(pair.at("query"));
    pairs.functions.push_back({.file_path = pair.at("file_path"),
                               .line_number = pair.at("line_number"),
                               .name = pair.at("name"),
                               .source_code = pair.at("code"),
                               .language = "python",
                               .class_name = pair.at("class_name"),
                               .qualified_name = pair.at("qualified_name")});
  }
  return pairs;
}

// "HTTPServer.parse_date" -> "HTTP Server parse date".
std::string words_of(std::string_view name) {
  const auto is = [](auto test, char letter) { return test(static_cast<unsigned char>(letter)) != 0; };
  const auto upper = [&](std::size_t i) { return i < name.size() && is(::isupper, name[i]); };
  const auto lower = [&](std::size_t i) { return i < name.size() && is(::islower, name[i]); };
  std::string words;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool separator = name[i] == '_' || name[i] == '.';
    const bool hump = i > 0 && upper(i) && (lower(i - 1) || lower(i + 1));
    if ((separator || hump) && !words.empty() && words.back() != ' ') words += ' ';
    if (!separator) words += name[i];
  }
  return words;
}

std::string full_name(const inlay::Function& function) {
  return function.class_name.empty() ? function.name : function.class_name + "." + function.name;
}

inlay::CodePreparator of_parts(inlay::TextParts parts) { return inlay::code_preparator(inlay::TextPreparator(parts)); }

template <class Text>
inlay::CodePreparator of_function(Text text) {
  return [text](const inlay::CodeItem& item) { return text(std::get<inlay::Function>(item)); };
}

inlay::CodePreparator preparator_of(std::string_view format) {
  if (format == "plain") return of_parts({.language = false, .function_name = false, .class_name = false});
  if (format == "default") return of_parts({});
  if (format == "name") return of_parts({.language = false});
  if (format == "language") return of_parts({.function_name = false, .class_name = false});
  if (format == "file_name") return of_parts({.file_name = true});
  if (format == "words") {
    return of_function([](const inlay::Function& function) { return words_of(full_name(function)) + "\n" + function.source_code; });
  }
  if (format == "labelled_words") {
    return of_function([](const inlay::Function& function) {
      return "[PYTHON] Function: " + words_of(full_name(function)) + "\n" + function.source_code;
    });
  }
  if (format == "name_alone") return of_function([](const inlay::Function& function) { return words_of(full_name(function)); });
  throw std::invalid_argument("unknown format: " + std::string(format));
}

inlay::QueryType query_type_of(std::string_view name) {
  if (name == "general") return inlay::QueryType::general;
  if (name == "code_search") return inlay::QueryType::code_search;
  if (name == "error_analysis") return inlay::QueryType::error_analysis;
  if (name == "documentation") return inlay::QueryType::documentation;
  throw std::invalid_argument("unknown query type: " + std::string(name));
}

inlay::Matrix embed_queries(const inlay::EmbeddingGenerator& generator, const std::vector<std::string>& queries, inlay::QueryType type) {
  std::vector<std::future<inlay::Vector>> futures;
  futures.reserve(queries.size());
  for (const std::string& query : queries) futures.push_back(generator.embed_query_async(query, type));
  auto vectors = inlay::Matrix::from_shape({queries.size(), generator.dimension()});
  for (std::size_t i = 0; i < futures.size(); ++i) std::ranges::copy(futures[i].get(), &vectors(i, 0));
  return vectors;
}

struct Documents {
  inlay::Matrix vectors;
  std::vector<std::size_t> tokens_seen;
  std::size_t embedded = 0;  // functions, those of an earlier run not counted
  std::size_t tokens = 0;
};

// Embeds the functions that do not fit into `long_text`'s chunk; the others keep the vector of `known`, which saw them whole.
Documents embed_functions(const inlay::BatchEmbeddingGenerator& batch, const std::vector<inlay::Function>& functions,
                          const inlay::LongTextOptions& long_text, const Documents* known = nullptr) {
  Documents documents;
  if (known != nullptr) {
    documents.vectors = known->vectors;
    documents.tokens_seen = known->tokens_seen;
  } else {
    documents.vectors = inlay::Matrix::from_shape({functions.size(), batch.generator().dimension()});
    documents.tokens_seen.resize(functions.size());
  }
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < functions.size(); ++row) {
    if (known == nullptr || known->tokens_seen[row] > long_text.chunk_size) rows.push_back(row);
  }
  const auto source = [&, next = std::size_t{0}]() mutable -> std::optional<inlay::CodeItem> {
    if (next == rows.size()) return std::nullopt;
    return functions[rows[next++]];
  };
  const auto sink = [&](const inlay::BatchedItem& item) {
    if (item.report.status != inlay::Status::ok) throw std::runtime_error(item.key + ": " + item.report.message);
    const std::size_t row = rows[documents.embedded++];
    std::ranges::copy(item.vector, &documents.vectors(row, 0));
    documents.tokens_seen[row] = item.report.tokens_seen;
    documents.tokens += item.report.tokens_used;
  };
  batch.process_stream(source, sink, {.long_text = long_text});
  return documents;
}

// "256:32".
inlay::LongTextOptions average_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  return {.policy = inlay::LongText::average,
          .chunk_size = std::stoul(text),
          .chunk_overlap = colon == std::string::npos ? 0 : std::stoul(text.substr(colon + 1))};
}

Json measure_queries(const inlay::EmbeddingGenerator& generator, const Pairs& pairs, const std::string& folder,
                     const std::vector<std::string>& types) {
  Json runs = Json::object();
  for (const std::string& type : types) {
    const auto start = Clock::now();
    xt::dump_npy(folder + "/queries_" + type + ".npy", embed_queries(generator, pairs.queries, query_type_of(type)));
    runs["queries_" + type] = {{"seconds", seconds_since(start)}, {"embedded", pairs.queries.size()}};
  }
  return {{"runs", runs}};
}

Json measure_documents(const inlay::EmbeddingGenerator& generator, const Pairs& pairs, const std::string& folder,
                       const std::vector<std::string>& arguments) {
  const std::string& format = arguments.at(0);
  const inlay::BatchEmbeddingGenerator batch(generator, preparator_of(format));
  Json runs = Json::object();
  const auto embed_and_save = [&](const std::string& name, const inlay::LongTextOptions& long_text, const Documents* known) {
    const auto start = Clock::now();
    Documents documents = embed_functions(batch, pairs.functions, long_text, known);
    runs[name] = {{"seconds", seconds_since(start)}, {"embedded", documents.embedded}, {"tokens", documents.tokens}};
    xt::dump_npy(folder + "/" + name + ".npy", documents.vectors);
    return documents;
  };
  const Documents truncated = embed_and_save(format + "_truncate", {.policy = inlay::LongText::truncate}, nullptr);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const inlay::LongTextOptions average = average_of(arguments[i]);
    if (average.chunk_size == 0 || average.chunk_size > generator.max_sequence_length()) {
      throw std::invalid_argument("a chunk of " + arguments[i] + " tokens does not fit into the model");
    }
    (void)embed_and_save(format + "_average_" + std::to_string(average.chunk_size) + "_" + std::to_string(average.chunk_overlap), average,
                         &truncated);
  }
  return {{"runs", runs}, {"tokens_seen", truncated.tokens_seen}};
}

// One chunk of a function as a function, and which it was.
struct Chunk {
  inlay::Function function;
  std::size_t row = 0;
  std::size_t tokens = 0;
};

std::vector<Chunk> cut_functions(const inlay::EmbeddingGenerator& generator, const inlay::CodePreparator& prepare,
                                 const std::vector<inlay::Function>& functions) {
  const inlay::TokenCounter counter(generator.tokenizer(), generator.max_sequence_length());
  const std::size_t limit = generator.max_sequence_length();
  std::vector<Chunk> chunks;
  for (std::size_t row = 0; row < functions.size(); ++row) {
    if (counter(prepare(functions[row])) + counter.special_tokens() <= limit) continue;
    inlay::Function piece = functions[row];
    piece.source_code.clear();
    const std::size_t context = counter(prepare(piece));
    const inlay::RecursiveCharacterTextSplitter splitter(counter, {.chunk_size = limit - context, .language = "python"});
    for (const inlay::TextChunk& chunk : splitter.split(functions[row].source_code)) {
      piece.source_code = chunk.of(functions[row].source_code);
      chunks.push_back({.function = piece, .row = row, .tokens = chunk.tokens});
    }
  }
  return chunks;
}

Json measure_chunks(const inlay::EmbeddingGenerator& generator, const Pairs& pairs, const std::string& folder, const std::string& format) {
  const auto start = Clock::now();
  const inlay::CodePreparator prepare = preparator_of(format);
  std::vector<inlay::Function> pieces;
  Json rows = Json::array();
  Json weights = Json::array();
  for (Chunk& chunk : cut_functions(generator, prepare, pairs.functions)) {
    pieces.push_back(std::move(chunk.function));
    rows.push_back(chunk.row);
    weights.push_back(chunk.tokens);
  }
  const Documents embedded = embed_functions(inlay::BatchEmbeddingGenerator(generator, prepare), pieces, {});
  xt::dump_npy(folder + "/" + format + "_chunks.npy", embedded.vectors);
  const Json run = {{"seconds", seconds_since(start)}, {"embedded", embedded.embedded}, {"tokens", embedded.tokens}};
  return {{"runs", {{format + "_chunks", run}}}, {"rows", rows}, {"weights", weights}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 8) {
    std::cerr << "usage: benchmark_retrieval MODEL MAX_LENGTH THREADS PAIRS FOLDER queries TYPE...\n"
                 "       benchmark_retrieval MODEL MAX_LENGTH THREADS PAIRS FOLDER documents FORMAT [CHUNK[:OVERLAP]]...\n"
                 "       benchmark_retrieval MODEL MAX_LENGTH THREADS PAIRS FOLDER chunks FORMAT\n";
    return 2;
  }
  try {
    const auto generator = inlay::EmbeddingGenerator::load(
        argv[1], {.device = inlay::Device::cpu(), .max_sequence_length = std::stoul(argv[2]), .threads = std::stoul(argv[3])});
    const Pairs pairs = read_pairs(argv[4]);
    const std::string what = argv[6];
    const std::vector<std::string> arguments(argv + 7, argv + argc);
    Json report;
    if (what == "queries") {
      report = measure_queries(generator, pairs, argv[5], arguments);
    } else if (what == "documents") {
      report = measure_documents(generator, pairs, argv[5], arguments);
    } else if (what == "chunks") {
      report = measure_chunks(generator, pairs, argv[5], arguments.at(0));
    } else {
      throw std::invalid_argument("neither queries nor documents nor chunks: " + what);
    }
    report["max_length"] = generator.max_sequence_length();
    report["kernels"] = generator.info().kernels;
    report["threads"] = generator.info().threads;
    std::cout << report.dump() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "benchmark_retrieval: " << error.what() << "\n";
    return 1;
  }
}
