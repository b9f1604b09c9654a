#include "store/cache/json_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <system_error>
#include <thread>
#include <unordered_map>

#include "store/cache/checksum.hpp"
#include "store/cache/file_lock.hpp"
#include "store/cache/json_writer.hpp"
#include "store/cache/keep_aside.hpp"

namespace inlay::store {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int least_rest = 10;  // times as long as the last writing took
constexpr std::chrono::seconds shortest_rest(1);
constexpr int most_attempts = 5;
constexpr std::size_t walk_entries = 64;

bool is_same_model(const CacheModel& a, const CacheModel& b) noexcept {
  return a.fingerprint == b.fingerprint && a.dimension == b.dimension;
}

// What the system said, behind the name of the file.
std::string_view reason_of(const Error& error) {
  const std::string_view message = error.what();
  const std::size_t colon = message.rfind(": ");
  return colon == std::string_view::npos ? message : message.substr(colon + 2);
}

// A program that doesn't write in one step may be at it: waits until the file has not changed for a moment.
void wait_until_settled(const fs::path& path) {
  constexpr std::chrono::milliseconds moment(150);
  auto before = platform::file_identity(path);
  for (int i = 0; i < most_attempts; ++i) {
    std::this_thread::sleep_for(moment);
    const auto now = platform::file_identity(path);
    if (now == before) return;
    before = now;
  }
}

// New entries by label: of two with one label the later, in the place of the first.
class Labels {
 public:
  struct Line {
    std::string label;
    const Pending* entry;
    bool written = false;
  };

  explicit Labels(std::span<const Pending> entries) {
    for (const Pending& entry : entries) {
      std::string label = entry.label.empty() ? fmt::format("content:{}", entry.key) : std::string(entry.label);
      const auto [number, is_new] = numbers_.try_emplace(hash(label), lines_.size());
      if (is_new) lines_.push_back({std::move(label), &entry});
      lines_[number->second].entry = &entry;
    }
  }
  Line* find(std::uint64_t label) noexcept {
    const auto number = numbers_.find(label);
    return number == numbers_.end() ? nullptr : &lines_[number->second];
  }
  [[nodiscard]] const std::vector<Line>& lines() const noexcept { return lines_; }

 private:
  std::vector<Line> lines_;
  std::unordered_map<std::uint64_t, std::size_t> numbers_;
};

}  // namespace

// Over the file as it was when the walk began.
class JsonFile::Walk final : public Cursor {
 public:
  Walk(const JsonIndex& index, const fs::path& path) : path_(path.string()) {
    index_.file = index.file;
    index_.entries = index.entries;
    models_[hash(index.model.fingerprint)] = std::make_shared<const CacheModel>(index.model);
    for (const auto& [id, model] : index.other_models) models_[id] = std::make_shared<const CacheModel>(model);
  }

  std::vector<Kept> next() override {
    std::vector<Kept> entries;
    for (; position_ < index_.entries.size() && entries.size() < walk_entries; ++position_) {
      const JsonIndex::Entry& place = index_.entries[position_];
      if (place.key == 0) continue;
      const auto text = read_text(index_, place);
      if (!text)
        throw CacheFailure(Trouble::busy, fmt::format("the vector cache {} was changed by another program while it was read", path_));
      JsonEntry entry = reader_.read(*text);
      entries.push_back({models_.at(place.model), {entry.key, entry.label, entry.name, std::move(entry.vector), entry.created}});
    }
    return entries;
  }

 private:
  std::string path_;
  JsonIndex index_;
  JsonEntryReader reader_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const CacheModel>> models_;
  std::size_t position_ = 0;
};

JsonFile::JsonFile(fs::path path, Warnings& warnings, std::chrono::milliseconds busy_timeout)
    : CacheFile(warnings), path_(std::move(path)), busy_timeout_(busy_timeout) {}

bool JsonFile::takes(const CacheModel& model) {
  if (!model_) model_ = model;
  if (is_same_model(*model_, model)) return true;
  warnings().once("second model", fmt::format("the vector cache {} is of one model, {}: the vectors of {} are kept in memory",
                                              path_.string(), model_->name, model.name));
  return false;
}

bool JsonFile::due() const noexcept { return Clock::now() >= next_write_; }

