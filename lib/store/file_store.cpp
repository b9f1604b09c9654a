#include "store/file_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "inlay/error.hpp"
#include "platform/log.hpp"
#include "store/cache/json_entry.hpp"
#include "store/cache/keep_aside.hpp"
#include "store/cache_arguments.hpp"
#include "store/document_json.hpp"
#include "store/key_index.hpp"

namespace inlay::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view lock_name = ".lock";
constexpr std::string_view ending = ".json";
constexpr std::size_t most_preview_characters = 200;
constexpr std::chrono::seconds shortest_between_indexes(1);

fs::path data_path(const fs::path& folder, std::string_view id) { return folder / data_folder / fmt::format("{}{}", id, ending); }

// The id of a text whose file this is; nothing for any other file.
std::optional<std::string> id_of_file(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.ends_with(ending)) return std::nullopt;
  std::string id = name.substr(0, name.size() - ending.size());
  if (!is_content_key(id)) return std::nullopt;
  return id;
}

// Of a text's file. Throws Error: not_found, io_error; invalid_data where it is not what was written under this id.
JsonEntry read_entry(const fs::path& folder, std::string_view id) {
  const fs::path path = data_path(folder, id);
  const std::string bytes = platform::read_file(path);
  try {
    JsonEntry entry = JsonEntryReader().read("\"\": " + bytes);
    if (text_id(entry.key) != id) throw Error(Status::invalid_data, "it is of another text");
    if (!entry.checksum) throw Error(Status::invalid_data, "it has no checksum");
    entry.check(entry.model_version);
    return entry;
  } catch (const Error& error) {
    throw Error(error.status(), fmt::format("{} is damaged: {}", path.string(), error.what()));
  }
}

std::string string_field(const JsonFields& fields, std::string_view name) {
  const auto field = std::ranges::find(fields, name, [](const auto& member) -> std::string_view { return member.first; });
  if (field == fields.end()) return {};
  const auto* text = std::get_if<std::string>(&field->second);
  return text == nullptr ? std::string() : *text;
}

std::size_t count_field(const JsonFields& fields, std::string_view name) {
  const auto field = std::ranges::find(fields, name, [](const auto& member) -> std::string_view { return member.first; });
  const auto* number = field == fields.end() ? nullptr : std::get_if<std::int64_t>(&field->second);
  return number == nullptr || *number < 0 ? 0 : static_cast<std::size_t>(*number);
}

// The beginning of a text, as many characters as are kept.
std::string_view preview(std::string_view text) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && characters++ == most_preview_characters) return text.substr(0, i);
  }
  return text;
}

void append_field(std::string& json, std::string_view name, std::string_view text) {
  if (!json.ends_with('{')) json += ", ";
  json.append("\"").append(name).append("\": ");
  append_json_string(json, text);
}

// As readers are to find them, whole or not at all. Not flushed to the disk: a damaged one is found out by its checksum.
void write_quickly(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = platform::temporary_name(path);
  std::error_code error;
  try {
    platform::AppendedFile(temporary).append(bytes);
    fs::rename(temporary, path, error);
  } catch (const Error&) {
    fs::remove(temporary, error);
    throw;
  }
  if (error) throw Error(Status::io_error, fmt::format("cannot create {}: {}", path.string(), platform::system_message(error.value())));
}

}  // namespace

std::string text_id(std::string_view key) { return unpack_content_key(pack_key(key)); }

bool is_file_store(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / index_file, error) || fs::is_directory(folder / data_folder, error);
}

std::optional<StoredVector> read_stored_vector(const fs::path& folder, std::string_view key) {
  try {
    JsonEntry entry = read_entry(folder, text_id(key));
    if (entry.key != key) return std::nullopt;
    return StoredVector{std::move(entry.vector), std::move(entry.model_version)};
  } catch (const Error& error) {
    if (error.status() != Status::not_found) platform::log(LogLevel::warning, fmt::format("{}; it is left out", error.what()));
    return std::nullopt;
  }
}

