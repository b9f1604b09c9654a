#include "store/vector_journal.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "inlay/error.hpp"
#include "platform/log.hpp"
#include "platform/process.hpp"
#include "store/cache/keep_aside.hpp"
#include "store/cache_arguments.hpp"
#include "text/utf8.hpp"

namespace inlay::store {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "journals are little-endian");

constexpr std::string_view magic = "INLAYJNL";
constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = 4096;
constexpr std::size_t checksum_offset = 4080;
constexpr std::size_t owner_offset = 4088;
constexpr std::size_t most_fingerprint_bytes = 2048;
constexpr std::size_t most_name_bytes = 1024;
constexpr std::size_t most_read_bytes = std::size_t{1} << 20;
constexpr std::size_t most_written_bytes = std::size_t{8} << 20;
constexpr std::chrono::seconds between_flushes(5);

template <class Number>
void append_number(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t offset) noexcept {
  Number number{};
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

std::string_view cut_to(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

std::string header_of(const CacheModel& model) {
  const std::string_view name = cut_to(model.name, most_name_bytes);
  std::string bytes(magic);
  append_number(bytes, version);
  append_number(bytes, static_cast<std::uint32_t>(model.dimension));
  append_number(bytes, static_cast<std::uint32_t>(model.fingerprint.size()));
  append_number(bytes, static_cast<std::uint32_t>(name.size()));
  bytes.append(model.fingerprint).append(name);
  bytes.resize(checksum_offset);
  append_number(bytes, XXH3_64bits(bytes.data(), bytes.size()));
  bytes.resize(header_bytes);
  return bytes;
}

// The model that a header names; nothing where it is not a whole header. Throws Error (unsupported) for a newer version.
std::optional<CacheModel> read_header(std::string_view bytes, const fs::path& path) {
  if (bytes.size() < header_bytes || !bytes.starts_with(magic)) return std::nullopt;
  if (number_at<std::uint64_t>(bytes, checksum_offset) != XXH3_64bits(bytes.data(), checksum_offset)) return std::nullopt;
  std::size_t offset = magic.size();
  const auto next = [&] { return number_at<std::uint32_t>(bytes, std::exchange(offset, offset + sizeof(std::uint32_t))); };
  if (const std::uint32_t found = next(); found != version) {
    throw Error(Status::unsupported, fmt::format("{} is a vector journal of version {}; known: {}", path.string(), found, version));
  }
  CacheModel model;
  model.dimension = next();
  const std::size_t fingerprint_bytes = next();
  const std::size_t name_bytes = next();
  if (fingerprint_bytes > most_fingerprint_bytes || name_bytes > most_name_bytes) return std::nullopt;
  model.fingerprint = bytes.substr(offset, fingerprint_bytes);
  model.name = bytes.substr(offset + fingerprint_bytes, name_bytes);
  return model;
}

std::string first_bytes(const platform::AppendedFile& file) {
  std::string bytes(header_bytes, '\0');
  bytes.resize(file.read(0, bytes));
  return bytes;
}

platform::FileLock lock_journal(const fs::path& path) {
  if (auto lock = platform::FileLock::try_acquire(path)) return std::move(*lock);
  std::string owner(sizeof(std::uint32_t), '\0');
  const bool told = platform::ReadableFile(path).read(owner_offset, owner) == owner.size();
  throw Error(Status::io_error, fmt::format("the vector journal {} is being written by process {}: wait until it has ended", path.string(),
                                            told ? std::to_string(number_at<std::uint32_t>(owner, 0)) : "that has just begun it"));
}

bool is_finite(std::span<const float> vector) {
  return std::ranges::all_of(vector, [](float value) { return std::isfinite(value); });
}

}  // namespace

// A whole one.
struct VectorJournal::Record {
  PackedKey key;
  bool of_content_key = false;
  const char* vector = nullptr;  // not aligned
};

VectorJournal::Opened VectorJournal::open(const fs::path& path, const CacheModel& model, Existing existing) {
  check_model(model);
  if (model.fingerprint.size() > most_fingerprint_bytes) {
    throw Error(Status::invalid_argument,
                fmt::format("a fingerprint of {} bytes, where {} are the most", model.fingerprint.size(), most_fingerprint_bytes));
  }
  if (path.has_parent_path()) platform::create_folders(path.parent_path());

  std::unique_ptr<VectorJournal> journal(new VectorJournal(path, model, lock_journal(path)));
  platform::AppendedFile& file = journal->file_;
  file.check_untouched();
  const std::string bytes = first_bytes(file);
  const auto made_by = read_header(bytes, path);
  // Shorter than a header, but like the beginning of one: a process was killed while it wrote it.
  const bool torn = bytes.size() < header_bytes && bytes.substr(0, magic.size()) == magic.substr(0, bytes.size());
  if (!made_by && !torn) {
    const fs::path kept = move_aside(path, "damaged");
    platform::log(LogLevel::warning, fmt::format("{} is not a vector journal, or a damaged one; it is kept as {}, and another is begun",
                                                 path.string(), kept.string()));
    journal.reset();
    return open(path, model, existing);
  }
  if (torn || existing == Existing::discard) {
    journal->begin();
  } else if (!journal->is_ours(*made_by)) {
    return {nullptr, *made_by};
  } else {
    journal->read_index();
  }
  std::string owner;
  append_number(owner, static_cast<std::uint32_t>(platform::process_id()));
  file.overwrite(owner_offset, owner);
  return {std::move(journal), model};
}

VectorJournal::VectorJournal(const fs::path& path, CacheModel model, platform::FileLock lock)
    : path_(fs::absolute(path)),
      model_(std::move(model)),
      record_bytes_(sizeof(PackedKey) + model_.dimension * sizeof(float) + sizeof(std::uint64_t)),
      content_key_seed_(XXH3_64bits_withSeed(model_.fingerprint.data(), model_.fingerprint.size(), 0)),
      other_key_seed_(XXH3_64bits_withSeed(model_.fingerprint.data(), model_.fingerprint.size(), 1)),
      lock_(std::move(lock)),
      file_(path) {}

std::shared_ptr<VectorJournal> VectorJournal::open_run(const fs::path& path, const CacheModel& model, bool fresh) {
  Opened opened = open(path, model, fresh ? Existing::discard : Existing::resume);
  if (opened.journal) return std::move(opened.journal);
  throw Error(Status::invalid_argument,
              fmt::format("{} holds an unfinished run of the model {} with other options (fingerprint {}, not {}): finish it with these, "
                          "start over (`fresh`, --fresh), or delete it",
                          path.string(), opened.made_by.name, opened.made_by.fingerprint, model.fingerprint));
}

VectorJournal::~VectorJournal() {
  try {
    flush();
  } catch (const std::exception&) {  // want of memory; the bytes are in the file all the same
  }
}

bool VectorJournal::is_ours(const CacheModel& model) const noexcept {
  return model.fingerprint == model_.fingerprint && model.dimension == model_.dimension;
}

std::uint64_t VectorJournal::offset_of(std::size_t number) const noexcept { return header_bytes + std::uint64_t{number} * record_bytes_; }

void VectorJournal::begin() {
  file_.clear();
  file_.append(header_of(model_));
  file_.flush_to_disk();
}

void VectorJournal::read_index() {
  const std::size_t records = (file_.size() - header_bytes) / record_bytes_;
  std::size_t damaged = 0;
  for_each_record(records, [&](std::size_t number, std::string_view bytes) {
    const auto record = decode(bytes);
    if (!record) return;
    for (; index_.numbers() < number; ++damaged) index_.skip();
    index_.add(record->key);
  });
  const std::uint64_t end = offset_of(index_.numbers());
  if (damaged > 0) {
    platform::log(LogLevel::warning, fmt::format("the vector journal {} has {} damaged vectors among {}: they are left out", path_.string(),
                                                 damaged, index_.numbers()));
  }
  if (const std::uint64_t torn = file_.size() - end; torn > 0) {
    file_.truncate(end);
    platform::log(LogLevel::warning,
                  fmt::format("the vector journal {} ends in {} bytes that were not wholly written: they are cut off, {} vectors are there",
                              path_.string(), torn, index_.size()));
  }
}

std::optional<VectorJournal::Record> VectorJournal::decode(std::string_view bytes) const noexcept {
  const std::size_t checked = record_bytes_ - sizeof(std::uint64_t);
  if (bytes.size() != record_bytes_) return std::nullopt;
  const auto checksum = number_at<std::uint64_t>(bytes, checked);
  const bool of_content_key = checksum == XXH3_64bits_withSeed(bytes.data(), checked, content_key_seed_);
  if (!of_content_key && checksum != XXH3_64bits_withSeed(bytes.data(), checked, other_key_seed_)) return std::nullopt;
  return Record{number_at<PackedKey>(bytes, 0), of_content_key, bytes.data() + sizeof(PackedKey)};
}

void VectorJournal::encode(std::string& bytes, std::string_view key, std::span<const float> vector) const {
  const std::size_t begin = bytes.size();
  append_number(bytes, pack_key(key));
  bytes.append(reinterpret_cast<const char*>(vector.data()), vector.size_bytes());
  const std::uint64_t seed = is_content_key(key) ? content_key_seed_ : other_key_seed_;
  append_number(bytes, XXH3_64bits_withSeed(bytes.data() + begin, bytes.size() - begin, seed));
}

void VectorJournal::for_each_record(std::size_t end, const std::function<void(std::size_t, std::string_view)>& visit) const {
  const std::size_t at_a_time = std::max<std::size_t>(most_read_bytes / record_bytes_, 1);
  std::string buffer(std::min(at_a_time, end) * record_bytes_, '\0');
  for (std::size_t first = 0; first < end; first += at_a_time) {
    const std::size_t count = std::min(at_a_time, end - first);
    const std::size_t read = file_.read(offset_of(first), std::span(buffer).first(count * record_bytes_));
    for (std::size_t i = 0; i < read / record_bytes_; ++i)
      visit(first + i, std::string_view(buffer).substr(i * record_bytes_, record_bytes_));
  }
}

std::optional<VectorJournal::Record> VectorJournal::read(std::size_t number, std::string& bytes) const {
  bytes.resize(record_bytes_);
  try {
    const std::size_t read = file_.read(offset_of(number), bytes);
    if (const auto record = decode(std::string_view(bytes).substr(0, read))) return record;
    const std::lock_guard lock(warnings_mutex_);
    warnings_.once("damaged", fmt::format("the vector journal {} was damaged meanwhile, at vector {}: what is damaged is left out",
                                          path_.string(), number));
  } catch (const Error& error) {
    const std::lock_guard lock(warnings_mutex_);
    warnings_.once("unreadable", fmt::format("{}; what cannot be read is left out", error.what()));
  }
  return std::nullopt;
}

std::optional<std::size_t> VectorJournal::number_of(const PackedKey& key) const {
  const std::shared_lock lock(index_mutex_);
  return index_.find(key);
}

std::size_t VectorJournal::numbers() const {
  const std::shared_lock lock(index_mutex_);
  return index_.numbers();
}

std::vector<bool> VectorJournal::find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) {
  check_find(model, keys, vectors);
  std::vector<bool> known(keys.size());
  std::size_t hits = 0;
  if (is_ours(model)) {
    std::string bytes;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const PackedKey key = pack_key(keys[i]);
      const auto number = number_of(key);
      if (!number) continue;
      const auto record = read(*number, bytes);
      if (!record || record->key != key || record->of_content_key != is_content_key(keys[i])) continue;
      std::memcpy(vectors.data() + i * model.dimension, record->vector, model.dimension * sizeof(float));
      known[i] = true;
      ++hits;
    }
  }
  hits_ += hits;
  misses_ += keys.size() - hits;
  return known;
}

