#include "store/faiss_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "inlay/error.hpp"

namespace inlay::store {
namespace {

static_assert(std::endian::native == std::endian::little, "FAISS's files are little-endian");

constexpr std::string_view flat_inner_product = "IxFI";
constexpr std::string_view hnsw_flat = "IHNf";
constexpr std::string_view ivf_pq = "IwPQ";
constexpr std::int64_t unused_field = std::int64_t{1} << 20;  // what FAISS writes for two fields that it does not read
constexpr std::int32_t metric_inner_product = 0;
constexpr std::int32_t most_candidates = 1 << 20;

// A list of a file, which need not be aligned there.
template <class Element>
class List {
 public:
  List() = default;
  List(const char* data, std::size_t size) : data_(data), size_(size) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Element operator[](std::size_t index) const noexcept {
    Element element;
    std::memcpy(&element, data_ + index * sizeof(Element), sizeof(Element));
    return element;
  }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

struct Header {
  std::size_t dimension = 0;
  std::size_t rows = 0;
};

// The layers of a graph: the links of row i, layer after layer, are neighbors[offsets[i]] to neighbors[offsets[i + 1]], where a layer l
// takes from first_of_layer[l] to first_of_layer[l + 1].
struct Graph {
  List<std::int32_t> first_of_layer;
  List<std::int32_t> levels;  // how many layers a row is in
  List<std::uint64_t> offsets;
  List<std::int32_t> neighbors;
  std::int32_t entry_point = -1;
  std::int32_t max_level = -1;
};

class FileReader {
 public:
  FileReader(std::string_view bytes, const std::filesystem::path& path) : bytes_(bytes), path_(path) {}

  FaissFile read() {
    FaissFile file;
    const std::string_view kind = fourcc();
    if (kind == flat_inner_product) {
      file = read_flat();
    } else if (kind == hnsw_flat) {
      file = read_hnsw();
    } else if (kind == ivf_pq) {
      file = read_ivf_pq();
    } else if (kind.starts_with('I') && std::ranges::all_of(kind, [](unsigned char c) { return c > 0x20 && c < 0x7F; })) {
      fail_unsupported(fmt::format("it is of FAISS's kind \"{}\"; known: IxFI (flat), IHNf (HNSW), IwPQ (IVF-PQ), by inner product", kind));
    } else {
      fail("it does not begin like one");
    }
    if (position_ != bytes_.size()) fail(fmt::format("{} bytes are behind its end", bytes_.size() - position_));
    return file;
  }

 private:
  [[noreturn]] void fail(std::string_view reason) const {
    throw Error(Status::invalid_data, fmt::format("{} is not a whole FAISS index: {}", path_.string(), reason));
  }
  [[noreturn]] void fail_unsupported(std::string_view reason) const {
    throw Error(Status::unsupported, fmt::format("cannot use the index {}: {}", path_.string(), reason));
  }
  void check(bool sound, std::string_view reason) const {
    if (!sound) fail(reason);
  }

  const char* take(std::size_t bytes) {
    if (bytes > bytes_.size() - position_) fail(fmt::format("it is cut short, at {} bytes", bytes_.size()));
    const char* const taken = bytes_.data() + position_;
    position_ += bytes;
    return taken;
  }
  std::string_view fourcc() { return {take(4), 4}; }

  template <class Value>
  Value value() {
    static_assert(std::is_arithmetic_v<Value>);
    return List<Value>(take(sizeof(Value)), 1)[0];
  }
  std::size_t size() {
    const auto number = value<std::int64_t>();
    check(number >= 0 && number <= std::numeric_limits<std::int32_t>::max() * std::int64_t{64}, "a number in it makes no sense");
    return static_cast<std::size_t>(number);
  }
  std::size_t checked_product(std::size_t count, std::size_t width) const {
    std::size_t product = 0;
    check(!__builtin_mul_overflow(count, width, &product), "a number in it makes no sense");
    return product;
  }
  template <class Element>
  List<Element> list_of(std::size_t count) {
    return {take(checked_product(count, sizeof(Element))), count};
  }
  template <class Element>
  List<Element> list() {
    const auto count = value<std::uint64_t>();
    check(count <= bytes_.size(), "it is cut short, or a length in it makes no sense");
    return list_of<Element>(count);
  }