std::unique_ptr<FileStore> FileStore::open(const fs::path& folder, const CacheModel& model, Existing existing) {
  check_model(model);
  std::error_code error;
  const bool there = fs::exists(fs::status(folder, error));
  const bool free = !there || (fs::is_directory(folder, error) && fs::is_empty(folder, error));
  if (!free && !is_file_store(folder)) {
    throw Error(Status::invalid_argument,
                fmt::format("{} is there and is not a store of readable files: it is left as it is", folder.string()));
  }
  platform::create_folders(folder / data_folder);
  auto lock = platform::FileLock::try_acquire(folder / lock_name);
  if (!lock) throw Error(Status::io_error, fmt::format("{} is being written by another process: wait until it has ended", folder.string()));
  std::unique_ptr<FileStore> store(new FileStore(fs::absolute(folder), model, std::move(*lock)));
  if (existing == Existing::discard) store->discard();
  platform::remove_temporary_files(folder / index_file);
  store->read_index();
  store->read_folder();
  store->tell_other_models();
  return store;
}

FileStore::FileStore(fs::path folder, CacheModel model, platform::FileLock lock)
    : folder_(std::move(folder)), model_(std::move(model)), lock_(std::move(lock)) {}

FileStore::~FileStore() {
  try {
    flush();
  } catch (const std::exception&) {  // want of memory; the index is made anew from the files
  }
}