void JsonFile::refresh() {
  const auto now = platform::file_identity(path_);
  if (now == index_.identity) return;
  index_ = read_json_index(path_, index_);
  if (!index_.damage.empty()) warnings().once("damage", index_.damage);
  if (index_.left_out > 0) {
    warnings().once("entries", fmt::format("{} of the entries of the vector cache {} are left out; the first, \"{}\": {}", index_.left_out,
                                           path_.string(), index_.problems.front().label, index_.problems.front().message));
  }
  if (is_of_other_model()) {
    warnings().once("other model",
                    fmt::format("the vector cache {} is of the model {} (version {}), not of {} (version {}): it is not used",
                                path_.string(), index_.model.name, index_.model.fingerprint, model_->name, model_->fingerprint));
  }
}

bool JsonFile::is_of_other_model() const noexcept {
  return model_ && index_.file != nullptr && index_.damage.empty() && !is_same_model(*model_, index_.model);
}

void JsonFile::find(const CacheModel& model, std::span<const std::string> keys, std::span<const std::size_t> wanted, const Found& found) {
  if (!takes(model)) return;
  refresh();
  if (is_of_other_model()) return;
  const std::uint64_t model_id = hash(model.fingerprint);
  for (const std::size_t i : wanted) {
    const auto place = index_.by_key.find(key_hash(model_id, hash(keys[i])));
    if (place == index_.by_key.end()) continue;
    const auto text = read_text(index_, index_.entries[place->second]);
    if (!text) {
      forget();
      continue;
    }
    const JsonEntry entry = reader_.read(*text);
    if (entry.key == keys[i] && entry.vector.size() == model.dimension) found(i, entry.vector);
  }
}

void JsonFile::check_usable() const {
  if (index_.damage.empty()) return;
  throw CacheFailure(index_.foreign ? Trouble::foreign : Trouble::damaged, index_.damage);
}

void JsonFile::make_room() {
  if (!index_.damage.empty()) {
    wait_until_settled(path_);
    refresh();
  }
  if (index_.foreign) check_usable();
  fs::path kept;
  if (!index_.damage.empty()) {
    kept = link_aside(path_, "damaged");
  } else if (is_of_other_model()) {
    if (wrote_) {
      throw CacheFailure(Trouble::foreign,
                         fmt::format("the vector cache {} has become that of another model, {}, meanwhile; it is not used", path_.string(),
                                     index_.model.name));
    }
    kept = link_aside(path_, "other-model");
  } else if (index_.left_out > 0) {
    kept = link_aside(path_, "damaged");
    index_.left_out = 0;
    warnings().once(kept.string(), fmt::format("the vector cache {} as it was is kept as {}", path_.string(), kept.string()));
    return;
  } else {
    return;
  }
  warnings().once(kept.string(),
                  fmt::format("the vector cache {} as it was is kept as {}, and another is begun", path_.string(), kept.string()));
  JsonIndex empty;
  empty.identity = platform::file_identity(path_);
  index_ = std::move(empty);
}

void JsonFile::write(std::span<const Pending> entries, std::chrono::milliseconds patience) {
  std::error_code error;
  if (fs::is_symlink(path_, error)) {
    throw CacheFailure(Trouble::unavailable, fmt::format("the vector cache {} is a link that leads in a circle", path_.string()));
  }
  platform::create_folders(path_.parent_path());
  const auto lock = lock_file(path_, patience);
  if (!wrote_) platform::remove_temporary_files(path_);  // of killed processes: the lock keeps others from writing
  const auto begin = Clock::now();
  bool done = false;
  for (int attempt = 0; !done && attempt < most_attempts; ++attempt) {
    refresh();
    make_room();
    try {
      done = replace(entries, {});
    } catch (const CacheFailure&) {
      throw;
    } catch (const Error& failure) {  // which names a temporary file, another one each time
      throw Error(failure.status(), fmt::format("the vector cache {} cannot be written: {}", path_.string(), reason_of(failure)));
    }
  }
  if (!done)
    throw CacheFailure(Trouble::busy, fmt::format("the vector cache {} is changed by another program all the while", path_.string()));
  wrote_ = true;
  const auto end = Clock::now();
  next_write_ = end + std::max<Clock::duration>(shortest_rest, least_rest * (end - begin));
}

