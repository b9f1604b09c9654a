#include "code/folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "code/ignore_rules.hpp"
#include "code/languages.hpp"
#include "code/valid_text.hpp"
#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "store/file_store.hpp"

namespace inlay::code {
namespace {

namespace fs = std::filesystem;

class Walk {
 public:
  Walk(const fs::path& top, const OnSkip& on_skip) : top_(top), on_skip_(on_skip), rules_(top) {}

  FolderTree tree() {
    std::error_code error;
    const std::vector<fs::directory_entry> entries = read(top_, error);
    if (error)
      throw Error(Status::io_error, fmt::format("cannot read folder {}: {}", top_.string(), platform::system_message(error.value())));
    visit(entries, {});
    std::ranges::sort(tree_.files);
    std::ranges::sort(tree_.folders);
    return std::move(tree_);
  }

  void skip(const fs::path& path, std::string_view reason) const {
    if (on_skip_) on_skip_(path, reason);
  }

 private:
  // All entries before any is entered: a deep tree must not hold a descriptor a level.
  static std::vector<fs::directory_entry> read(const fs::path& folder, std::error_code& error) {
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) entries.push_back(*entry);
    return entries;
  }

  void visit(const std::vector<fs::directory_entry>& entries, const std::string& prefix) {
    tree_.folders.push_back(prefix);
    for (const fs::directory_entry& entry : entries) {
      const std::string name = entry.path().filename().native();
      std::error_code error;
      const fs::file_status status = entry.symlink_status(error);
      const bool is_folder = fs::is_directory(status);
      if (error) {
        ++tree_.unreadable;
        skip(entry.path(), platform::system_message(error.value()));
      } else if (name.starts_with('.')) {
        skip(entry.path(), "hidden");
      } else if (rules_.ignores(name, is_folder)) {
        skip(entry.path(), "ignored");
      } else if (is_folder) {
        enter(entry.path(), name, prefix);
      } else if (fs::is_symlink(status)) {
        skip(entry.path(), "symbolic link");
      } else if (!fs::is_regular_file(status)) {
        skip(entry.path(), "special file");
      } else {
        tree_.files.push_back(prefix + name);
      }
    }
  }

  void enter(const fs::path& folder, const std::string& name, const std::string& prefix) {
    if (is_embedding_set(folder) || store::is_file_store(folder)) return skip(folder, "embeddings");
    std::error_code error;
    const std::vector<fs::directory_entry> entries = read(folder, error);
    if (error) {
      ++tree_.unreadable;
      return skip(folder, platform::system_message(error.value()));
    }
    rules_.enter(folder, name);
    visit(entries, prefix + name + "/");
    rules_.leave();
  }

  const fs::path& top_;
  const OnSkip& on_skip_;
  IgnoreRules rules_;
  FolderTree tree_;
};

}  // namespace

FolderTree list_tree(const fs::path& folder, const OnSkip& on_skip) { return Walk(folder, on_skip).tree(); }

std::vector<std::string> list_files(const fs::path& folder, const OnSkip& on_skip) { return list_tree(folder, on_skip).files; }

std::size_t files_within(const fs::path& folder, std::span<const std::string> files, std::size_t most_bytes) {
  std::size_t count = 0;
  for (std::size_t bytes = 0; count < files.size(); ++count) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(folder / files[count], error);
    if (!error) bytes += size;
    if (bytes > most_bytes) break;
  }
  return std::max<std::size_t>(count, std::min<std::size_t>(1, files.size()));
}

Document file_document(std::string bytes, const std::string& file_path) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
  Document document;
  document.content = valid_text(std::move(bytes));
  document.metadata.file_path = valid_text(file_path);
  document.metadata.file_name = document.metadata.file_path.substr(document.metadata.file_path.rfind('/') + 1);
  const FileKind kind = file_kind(document.metadata.file_name);
  document.metadata.file_type = kind.type.empty() ? lower_ending(document.metadata.file_name) : std::string(kind.type);
  document.metadata.language = kind.language;
  document.metadata.line_number = 1;
  return document;
}

FolderReader::FolderReader(fs::path folder, CorpusOptions options)
    : folder_(std::move(folder)), options_(std::move(options)), files_(list_files(folder_, options_.on_skip)) {}

std::optional<Document> FolderReader::next() {
  while (next_ < files_.size()) {
    if (auto document = read(files_[next_++])) return document;
  }
  return std::nullopt;
}

double FolderReader::fraction() const noexcept {
  return files_.empty() ? 1 : static_cast<double>(next_) / static_cast<double>(files_.size());
}

std::optional<Document> FolderReader::read(const std::string& file) const {
  const fs::path path = folder_ / file;
  const auto skip = [&](std::string_view reason) -> std::optional<Document> {
    if (options_.on_skip) options_.on_skip(path, reason);
    return std::nullopt;
  };
  std::error_code error;
  if (fs::file_size(path, error) > options_.max_file_bytes && !error) return skip("too large");
  try {
    std::string bytes = platform::read_file(path);
    if (bytes.size() > options_.max_file_bytes) return skip("too large");
    if (is_binary(bytes)) return skip("binary");
    if (bytes.find_first_not_of(" \t\r\n\f\v") == std::string::npos) return skip("empty");
    return file_document(std::move(bytes), file);
  } catch (const Error& failure) {
    return skip(failure.what());
  }
}

}  // namespace inlay::code