void FileStore::discard() {
  std::error_code error;
  fs::remove(folder_ / index_file, error);
  for (fs::directory_iterator entry(folder_ / data_folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (id_of_file(entry->path())) fs::remove(entry->path(), ignored);
  }
  if (error) throw Error(Status::io_error, fmt::format("cannot empty {}: {}", folder_.string(), platform::system_message(error.value())));
}

void FileStore::read_index() {
  const fs::path path = folder_ / index_file;
  if (!platform::file_identity(path)) return;
  try {
    for_each_json_item(platform::read_file(path), path.string(), [this, &path](JsonItem item) {
      const auto* fields = std::get_if<JsonFields>(&item.value);
      if (fields == nullptr || !is_content_key(item.name))
        throw Error(Status::invalid_data, fmt::format("{} is not an index of texts", path.string()));
      Record record;
      const std::string beginning = string_field(*fields, "preview");
      record.whole_text = beginning.empty();
      record.text = record.whole_text ? string_field(*fields, "text") : beginning;
      record.label = string_field(*fields, "label");
      record.name = string_field(*fields, "name");
      record.error = string_field(*fields, "error");
      record.model = {string_field(*fields, "model_name"), string_field(*fields, "model_version"), count_field(*fields, "dimensions")};
      records_.insert_or_assign(std::move(item.name), std::move(record));
    });
  } catch (const Error& error) {
    if (error.status() != Status::invalid_data) throw;
    records_.clear();
    changed_ = true;
    const fs::path kept = move_aside(path, "damaged");
    platform::log(LogLevel::warning, fmt::format("{}; it is kept as {}, and made anew from the texts' files", error.what(), kept.string()));
  }
}

void FileStore::read_folder() {
  std::error_code error;
  for (fs::directory_iterator entry(folder_ / data_folder, error), end; !error && entry != end; entry.increment(error)) {
    const auto id = id_of_file(entry->path());
    std::error_code ignored;
    if (!id) {
      if (const std::string name = entry->path().filename().string(); name.starts_with('.') && name.ends_with(".tmp")) {
        fs::remove(entry->path(), ignored);  // a killed process's
      }
      continue;
    }
    Record& record = records_[*id];
    record.has_file = true;
    if (!record.model.fingerprint.empty()) continue;
    changed_ = true;
    try {
      const JsonEntry found = read_entry(folder_, *id);
      const JsonItem whole = read_json_value(platform::read_file(entry->path()), entry->path().string());
      const auto& fields = std::get<JsonFields>(whole.value);
      record.model = {string_field(fields, "model_name"), found.model_version, found.vector.size()};
      record.label = string_field(fields, "label");
      record.name = found.name;
    } catch (const Error& failure) {
      record.has_file = false;
      record.error = "its file is damaged";
      platform::log(LogLevel::warning, fmt::format("{}; it is left out", failure.what()));
    }
  }
  if (error) throw Error(Status::io_error, fmt::format("cannot read {}: {}", folder_.string(), platform::system_message(error.value())));
  const std::size_t gone = std::erase_if(records_, [](const auto& item) { return !item.second.has_file && item.second.error.empty(); });
  changed_ = changed_ || gone > 0;
}

void FileStore::write_index() {
  const auto begin = Clock::now();
  std::string json = "{";
  for (const auto& [id, record] : records_) {
    json += json.size() == 1 ? "\n" : ",\n";
    std::string fields = "{";
    if (!record.text.empty()) append_field(fields, record.whole_text ? "text" : "preview", record.text);
    if (!record.label.empty()) append_field(fields, "label", record.label);
    if (!record.name.empty()) append_field(fields, "name", record.name);
    if (record.has_file) {
      append_field(fields, "file", fmt::format("{}/{}{}", data_folder, id, ending));
      append_field(fields, "status", "completed");
      append_field(fields, "model_name", record.model.name);
      append_field(fields, "model_version", record.model.fingerprint);
      fields += fmt::format(", \"dimensions\": {}", record.model.dimension);
    } else {
      append_field(fields, "status", "failed");
      append_field(fields, "error", record.error);
    }
    json += fmt::format("\"{}\": {}}}", id, fields);
  }
  json += "\n}\n";
  try {
    platform::write_file_whole(folder_ / index_file, json);
    changed_ = false;
  } catch (const Error& error) {
    tell_trouble(error);
  }
  next_index_ = Clock::now() + std::max<Clock::duration>(shortest_between_indexes, 10 * (Clock::now() - begin));
}

void FileStore::write_index_if_due() {
  if (changed_ && Clock::now() >= next_index_) write_index();
}

void FileStore::tell_trouble(const Error& error) {
  if (!persistent_.exchange(false)) return;  // told already
  platform::log(LogLevel::warning,
                fmt::format("{}; going on, but what cannot be written has to be computed anew if the run is broken off", error.what()));
}

bool FileStore::has(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto record = records_.find(text_id(key));
  return record != records_.end() && record->second.has_file && record->second.model.fingerprint == model_.fingerprint;
}

void FileStore::tell_other_models() const {
  const auto others = std::ranges::count_if(
      records_, [this](const auto& item) { return item.second.has_file && item.second.model.fingerprint != model_.fingerprint; });
  if (others == 0) return;
  platform::log(LogLevel::warning, fmt::format("{} vectors in {} were made by another model or with other options: they are not used, and "
                                               "replaced where their texts are embedded anew",
                                               others, folder_.string()));
}

bool FileStore::has_file(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto record = records_.find(text_id(key));
  return record != records_.end() && record->second.has_file;
}

// So that the next vector of this text is written.
void FileStore::give_up_file(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto record = records_.find(text_id(key));
  if (record == records_.end()) return;
  record->second.has_file = false;
  record->second.error = "its file is damaged, or another model's";
  changed_ = true;
}

void FileStore::describe(std::string_view key, const Text& text) {
  const std::lock_guard lock(mutex_);
  Record& record = records_[text_id(key)];
  record.text = preview(text.text);
  record.whole_text = record.text.size() == text.text.size();
  record.label = text.label;
  record.name = text.name;
  record.error = record.has_file ? std::string() : text.error;
  if (!record.has_file && record.error.empty()) record.error = "its vector could not be written";
  changed_ = true;
  write_index_if_due();
}

std::vector<bool> FileStore::find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) {
  check_find(model, keys, vectors);
  std::vector<bool> known(keys.size());
  std::size_t hits = 0;
  if (model.fingerprint == model_.fingerprint && model.dimension == model_.dimension) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!has_file(keys[i])) continue;
      const auto stored = read_stored_vector(folder_, keys[i]);
      if (!stored || stored->fingerprint != model.fingerprint || stored->vector.size() != model.dimension) {
        give_up_file(keys[i]);
        continue;
      }
      std::ranges::copy(stored->vector, vectors.begin() + static_cast<std::ptrdiff_t>(i * model.dimension));
      known[i] = true;
      ++hits;
    }
  }
  hits_ += hits;
  misses_ += keys.size() - hits;
  return known;
}

void FileStore::write_entry(const CacheEntry& entry) const {
  const std::string id = text_id(entry.key);
  const auto now = std::chrono::system_clock::now();
  const auto created = entry.created.time_since_epoch().count() == 0 ? now : entry.created;
  const Pending pending = {.model = &model_,
                           .key = entry.key,
                           .label = entry.label,
                           .name = entry.name,
                           .vector = entry.vector,
                           .created = clamped(std::chrono::floor<std::chrono::milliseconds>(created)),
                           .inserted = Clock::now()};
  std::string extra = "{";
  append_field(extra, "label", entry.label);
  append_field(extra, "model_name", model_.name);
  std::string json;
  append_json_entry(json, id, pending, ", " + extra.substr(1));
  const std::size_t value = json.find('{');  // behind the id
  json += "\n";
  write_quickly(data_path(folder_, id), std::string_view(json).substr(value));
}

