// JSONTestSuite: what must fail fails with an error of ours, and the rest reads or fails, alive.
#include <inlay/error.hpp>

#include "store/document_json.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace inlay;

TEST_CASE("JSONTestSuite: every file is read or refused as it should be") {
  const auto data = test::data_folder();
  INLAY_SKIP_WITHOUT(data, "INLAY_DATA");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*data / "json")) {
    const std::string name = entry.path().filename().string();
    INFO(name);
    const std::string text = test::read(entry.path());
    ++files;
    bool read = true;
    try {
      static_cast<void>(store::read_json_value(text, name));
    } catch (const Error& error) {
      read = false;
      CHECK(error.status() == Status::invalid_data);
      CHECK_THAT(error.what(), Catch::Contains(name));
    }
    if (name.starts_with("y_")) CHECK(read);
    if (name.starts_with("n_")) CHECK_FALSE(read);
    const bool container = read && (text.find_first_of("[{") == text.find_first_not_of(" \t\r\n\xEF\xBB\xBF"));
    std::size_t items = 0;
    if (container) {
      CHECK_NOTHROW(store::for_each_json_item(text, name, [&](const store::JsonItem&) { ++items; }));
    } else {
      CHECK_THROWS_AS(store::for_each_json_item(text, name, [](const store::JsonItem&) {}), Error);
    }
  }
  CHECK(files > 300);
}

TEST_CASE("nested values are kept as the text that they were") {
  std::vector<store::JsonItem> items;
  store::for_each_json_item(
      R"( {"a" : [1.0, 2.50e0 , "]\"}" ],"b":{ "c":[] , "d\\":"{" } , "e": 18446744073709551615, "f":{"x": [1.10, {}], "y":"\u00e9"}} )",
      "text", [&](store::JsonItem item) { items.push_back(std::move(item)); });
  REQUIRE(items.size() == 4);
  CHECK(std::get<MetadataValue>(items[0].value) == MetadataValue(JsonText{R"([1.0, 2.50e0 , "]\"}" ])"}));
  const auto& b = std::get<store::JsonFields>(items[1].value);
  REQUIRE(b.size() == 2);
  CHECK(b[0].second == MetadataValue(JsonText{"[]"}));
  CHECK(b[1].first == "d\\");
  CHECK(b[1].second == MetadataValue(std::string("{")));
  CHECK(std::get<MetadataValue>(items[2].value) == MetadataValue(JsonText{"18446744073709551615"}));
  const auto& f = std::get<store::JsonFields>(items[3].value);
  CHECK(f[0].second == MetadataValue(JsonText{"[1.10, {}]"}));
  CHECK(f[1].second == MetadataValue(std::string("\xC3\xA9")));
}
