// index_codebase: reading, embedding, and what changed.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "batch/generator_access.hpp"
#include "code/index/code_documents.hpp"
#include "code/index/codebase_reader.hpp"
#include "inlay/codebase_index.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "platform/log.hpp"
#include "store/document_json.hpp"
#include "store/set_files.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// An item as far as it is told from others.
struct Fingerprint {
  std::string file_path;
  std::string name;  // kind and qualified name
  std::int64_t line = 0;
  std::string source;  // its content_key
};

Fingerprint fingerprint_of(const Document& document) {
  const IndexedItem item = code::to_indexed_item(document);
  return {item.file_path, fmt::format("{} {}", to_string(item.kind), item.qualified_name), item.line_number, content_key(document.content)};
}

std::vector<Fingerprint> earlier_items(const fs::path& index) {
  std::vector<Fingerprint> items;
  if (!is_embedding_set(index)) return items;
  try {
    const platform::MappedFile rows(index / store::rows_file);
    store::for_each_row(rows, (index / store::rows_file).string(),
                        [&](const store::Row& row, std::string_view) { items.push_back(fingerprint_of(row.document)); });
  } catch (const Error& error) {  // embed_corpus says what is wrong with it
    platform::log(LogLevel::debug, error.what());
    items.clear();
  }
  return items;
}

// Where the code of an index was; empty where that is not known.
std::string earlier_folder(const fs::path& index) {
  const fs::path file = index / store::vector_index_record_file;
  std::error_code error;
  if (!fs::exists(file, error)) return {};
  try {
    return store::read_index_record(platform::read_file(file), file.string()).folder;
  } catch (const Error& failure) {  // it is made anew
    platform::log(LogLevel::debug, failure.what());
    return {};
  }
}

// Pairs each item with one of those before: what is the same in the same place first, then what has the same source, then what has the same
// name.
class Comparison {
 public:
  Comparison(const std::vector<Fingerprint>& before, const std::vector<Fingerprint>& now) : before_(before), now_(now) {}

  void count(CodebaseChanges& changes) {
    taken_.assign(before_.size(), false);
    paired_.assign(now_.size(), false);
    changes.unchanged = pair([](const Fingerprint& item) { return fmt::format("{}\n{}\n{}", item.source, item.line, item.file_path); });
    changes.moved = pair([](const Fingerprint& item) { return fmt::format("{}\n{}", item.source, item.file_path); }) +
                    pair([](const Fingerprint& item) { return item.source; });
    changes.edited = pair([](const Fingerprint& item) { return fmt::format("{}\n{}", item.name, item.file_path); });
    changes.items = now_.size();
    changes.added = now_.size() - changes.unchanged - changes.moved - changes.edited;
    changes.removed = static_cast<std::size_t>(std::ranges::count(taken_, false));
  }

 private:
  template <class Key>
  std::size_t pair(const Key& key) {
    std::unordered_map<std::string, std::vector<std::size_t>> open;
    for (std::size_t i = before_.size(); i-- > 0;) {  // so that the first comes out first
      if (!taken_[i]) open[key(before_[i])].push_back(i);
    }
    std::size_t pairs = 0;
    for (std::size_t i = 0; i < now_.size(); ++i) {
      if (paired_[i]) continue;
      const auto found = open.find(key(now_[i]));
      if (found == open.end() || found->second.empty()) continue;
      taken_[found->second.back()] = true;
      found->second.pop_back();
      paired_[i] = true;
      ++pairs;
    }
    return pairs;
  }

  const std::vector<Fingerprint>& before_;
  const std::vector<Fingerprint>& now_;
  std::vector<bool> taken_;   // of those before
  std::vector<bool> paired_;  // of those now
};

}  // namespace

CodebaseChanges index_codebase(const EmbeddingGenerator& generator, const fs::path& folder, const fs::path& index,
                               const IndexCodebaseOptions& options) {
  CodebaseChanges changes;
  IndexCodebaseOptions reading = options;
  reading.on_skip = [&](const fs::path& path, std::string_view reason) {
    ++changes.skipped[std::string(reason)];
    if (options.on_skip) options.on_skip(path, reason);
  };
  code::CodebaseReader reader(folder, reading, generator.tokenizer(), generator.max_sequence_length(),
                              batch::GeneratorAccess::document_prompt(generator));
  const std::vector<Fingerprint> before = earlier_items(index);
  std::vector<Fingerprint> now;
  const std::string absolute = fs::absolute(folder).lexically_normal().string();
  if (const std::string earlier = earlier_folder(index); !earlier.empty() && earlier != absolute)
    platform::log(LogLevel::warning, fmt::format("{} was the index of {}, and becomes that of {}", index.string(), earlier, absolute));
  EmbedCorpusOptions corpus{.fresh = options.fresh,
                            .allow_empty = true,
                            .max_memory = options.max_memory,
                            .long_text = options.long_text,
                            .preparator = code_item_preparator(options.preparator, options.name_words),
                            .cache = options.cache,
                            .index = options.index,
                            .folder = absolute,
                            .created = options.created,
                            .stop = options.stop};
  corpus.index->stop = options.stop;
  if (options.on_progress) corpus.on_progress = [&](const Progress& progress) { options.on_progress(progress, reader.fraction()); };
  corpus.on_item = [&](const Document& document, const ItemReport& report) {
    if (report.status == Status::ok) {
      now.push_back(fingerprint_of(document));
    } else if (report.status != Status::cancelled) {
      ++changes.failed;
      if (options.on_failure) options.on_failure(document, report);
    }
  };
  changes.corpus = embed_corpus(
      generator, [&] { return reader.next(); }, index, corpus);
  changes.files = reader.files();
  if (changes.corpus.finished) Comparison(before, now).count(changes);
  if (now.empty() && !changes.corpus.written) changes.removed = 0;  // where every item failed, the index stays as it was
  return changes;
}

}  // namespace inlay