bool JsonFile::replace(std::span<const Pending> entries, const std::vector<bool>& keep) {
  platform::ReplacementFile replacement(path_);
  JsonWriter writer(replacement.path(), model_ && !is_of_other_model() ? *model_ : index_.model, index_);
  Labels ours(entries);
  for (std::size_t i = 0; i < index_.entries.size(); ++i) {
    if (!keep.empty() && !keep[i]) continue;
    const JsonIndex::Entry& theirs = index_.entries[i];
    const auto text = read_text(index_, theirs);
    if (!text) {
      forget();
      return false;
    }
    Labels::Line* own = ours.find(theirs.label);
    if (own == nullptr) {
      writer.add(theirs, *text);
    } else if (!own->written) {  // else a label that stood there twice
      own->written = true;
      const bool is_later = theirs.seen < own->entry->inserted || theirs.created <= own->entry->created;
      is_later ? writer.add(own->label, *own->entry, reader_.unknown_fields(*text)) : writer.add(theirs, *text);
    }
  }
  for (const Labels::Line& line : ours.lines()) {
    if (!line.written) writer.add(line.label, *line.entry, {});
  }
  JsonIndex next = writer.finish();
  std::error_code ignored;
  if (index_.identity) fs::permissions(replacement.path(), fs::status(path_, ignored).permissions(), ignored);
  if (platform::file_identity(path_) != index_.identity) {
    forget();
    return false;
  }
  replacement.commit();
  next.file = std::make_shared<const platform::ReadableFile>(path_);
  next.identity = next.file->identity();
  index_ = std::move(next);
  return true;
}

std::vector<CacheModelCount> JsonFile::models() {
  refresh();
  std::vector<CacheModelCount> counts;
  if (index_.file == nullptr || !index_.damage.empty()) return counts;
  std::unordered_map<std::uint64_t, std::size_t> numbers;
  for (const JsonIndex::Entry& entry : index_.entries) {
    const auto [number, is_new] = numbers.try_emplace(entry.model, counts.size());
    if (is_new) {
      const auto other = index_.other_models.find(entry.model);
      counts.push_back({other == index_.other_models.end() ? index_.model : other->second, 0});
    }
    ++counts[number->second].entries;
  }
  return counts;
}

std::uint64_t JsonFile::bytes() const noexcept {
  const auto file = platform::file_identity(path_);
  return file ? file->size : 0;
}

CacheCheck JsonFile::verify() {
  forget();
  refresh();
  if (index_.foreign) check_usable();
  CacheCheck check;
  check.problems = index_.problems;
  check.wrong = index_.left_out;
  if (!index_.damage.empty()) add_problem(check, {{}, {}, index_.damage});
  for (const JsonIndex::Entry& entry : index_.entries) ++(entry.key == 0 ? check.unverifiable : check.entries);
  return check;
}

PruneResult JsonFile::prune(const PruneOptions& options) {
  PruneResult result;
  result.bytes_before = result.bytes_after = bytes();
  refresh();
  if (index_.file == nullptr) return result;
  const auto lock = lock_file(path_, busy_timeout_);
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    refresh();
    check_usable();
    const std::vector<bool> keep = kept_by(options);
    result.kept = static_cast<std::size_t>(std::ranges::count(keep, true));
    result.removed = keep.size() - result.kept;
    if (result.removed > 0 && !replace({}, keep)) continue;
    result.bytes_after = bytes();
    return result;
  }
  throw CacheFailure(Trouble::busy, fmt::format("the vector cache {} is changed by another program all the while", path_.string()));
}

std::vector<bool> JsonFile::kept_by(const PruneOptions& options) const {
  const std::vector<JsonIndex::Entry>& entries = index_.entries;
  std::vector<std::size_t> newest(entries.size());
  std::iota(newest.begin(), newest.end(), std::size_t{0});
  std::ranges::reverse(newest);
  std::ranges::stable_sort(newest, std::ranges::greater(), [&entries](std::size_t i) { return entries[i].created; });
  constexpr std::size_t frame_bytes = 1024;  // metadata and brackets, roughly
  std::vector<bool> keep(entries.size());
  std::size_t count = 0;
  std::uint64_t size = frame_bytes + index_.unknown_members.size() + index_.unknown_metadata.size();
  for (const std::size_t i : newest) {
    const JsonIndex::Entry& entry = entries[i];
    if (options.created_before && entry.created < *options.created_before) continue;
    if (options.keep_fingerprint && entry.model != hash(*options.keep_fingerprint)) continue;
    if (options.drop_fingerprint && entry.model == hash(*options.drop_fingerprint)) continue;
    if (options.max_entries && count >= *options.max_entries) break;
    size += entry.length + 2;
    if (options.max_bytes && size > *options.max_bytes) break;
    keep[i] = true;
    ++count;
  }
  return keep;
}

std::unique_ptr<Cursor> JsonFile::entries() {
  refresh();
  check_usable();
  return std::make_unique<Walk>(index_, path_);
}

}  // namespace inlay::store
