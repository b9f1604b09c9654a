#include "store/cache/memory_layer.hpp"
#include "store/cache_support.hpp"

using namespace inlay;
using namespace inlay::store;
using namespace inlay::test;

namespace {

const CacheModel model = cache_test_model(256);  // 1 KiB a vector

bool has(MemoryLayer& layer, const std::string& key) {
  std::vector<bool> known(1);
  std::vector<float> row(model.dimension);
  layer.find(model, {&key, 1}, row, known);
  if (known[0]) CHECK(row == cache_vector(model, key));
  return known[0];
}

std::size_t add(MemoryLayer& layer, const std::string& key, Place place) {
  const std::vector<float> vector = cache_vector(model, key);
  return layer.add({&model, key, "label", "name", vector, {}, {}}, place);
}

}  // namespace

TEST_CASE("what was used least recently goes first") {
  MemoryLayer layer(8 * 1024);
  for (const char* key : {"a", "b", "c", "d"}) CHECK(add(layer, key, Place::in_file) == 0);
  CHECK(has(layer, "a"));
  for (const char* key : {"e", "f", "g"}) add(layer, key, Place::nowhere);
  CHECK(has(layer, "a"));
  CHECK_FALSE(has(layer, "b"));
  CHECK(has(layer, "g"));
  CHECK(layer.bytes() <= 8 * 1024);
  CHECK(layer.entries() >= 5);
}

TEST_CASE("what waits for being written goes last, the oldest first, and is counted") {
  MemoryLayer layer(8 * 1024);
  for (const char* key : {"a", "b", "c"}) add(layer, key, Place::in_file);
  for (const char* key : {"w1", "w2", "w3", "w4", "w5"}) CHECK(add(layer, key, Place::waiting) == 0);
  CHECK_FALSE(has(layer, "a"));
  CHECK(has(layer, "w1"));
  CHECK(layer.waiting().size() == 5);
  CHECK(layer.waiting().front().key == "w1");
  std::size_t lost = 0;
  for (const char* key : {"w6", "w7", "w8", "w9"}) lost += add(layer, key, Place::waiting);
  CHECK(lost > 0);
  CHECK_FALSE(has(layer, "w1"));
  CHECK(has(layer, "w9"));
  CHECK(layer.waiting_entries() + lost == 9);
  CHECK(layer.waiting_bytes() == layer.bytes());
  layer.written();
  CHECK(layer.waiting().empty());
  CHECK(layer.waiting_bytes() == 0);
  CHECK(layer.unwritten().empty());
  CHECK(has(layer, "w9"));
  CHECK(add(layer, "x", Place::in_file) == 0);
}

TEST_CASE("a key is there once, as it was added last") {
  MemoryLayer layer(1 << 20);
  add(layer, "a", Place::in_file);
  add(layer, "b", Place::waiting);
  add(layer, "a", Place::waiting);
  CHECK(layer.entries() == 2);
  REQUIRE(layer.unwritten().size() == 2);
  CHECK(layer.unwritten()[0].entry.key == "b");
  CHECK(layer.remove_if([](const Pending& entry) { return entry.key == "b"; }) == 1);
  CHECK(layer.remove_if([](const Pending&) { return true; }) == 1);
  CHECK(layer.bytes() == 0);
  CHECK(layer.waiting_bytes() == 0);
}

TEST_CASE("a layer without room holds nothing") {
  MemoryLayer layer(0);
  CHECK(add(layer, "a", Place::in_file) == 0);
  CHECK(add(layer, "a", Place::waiting) == 1);
  CHECK(layer.entries() == 0);
  MemoryLayer small(100);
  CHECK(add(small, "a", Place::in_file) == 0);
  CHECK(add(small, "a", Place::waiting) == 1);
  CHECK(small.bytes() == 0);
}