bool VectorJournal::has(const PackedKey& key, std::span<const float> vector, std::string& bytes) const {
  const auto number = number_of(key);
  if (!number) return false;
  const auto record = read(*number, bytes);
  return record && record->key == key && std::memcmp(record->vector, vector.data(), vector.size_bytes()) == 0;
}

void VectorJournal::insert(const CacheModel& model, std::span<const CacheEntry> entries) {
  check_insert(model, entries);
  if (!is_ours(model)) {
    const std::lock_guard lock(warnings_mutex_);
    warnings_.once("model",
                   fmt::format("the vector journal {} is of the model {} (fingerprint {}): those of {} (fingerprint {}) are not kept",
                               path_.string(), model_.name, model_.fingerprint, model.name, model.fingerprint));
    return;
  }
  const std::lock_guard lock(write_mutex_);
  std::string records;
  std::string scratch;
  std::vector<PackedKey> keys;
  for (const CacheEntry& entry : entries) {
    if (!is_finite(entry.vector)) {
      const std::lock_guard warnings_lock(warnings_mutex_);
      warnings_.once("finite", fmt::format("a vector of numbers that are not finite, of the key {}, is not kept", entry.key));
      continue;
    }
    const PackedKey key = pack_key(entry.key);
    if (has(key, entry.vector, scratch)) continue;
    encode(records, entry.key, entry.vector);
    keys.push_back(key);
    if (records.size() < most_written_bytes) continue;
    if (!append(records, keys)) return;
    records.clear();
    keys.clear();
  }
  if (append(records, keys)) flush_if_due();
}

