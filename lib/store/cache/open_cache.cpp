// Which cache a path or URL stands for.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "inlay/error.hpp"
#include "inlay/vector_cache.hpp"
#include "platform/process.hpp"
#include "store/cache/json_file.hpp"
#include "store/cache/layered_cache.hpp"
#include "store/cache/sqlite_file.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

struct Address {
  CacheKind kind = CacheKind::sqlite;
  std::string path;  // empty: the default
};

bool is_scheme(std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_other = [](char c) { return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == '_'; };
  // One letter is a drive.
  return word.size() > 1 && is_letter(word.front()) && std::ranges::all_of(word, [&](char c) { return is_letter(c) || is_other(c); });
}

Address parse(std::string_view text) {
  const auto fail = [text](std::string_view what) {
    return Error(Status::invalid_argument,
                 fmt::format("the vector cache \"{}\" {}; understood: json:PATH, sqlite:PATH, memory:, or a path (of a "
                             "JSON file where it ends in .json, of SQLite otherwise)",
                             text.substr(0, text.find('\0')), what));
  };
  if (text.find('\0') != std::string_view::npos) throw fail("has a NUL in its name");
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && is_scheme(text.substr(0, colon))) {
    const std::string_view scheme = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    if (scheme == "json") return {CacheKind::json, std::string(rest)};
    if (scheme == "sqlite") return {CacheKind::sqlite, std::string(rest)};
    if (scheme != "memory") throw fail("is of an unknown kind");
    if (!rest.empty()) throw fail("has a path, which memory has not");
    return {CacheKind::memory, {}};
  }
  return {text.ends_with(".json") ? CacheKind::json : CacheKind::sqlite, std::string(text)};
}

fs::path home() {
  fs::path folder = platform::home_folder();
  if (folder.empty()) throw Error(Status::not_found, "no home folder is known, in which the vector cache would lie: give its path");
  return folder;
}

fs::path default_path(CacheKind kind) {
  if (kind == CacheKind::json) return home() / ".codesearch" / "embeddings" / "cache.json";
  const char* caches = std::getenv("XDG_CACHE_HOME");
  const bool is_given = caches != nullptr && fs::path(caches).is_absolute();  // others are to be ignored, says its specification
  return (is_given ? fs::path(caches) : home() / ".cache") / "inlay" / "vectors.db";
}

// Absolute, and where links lead: the file is written in place of the one that they lead to. Links in a circle stay, and cannot be opened.
fs::path resolved(fs::path path) {
  constexpr int most_links = 40;
  std::error_code error;
  path = fs::absolute(path, error);
  for (int i = 0; i < most_links && fs::is_symlink(path, error); ++i) {
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;
    path = path.parent_path() / target;
  }
  fs::path canonical = fs::weakly_canonical(path, error);
  return error ? path : canonical;
}

fs::path file_path(const Address& place) {
  fs::path path = place.path.empty() ? default_path(place.kind) : fs::path(place.path);
  if (place.path.starts_with("~/")) path = home() / place.path.substr(2);
  std::error_code error;
  if (!path.has_filename() || fs::is_directory(path, error)) {
    throw Error(Status::invalid_argument, fmt::format("the vector cache {} is a folder, not a file", path.string()));
  }
  return resolved(path);
}

}  // namespace

std::shared_ptr<VectorCache> open_cache(std::string_view path_or_url, const CacheOptions& options) {
  const Address place = parse(path_or_url);
  if (place.kind == CacheKind::memory) return std::make_shared<store::LayeredCache>(options, store::LayeredCache::MakeFile());
  const fs::path path = file_path(place);
  return std::make_shared<store::LayeredCache>(options, [&](store::Warnings& warnings) -> std::unique_ptr<store::CacheFile> {
    if (place.kind == CacheKind::json) return std::make_unique<store::JsonFile>(path, warnings, options.busy_timeout);
    return std::make_unique<store::SqliteFile>(path, warnings, options.busy_timeout);
  });
}

}  // namespace inlay
