// One entry of a cache in JSON: "path:line": {"function_name": …, "embedding": […], …}.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/cache/cache_file.hpp"

namespace inlay::store {

struct JsonEntry {
  std::string label;
  std::string key;            // content_hash; empty: not there
  std::string name;           // function_name, else name
  std::string model_version;  // empty: not there, it is the file's
  std::vector<float> vector;
  Timestamp created;  // 1970 where it isn't there, or isn't understood
  std::optional<std::uint64_t> checksum;

  /// Throws Error (invalid_data) when there is a checksum, and it isn't that of the vector.
  void check(std::string_view fingerprint) const;
};

/// Reads entries one after the other.
class JsonEntryReader {
 public:
  /// `member`: the entry's text with its label in front. Throws Error (invalid_data) saying what is wrong with it.
  [[nodiscard]] JsonEntry read(std::string_view member);

  /// The members of an entry that are none of ours, with a comma before each; empty where the text is not an entry.
  [[nodiscard]] std::string unknown_fields(std::string_view member);

 private:
  simdjson::dom::object parse(std::string_view member, std::string_view& label);

  simdjson::dom::parser parser_;
  std::string text_;
};

/// A string in quotes. What is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& json, std::string_view text);

/// Appends the entry's text, label in front, with `extra` at its end. Numbers are written so that reading gives the same bits.
void append_json_entry(std::string& json, std::string_view label, const Pending& entry, std::string_view extra);

}  // namespace inlay::store