bool VectorJournal::append(std::string_view records, std::span<const PackedKey> keys) {
  if (removed_) return false;
  if (keys.empty()) return true;
  const std::uint64_t end = offset_of(numbers());
  std::optional<Error> trouble;
  std::size_t whole = 0;
  try {
    file_.check_untouched();
    if (file_.size() > end) file_.truncate(end);  // a torn record that could not be cut off before
    whole = keys.size();
    file_.append(records);
  } catch (const Error& error) {
    trouble = error;
    whole = std::min<std::size_t>(whole, (file_.size() - end) / record_bytes_);
  }
  try {
    const std::lock_guard lock(index_mutex_);
    for (const PackedKey& key : keys.first(whole)) index_.add(key);
  } catch (const Error& error) {
    trouble = error;
  }
  inserted_ += whole;
  unflushed_ = unflushed_ || whole > 0;
  if (!trouble) {
    if (!persistent_.exchange(true))
      platform::log(LogLevel::info, fmt::format("the vector journal {} can be written again", path_.string()));
    return true;
  }
  tell_trouble(*trouble);
  try {
    if (const std::uint64_t good = offset_of(numbers()); file_.size() > good) file_.truncate(good);
  } catch (const Error&) {  // the next one to write tries again; the next opening finds it by its checksum
  }
  return false;
}

