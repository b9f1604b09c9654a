// CodeParser on files and folders.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "code/folder.hpp"
#include "code/languages.hpp"
#include "code/parse/skipped_file.hpp"
#include "code/parse_named.hpp"
#include "code/valid_text.hpp"
#include "inlay/code_parser.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "platform/parallel.hpp"
#include "platform/processors.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_at_once = 32;                    // a thread
constexpr std::size_t bytes_at_once = std::size_t{8} << 20;  // a thread, but for a larger file

std::string_view file_name_of(std::string_view path) { return path.substr(path.find_last_of("/\\") + 1); }

// Reads and parses one file, which goes by `name`.
ParsedFile parse_one(const CodeParser& parser, const fs::path& path, const std::string& name) {
  const std::size_t limit = parser.options().max_file_bytes;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (!error && size > limit) return code::skipped_file(name, code::file_kind(file_name_of(name)).language, "too large");
  return code::parse_named(parser, platform::read_file(path), name);
}

}  // namespace

ParsedFile CodeParser::parse_file(const fs::path& path) const { return parse_one(*this, path, code::valid_text(path.string())); }

void CodeParser::parse_folder(const fs::path& folder, const std::function<void(ParsedFile&&)>& sink,
                              const ParseFolderOptions& options) const {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) throw Error(Status::not_found, fmt::format("{} is not a folder", folder.string()));
  const std::vector<std::string> files = code::list_files(folder, options.on_skip);
  const std::size_t threads = options_.threads > 0 ? options_.threads : platform::available_processors();
  std::vector<ParsedFile> parsed;
  for (std::size_t done = 0; done < files.size();) {
    const std::size_t most = std::min(files.size() - done, threads * files_at_once);
    const std::size_t count = code::files_within(folder, std::span(files).subspan(done, most), threads * bytes_at_once);
    parsed.assign(count, {});
    const auto parse = [&](std::size_t index) {
      if (options.stop.stop_requested()) throw Error(Status::cancelled, "parsing was stopped");
      const std::string& name = files[done + index];
      try {
        parsed[index] = parse_one(*this, folder / name, code::valid_text(name));
      } catch (const Error& error) {
        parsed[index] = code::skipped_file(code::valid_text(name), {}, error.what());
      }
    };
    platform::for_each_parallel(count, parse, threads);
    for (std::size_t index = 0; index < count; ++index) {
      if (!parsed[index].skipped.empty() && options.on_skip) options.on_skip(folder / files[done + index], parsed[index].skipped);
      sink(std::move(parsed[index]));
    }
    done += count;
    if (options.on_progress) options.on_progress(done, files.size());
  }
}

ParsedFile parse_file(const fs::path& path) { return CodeParser().parse_file(path); }

}  // namespace inlay
