#include "store/cache/json_index.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <span>
#include <unordered_set>

#include "model/json.hpp"
#include "store/cache/checksum.hpp"
#include "store/cache/json_entry.hpp"
#include "store/cache/json_splitter.hpp"
#include "store/cache/limits.hpp"

namespace inlay::store {
namespace {

// Fills an index from the file's text.
class Reader {
 public:
  Reader(JsonIndex& index, const JsonIndex& before)
      : index_(index), splitter_([this](std::uint64_t offset, std::span<char> buffer) { return index_.file->read(offset, buffer); }) {
    for (const JsonIndex::Entry& entry : before.entries) seen_.emplace(entry.text, entry.seen);
  }

  void read() {
    bool has_metadata = false;
    bool has_embeddings = false;
    bool has_others = false;
    splitter_.enter();
    while (const auto name = splitter_.name()) {
      const std::string member = decoded(*name);
      if (member == "embeddings") {
        has_embeddings = true;
        splitter_.enter();
        while (const auto entry = splitter_.member()) add(*entry);
      } else if (member == "metadata") {
        has_metadata = true;
        read_metadata(splitter_.value());
      } else {
        const std::string_view text = splitter_.value();
        static_cast<void>(model::JsonDocument(text, *name, Status::invalid_data));
        index_.unknown_members.append(",\n ").append(*name).append(": ").append(text);
        has_others = true;
      }
    }
    splitter_.finish();
    index_.foreign = has_others && !has_metadata && !has_embeddings;
    if (!has_metadata) fail("it has no metadata");
    if (!has_embeddings) fail("it has no embeddings");
    settle();
  }

 private:
  [[noreturn]] static void fail(const std::string& what) { throw Error(Status::invalid_data, what); }

  static std::string decoded(std::string_view quoted) {
    const model::JsonDocument document(quoted, "a name in it", Status::invalid_data);
    std::string_view text;
    if (document.root().get(text)) fail("a name in it is not a string");
    return std::string(text);
  }

  void read_metadata(std::string_view text) {
    const model::JsonDocument document(text, "its metadata", Status::invalid_data);
    simdjson::dom::object object;
    if (document.root().get(object)) fail("its metadata is not an object");
    for (const auto [name, value] : object) {
      if (name == "model_name") {
        index_.model.name = text_of(name, value);
      } else if (name == "model_version") {
        index_.model.fingerprint = text_of(name, value);
      } else if (name == "created") {
        index_.created = text_of(name, value);
      } else if (name == "dimensions") {
        std::uint64_t dimensions = 0;
        if (value.get(dimensions) || dimensions == 0 || dimensions > most_dimensions) fail("its dimensions are not a number that can be");
        index_.model.dimension = dimensions;
      } else if (name != "updated") {
        index_.unknown_metadata += ", ";
        append_json_string(index_.unknown_metadata, name);
        index_.unknown_metadata += ": ";
        index_.unknown_metadata += simdjson::minify(value);
      }
    }
    if (index_.model.dimension == 0) fail("its metadata has no dimensions");
  }

  static std::string text_of(std::string_view name, simdjson::dom::element value) {
    std::string_view text;
    if (value.is_null()) return {};
    if (value.get(text)) fail(fmt::format("its {} is not a string", name));
    return std::string(text);
  }

  void add(const JsonMember& member) {
    JsonEntry entry;
    try {
      entry = reader_.read(member.text);
      if (!entry.model_version.empty()) {
        entry.check(entry.model_version);
      } else if (entry.checksum) {
        unchecked_.push_back(index_.entries.size());
      }
      if (entry.vector.size() > most_dimensions) fail("its embedding is too long");
    } catch (const Error& error) {
      leave_out(shown(member), error.what());
      return;
    }
    JsonIndex::Entry place;
    place.offset = member.offset;
    place.length = static_cast<std::uint32_t>(member.text.size());
    place.label = hash(entry.label);
    place.text = hash(member.text);
    place.key = entry.key.empty() ? 0 : hash(entry.key);
    place.dimension = static_cast<std::uint32_t>(entry.vector.size());
    place.created = entry.created;
    const auto seen = seen_.find(place.text);
    place.seen = seen == seen_.end() ? now_ : seen->second;
    if (!entry.model_version.empty()) {
      place.model = hash(entry.model_version);
      index_.other_models.try_emplace(place.model, CacheModel{{}, entry.model_version, entry.vector.size()});
    }
    index_.entries.push_back(place);
  }