void VectorJournal::tell_trouble(const Error& error) {
  if (!persistent_.exchange(false)) return;  // told already
  platform::log(LogLevel::warning,
                fmt::format("{}; going on, but what cannot be written has to be computed anew if the run is broken off", error.what()));
}

void VectorJournal::flush_if_due() {
  if (Clock::now() - flushed_ >= between_flushes) flush_file();
}

void VectorJournal::flush_file() {
  flushed_ = Clock::now();
  if (!unflushed_ || removed_) return;
  try {
    file_.flush_to_disk();
    unflushed_ = false;
  } catch (const Error& error) {
    tell_trouble(error);
  }
}

void VectorJournal::flush() {
  const std::lock_guard lock(write_mutex_);
  flush_file();
}

CacheStatistics VectorJournal::statistics() const {
  CacheStatistics statistics{.kind = CacheKind::other, .path = path_, .persistent = persistent_};
  const std::shared_lock lock(index_mutex_);
  statistics.entries = index_.size();
  if (index_.size() > 0) statistics.models.push_back({model_, index_.size()});
  statistics.file_bytes = offset_of(index_.numbers());
  statistics.hits = hits_;
  statistics.misses = misses_;
  statistics.inserted = inserted_;
  return statistics;
}

CacheCheck VectorJournal::verify() {
  CacheCheck check;
  std::size_t read = 0;
  const std::size_t end = numbers();
  for_each_record(end, [&](std::size_t number, std::string_view bytes) {
    ++read;
    if (const auto record = decode(bytes)) {
      if (number_of(record->key) == number) ++check.entries;
    } else {
      add_problem(check, {{}, {}, fmt::format("the checksum of vector {} is not right", number)});
    }
  });
  if (read < end) add_problem(check, {{}, {}, fmt::format("the file ends at vector {} of {}", read, end)});
  if (!read_header(first_bytes(file_), path_)) add_problem(check, {{}, {}, "its header is damaged"});
  return check;
}

PruneResult VectorJournal::prune(const PruneOptions&) {
  throw Error(Status::unsupported, fmt::format("the vector journal {} cannot be pruned: it goes when its run is finished", path_.string()));
}

void VectorJournal::for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const {
  CacheEntry entry;
  entry.vector.resize(model_.dimension);
  for_each_record(numbers(), [&](std::size_t number, std::string_view bytes) {
    const auto record = decode(bytes);
    if (!record || !record->of_content_key || number_of(record->key) != number) return;
    entry.key = unpack_content_key(record->key);
    std::memcpy(entry.vector.data(), record->vector, entry.vector.size() * sizeof(float));
    visit(model_, entry);
  });
}

void VectorJournal::remove() {
  const std::lock_guard lock(write_mutex_);
  try {
    file_.check_untouched();
  } catch (const Error&) {  // it is gone, and what has its name now is another run's
    removed_ = true;
    persistent_ = false;
    return;
  }
  std::error_code error;
  fs::remove(path_, error);
  if (error) throw Error(Status::io_error, fmt::format("cannot remove {}: {}", path_.string(), platform::system_message(error.value())));
  removed_ = true;
  persistent_ = false;
}

void VectorJournal::remove_if_empty() noexcept {
  try {
    if (statistics().entries == 0) remove();
  } catch (const std::exception& error) {
    platform::log(LogLevel::debug, error.what());
  }
}

}  // namespace inlay::store