  Header read_header() {
    Header header;
    const auto dimension = value<std::int32_t>();
    check(dimension > 0, "its dimension makes no sense");
    header.dimension = static_cast<std::size_t>(dimension);
    header.rows = size();
    take(2 * sizeof(unused_field));
    check(value<std::uint8_t>() == 1, "it is not trained");
    const auto metric = value<std::int32_t>();
    if (metric != metric_inner_product) fail_unsupported("it is not by inner product");
    return header;
  }

  // Behind its fourcc, as those that follow.
  FaissFile read_flat() {
    const Header header = read_header();
    const auto components = value<std::uint64_t>();
    check(components == checked_product(header.rows, header.dimension), "it has not as many rows as it says");
    const FaissFile file{.kind = IndexKind::flat, .rows = header.rows, .dimension = header.dimension, .vectors_offset = position_};
    take(checked_product(components, sizeof(float)));
    return file;
  }

  FaissFile read_inner_flat() {
    if (fourcc() != flat_inner_product) fail_unsupported("its vectors are not stored as they are, by inner product");
    return read_flat();
  }

  FaissFile read_hnsw() {
    const Header header = read_header();
    list<double>();  // the share of rows in each layer: of use for adding rows alone
    Graph graph;
    graph.first_of_layer = list<std::int32_t>();
    graph.levels = list<std::int32_t>();
    graph.offsets = list<std::uint64_t>();
    graph.neighbors = list<std::int32_t>();
    graph.entry_point = value<std::int32_t>();
    graph.max_level = value<std::int32_t>();
    for (const auto candidates : {value<std::int32_t>(), value<std::int32_t>()}) {  // efConstruction, efSearch: FAISS allocates so many
      check(candidates >= 1 && candidates <= most_candidates, "the candidates that it wants make no sense");
    }
    check(value<std::int32_t>() == 1, "its upper_beam is not 1");  // FAISS searches with it, and fails with others
    check_graph(graph, header.rows);
    const FaissFile vectors = read_inner_flat();
    check_finite(vectors);
    check(vectors.rows == header.rows && vectors.dimension == header.dimension, "its graph and its vectors contradict one another");
    return {.kind = IndexKind::hnsw, .rows = header.rows, .dimension = header.dimension};
  }

  void check_graph(const Graph& graph, std::size_t rows) const {
    constexpr std::string_view damaged = "its graph is damaged";
    const std::size_t layers = graph.first_of_layer.size();
    check(layers > 0 && graph.first_of_layer[0] == 0, damaged);
    for (std::size_t layer = 1; layer < layers; ++layer) check(graph.first_of_layer[layer] >= graph.first_of_layer[layer - 1], damaged);
    check(graph.levels.size() == rows && graph.offsets.size() == rows + 1 && graph.offsets[0] == 0, damaged);
    check(graph.offsets[rows] == graph.neighbors.size(), damaged);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::int32_t levels = graph.levels[row];
      check(levels >= 1 && static_cast<std::size_t>(levels) < layers, damaged);
      const std::uint64_t links = graph.offsets[row + 1] - graph.offsets[row];
      check(links == static_cast<std::uint64_t>(graph.first_of_layer[static_cast<std::size_t>(levels)]), damaged);
    }
    for (std::size_t row = 0; row < rows; ++row) check_links(graph, row, rows);
    if (rows == 0) return check(graph.entry_point == -1, damaged);
    check(graph.entry_point >= 0 && static_cast<std::size_t>(graph.entry_point) < rows, damaged);
    check(graph.max_level >= 0 && static_cast<std::size_t>(graph.max_level) < layers, damaged);
    check(graph.max_level + 1 == graph.levels[static_cast<std::size_t>(graph.entry_point)], damaged);
  }

  // Each neighbour is a row, and is in the layer of the link.
  void check_links(const Graph& graph, std::size_t row, std::size_t rows) const {
    for (std::int32_t level = 0; level < graph.levels[row]; ++level) {
      const auto layer = static_cast<std::size_t>(level);
      const auto end = graph.offsets[row] + static_cast<std::uint64_t>(graph.first_of_layer[layer + 1]);
      for (auto link = graph.offsets[row] + static_cast<std::uint64_t>(graph.first_of_layer[layer]); link < end; ++link) {
        const std::int32_t neighbor = graph.neighbors[link];
        if (neighbor == -1) break;
        check(neighbor >= 0 && static_cast<std::size_t>(neighbor) < rows, "its graph names a row that is not there");
        check(graph.levels[static_cast<std::size_t>(neighbor)] > level, "its graph names a row in a layer that it is not in");
      }
    }
  }