  // A label as far as it can be shown: of a damaged entry anything may be wrong.
  static std::string shown(const JsonMember& member) {
    constexpr std::size_t most = 200;
    try {
      return decoded(member.text.substr(0, member.text.find_last_not_of(" \t\r\n:", member.value - 1) + 1));
    } catch (const Error&) {
      return std::string(member.text.substr(0, std::min(member.value, most)));
    }
  }

  void leave_out(std::string label, std::string why) {
    ++index_.left_out;
    if (index_.problems.size() < most_problems) index_.problems.push_back({{}, std::move(label), std::move(why)});
  }

  // What needs the metadata, which may stand behind the entries.
  void settle() {
    const std::uint64_t model = hash(index_.model.fingerprint);
    index_.other_models.erase(model);
    std::unordered_set<std::uint64_t> damaged;  // offsets
    for (const std::size_t number : unchecked_) {
      const JsonIndex::Entry& entry = index_.entries[number];
      const auto text = read_text(index_, entry);
      if (!text) continue;
      const JsonEntry whole = reader_.read(*text);
      try {
        whole.check(index_.model.fingerprint);
      } catch (const Error& error) {
        leave_out(whole.label, error.what());
        damaged.insert(entry.offset);
      }
    }
    std::erase_if(index_.entries, [&](JsonIndex::Entry& entry) {
      if (damaged.contains(entry.offset)) return true;
      if (entry.model == 0) entry.model = model;
      if (entry.model != model || entry.dimension == index_.model.dimension) return false;
      std::string label;
      if (const auto text = read_text(index_, entry)) label = reader_.read(*text).label;
      leave_out(label, fmt::format("its embedding has {} components, not {}", entry.dimension, index_.model.dimension));
      return true;
    });
    index_keys(index_);
  }

  JsonIndex& index_;
  JsonSplitter splitter_;
  JsonEntryReader reader_;
  std::unordered_map<std::uint64_t, std::chrono::steady_clock::time_point> seen_;
  std::vector<std::size_t> unchecked_;  // numbers of entries whose checksum needs the file's model
  const std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
};

// Whether the file begins as an array that is not empty: no cache of ours, nor half of one.
bool is_array(const platform::ReadableFile& file) {
  std::string bytes(1024, '\0');
  bytes.resize(file.read(0, bytes));
  constexpr std::string_view space = " \t\r\n";
  const std::size_t bracket = bytes.find_first_not_of(space);
  if (bracket == std::string::npos || bytes[bracket] != '[') return false;
  const std::size_t next = bytes.find_first_not_of(space, bracket + 1);
  return next != std::string::npos && bytes[next] != ']';
}

}  // namespace

std::uint64_t key_hash(std::uint64_t model, std::uint64_t key) noexcept {
  constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;  // 2^64 divided by the golden ratio: spreads the bits
  return model * golden ^ key;
}

void index_keys(JsonIndex& index) {
  index.by_key.clear();
  for (std::size_t i = 0; i < index.entries.size(); ++i) {
    if (index.entries[i].key != 0) index.by_key.insert_or_assign(key_hash(index.entries[i].model, index.entries[i].key), i);
  }
}

std::optional<std::string> read_text(const JsonIndex& index, const JsonIndex::Entry& entry) {
  std::string text(entry.length, '\0');
  if (index.file == nullptr || index.file->read(entry.offset, text) != text.size() || hash(text) != entry.text) return std::nullopt;
  return text;
}

JsonIndex read_json_index(const std::filesystem::path& path, const JsonIndex& before) {
  JsonIndex index;
  try {
    index.file = std::make_shared<const platform::ReadableFile>(path);
  } catch (const Error& error) {
    if (error.status() != Status::not_found) throw;
    return index;
  }
  index.identity = index.file->identity();
  try {
    Reader(index, before).read();
  } catch (const Error& error) {
    if (error.status() != Status::invalid_data) throw;
    index.foreign = index.foreign || is_array(*index.file);
    index.damage = index.foreign ? fmt::format("{} is JSON of another program, not a vector cache: it is not used", path.string())
                                 : fmt::format("the vector cache {} is damaged: {}", path.string(), error.what());
    index.entries.clear();
    index.by_key.clear();
    index.problems.clear();
    index.left_out = 0;
  }
  return index;
}

}  // namespace inlay::store
