// JsonWriter: writes a cache's JSON file from one end to the other, and notes where everything came to lie.
#pragma once

#include <string>
#include <string_view>

#include "platform/files.hpp"
#include "store/cache/json_index.hpp"

namespace inlay::store {

class JsonWriter {
 public:
  /// Begins the file, with what `before` has beside its entries. Throws Error (io_error), as all functions.
  JsonWriter(const std::filesystem::path& path, const CacheModel& model, const JsonIndex& before);

  /// An entry of the file before.
  void add(const JsonIndex::Entry& entry, std::string_view text);
  void add(std::string_view label, const Pending& entry, std::string_view extra);

  /// Ends the file and sees it to the disk. The index lacks only the file itself.
  JsonIndex finish();

 private:
  void add_text(JsonIndex::Entry entry, std::string_view text);
  void write_out();

  platform::AppendedFile file_;
  std::string buffer_;
  JsonIndex index_;
};

}  // namespace inlay::store