  // The order of scores needs numbers.
  void check_finite(const FaissFile& vectors) const {
    const List<float> numbers(bytes_.data() + vectors.vectors_offset, vectors.rows * vectors.dimension);
    for (std::size_t i = 0; i < numbers.size(); ++i) check(std::isfinite(numbers[i]), "a vector in it is not of finite numbers");
  }

  FaissFile read_ivf_pq() {
    const Header header = read_header();
    const std::size_t lists = size();
    take(sizeof(std::uint64_t));  // how many lists a search looks into
    const FaissFile centroids = read_inner_flat();
    check(centroids.rows == lists && centroids.dimension == header.dimension, "its clusters and its lists contradict one another");
    if (value<std::uint8_t>() != 0) fail_unsupported("it has a direct map");
    list<std::int64_t>();
    check(value<std::uint8_t>() <= 1, "a number in it makes no sense");  // by_residual
    const std::size_t code_bytes = size();
    check(read_product_quantizer(header.dimension) == code_bytes, "its codes and its quantizer contradict one another");
    read_inverted_lists(header.rows, lists, code_bytes);
    return {.kind = IndexKind::ivf_pq, .rows = header.rows, .dimension = header.dimension};
  }

  /// How many bytes a code has.
  std::size_t read_product_quantizer(std::size_t dimension) {
    const std::size_t quantized = size();
    const std::size_t parts = size();
    const std::size_t bits = size();
    check(quantized == dimension && parts >= 1 && parts <= dimension && dimension % parts == 0 && bits >= 1 && bits <= 16,
          "its quantizer makes no sense");
    check(list<float>().size() == checked_product(dimension, std::size_t{1} << bits), "its quantizer is damaged");
    return (parts * bits + 7) / 8;
  }

  void read_inverted_lists(std::size_t rows, std::size_t lists, std::size_t code_bytes) {
    if (fourcc() != "ilar") fail_unsupported("its lists are not in the file");
    check(size() == lists && size() == code_bytes, "its lists are damaged");
    const std::string_view form = fourcc();
    const List<std::uint64_t> sizes = list<std::uint64_t>();
    std::size_t total = 0;
    const auto take_list = [&](std::uint64_t entries) {
      check(entries <= rows, "its lists are damaged");
      take(checked_product(entries, code_bytes));
      check_ids(list_of<std::int64_t>(entries), rows);
      total += entries;
    };
    if (form == "full") {
      check(sizes.size() == lists, "its lists are damaged");
      for (std::size_t list = 0; list < lists; ++list) take_list(sizes[list]);
    } else if (form == "sprs") {  // pairs of list and size, of those that are not empty
      check(sizes.size() % 2 == 0, "its lists are damaged");
      for (std::size_t pair = 0; pair < sizes.size(); pair += 2) {
        check(sizes[pair] < lists && (pair == 0 || sizes[pair] > sizes[pair - 2]), "its lists are damaged");
        take_list(sizes[pair + 1]);
      }
    } else {
      fail("its lists are damaged");
    }
    check(total == rows, "its lists have not as many rows as it says");
  }

  void check_ids(const List<std::int64_t>& ids, std::size_t rows) const {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      check(ids[i] >= 0 && static_cast<std::uint64_t>(ids[i]) < rows, "an id in it is not that of a row");
    }
  }

  std::string_view bytes_;
  const std::filesystem::path& path_;
  std::size_t position_ = 0;
};

template <class Value>
void append(std::string& bytes, Value value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

FaissFile check_faiss_file(std::string_view bytes, const std::filesystem::path& path) { return FileReader(bytes, path).read(); }

std::string flat_index_header(std::size_t rows, std::size_t dimension) {
  std::string header(flat_inner_product);
  append(header, static_cast<std::int32_t>(dimension));
  append(header, static_cast<std::int64_t>(rows));
  append(header, unused_field);
  append(header, unused_field);
  append(header, std::uint8_t{1});  // trained
  append(header, metric_inner_product);
  append(header, static_cast<std::uint64_t>(rows * dimension));
  return header;
}

}  // namespace inlay::store
