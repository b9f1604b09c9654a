// index.json of a set.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "inlay/error.hpp"
#include "model/json.hpp"
#include "store/set_files.hpp"

namespace inlay::store {

std::string write_index_record(const IndexRecord& record) {
  const nlohmann::ordered_json object = {{"kind", to_string(record.kind)},
                                         {"rows", record.rows},
                                         {"dimension", record.dimension},
                                         {"options", record.options},
                                         {"folder", record.folder}};
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

IndexRecord read_index_record(std::string_view json, std::string_view label) {
  const model::JsonDocument document(json, std::string(label), Status::invalid_data);
  const auto fail = [&](std::string_view what) { throw Error(Status::invalid_data, fmt::format("{}: {}", label, what)); };
  simdjson::dom::object object;
  if (document.root().get(object)) fail("it is not an object");
  IndexRecord record;
  std::string_view kind;
  std::string_view options;
  std::string_view folder;
  std::uint64_t rows = 0;
  std::uint64_t dimension = 0;
  if (object["kind"].get(kind) || object["rows"].get(rows) || object["dimension"].get(dimension))
    fail("kind, rows or dimension is missing");
  if (!object["options"].get(options)) record.options = options;
  if (!object["folder"].get(folder)) record.folder = folder;
  try {
    record.kind = parse_index_kind(kind);
  } catch (const Error& error) {
    fail(error.what());
  }
  record.rows = rows;
  record.dimension = dimension;
  return record;
}

}  // namespace inlay::store