void FileStore::insert(const CacheModel& model, std::span<const CacheEntry> entries) {
  check_insert(model, entries);
  const bool ours = model.fingerprint == model_.fingerprint && model.dimension == model_.dimension;
  std::optional<Error> trouble;
  for (const CacheEntry& entry : entries) {
    const bool finite = std::ranges::all_of(entry.vector, [](float value) { return std::isfinite(value); });
    if (!ours || !finite) {
      const std::lock_guard lock(mutex_);
      warnings_.once(ours ? "finite" : "model",
                     ours ? fmt::format("a vector of numbers that are not finite, of the key {}, is not kept", entry.key)
                          : fmt::format("{} takes vectors of the model {} (fingerprint {}), not of {} (fingerprint {})", folder_.string(),
                                        model_.name, model_.fingerprint, model.name, model.fingerprint));
      continue;
    }
    try {
      write_entry(entry);
    } catch (const Error& error) {
      trouble = error;
      break;
    }
    ++inserted_;
    const std::lock_guard lock(mutex_);
    Record& record = records_[text_id(entry.key)];
    record.has_file = true;
    record.error.clear();
    record.model = model_;
    if (!entry.label.empty()) record.label = entry.label;
    if (!entry.name.empty()) record.name = entry.name;
    changed_ = true;
  }
  const std::lock_guard lock(mutex_);
  if (trouble) return tell_trouble(*trouble);
  if (ours && !entries.empty() && !persistent_.exchange(true)) {
    platform::log(LogLevel::info, fmt::format("{} can be written again", folder_.string()));
  }
  write_index_if_due();
}

void FileStore::flush() {
  const std::lock_guard lock(mutex_);
  if (changed_ || !platform::file_identity(folder_ / index_file)) write_index();
}

CacheStatistics FileStore::statistics() const {
  CacheStatistics statistics{.kind = CacheKind::other, .path = folder_, .persistent = persistent_};
  const std::lock_guard lock(mutex_);
  for (const auto& [id, record] : records_) {
    if (!record.has_file) continue;
    ++statistics.entries;
    const auto same = std::ranges::find(statistics.models, record.model, &CacheModelCount::model);
    if (same == statistics.models.end()) {
      statistics.models.push_back({record.model, 1});
    } else {
      ++same->entries;
    }
    if (const auto file = platform::file_identity(data_path(folder_, id))) statistics.file_bytes += file->size;
  }
  statistics.hits = hits_;
  statistics.misses = misses_;
  statistics.inserted = inserted_;
  return statistics;
}

std::vector<std::string> FileStore::ids_with_file() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, record] : records_) {
    if (record.has_file) ids.push_back(id);
  }
  return ids;
}

CacheCheck FileStore::verify() {
  CacheCheck check;
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, record] : records_) ids.push_back(id);
  }
  for (const std::string& id : ids) {
    if (!platform::file_identity(data_path(folder_, id))) continue;  // a text that failed
    try {
      static_cast<void>(read_entry(folder_, id));
      ++check.entries;
    } catch (const Error& error) {
      add_problem(check, {id, {}, error.what()});
    }
  }
  return check;
}

PruneResult FileStore::prune(const PruneOptions&) {
  throw Error(Status::unsupported, fmt::format("{} cannot be pruned: delete files of {}", folder_.string(), data_folder));
}

void FileStore::for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const {
  for (const std::string& id : ids_with_file()) {
    JsonEntry found;
    try {
      found = read_entry(folder_, id);
    } catch (const Error& error) {
      platform::log(LogLevel::warning, fmt::format("{}; it is left out", error.what()));
      continue;
    }
    CacheModel model{{}, found.model_version, found.vector.size()};
    CacheEntry entry{found.key, {}, found.name, std::move(found.vector), found.created};
    {
      const std::lock_guard lock(mutex_);
      const auto record = records_.find(id);
      if (record != records_.end()) {
        model.name = record->second.model.name;
        entry.label = record->second.label;
      }
    }
    visit(model, entry);
  }
}

}  // namespace inlay::store
