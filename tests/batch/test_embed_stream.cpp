#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "inlay/embed_stream.hpp"
#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

struct Received {
  std::vector<float> vector;
  Status status = Status::ok;
  std::string message;
  bool cached = false;
};

StreamSource source_of(const std::vector<std::string>& texts) {
  return [&texts, next = std::size_t{0}]() mutable -> std::optional<StreamText> {
    if (next == texts.size()) return std::nullopt;
    const std::size_t i = next++;
    return StreamText{.text = texts[i], .label = fmt::format("texts:{}", i), .name = fmt::format("text {}", i)};
  };
}

// What a stream gives, checked to come in order.
std::pair<std::vector<Received>, StreamSummary> stream(const EmbeddingGenerator& generator, const StreamSource& source,
                                                       const StreamOptions& options = {}) {
  std::vector<Received> received;
  const auto sink = [&](const StreamedVector& item) {
    REQUIRE(item.index == received.size());
    received.push_back({{item.vector.begin(), item.vector.end()}, item.report.status, item.report.message, item.cached});
  };
  const StreamSummary summary = embed_stream(generator, source, sink, options);
  CHECK(summary.total == received.size());
  CHECK(summary.success + summary.failed + summary.cancelled == summary.total);
  CHECK(summary.cached + summary.newly_embedded == summary.success);
  return {received, summary};
}

std::vector<std::string> some_texts(std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back(fmt::format("open file {} and read {}", i, std::string(i % 90, 'x')));
  return texts;
}

const TemporaryFolder& tiny_model() {
  static const TemporaryFolder folder;
  static const bool written = (write_tiny_model(folder.path()), true);
  (void)written;
  return folder;
}

EmbeddingGenerator load() { return EmbeddingGenerator::load(tiny_model().path(), {.device = Device::cpu(), .threads = 2}); }

}  // namespace

TEST_CASE("a stream gives what a call gives, in order, whatever the window") {
  const auto generator = load();
  const std::vector<std::string> texts = some_texts(300);
  const EmbedResult expected = generator.embed(texts, {.long_text = {.policy = LongText::average}});
  for (const std::size_t max_memory : {std::size_t{1}, std::size_t{500}, std::size_t{20'000}, std::size_t{1} << 30}) {
    CAPTURE(max_memory);
    const auto [received, summary] = stream(generator, source_of(texts), {.max_memory = max_memory});
    REQUIRE(received.size() == texts.size());
    CHECK(summary.newly_embedded == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      REQUIRE(received[i].vector.size() == generator.dimension());
      CHECK(std::equal(received[i].vector.begin(), received[i].vector.end(), &expected.vectors(i, 0)));
    }
  }
}

TEST_CASE("no text and one text are streams, too") {
  const auto generator = load();
  CHECK(stream(generator, source_of({})).second.total == 0);
  CHECK(stream(generator, source_of({"open"})).second.newly_embedded == 1);
}

TEST_CASE("equal texts on their way are embedded once, and what the cache knows not at all") {
  const auto generator = load();
  std::vector<std::string> texts = some_texts(100);
  for (int i = 0; i < 50; ++i) texts.push_back(texts[static_cast<std::size_t>(i)]);
  auto cache = open_cache("memory:");
  const auto first = stream(generator, source_of(texts), {.cache = cache});
  CHECK(first.second.newly_embedded == 100);
  CHECK(first.second.cached == 50);
  for (std::size_t i = 0; i < 50; ++i) {
    CHECK(first.first[100 + i].cached);
    CHECK(first.first[100 + i].vector == first.first[i].vector);
  }
  texts.push_back("something new");
  const auto second = stream(generator, source_of(texts), {.max_memory = 300, .cache = cache});
  CHECK(second.second.newly_embedded == 1);
  CHECK(second.second.tokens == generator.tokenizer().encode("something new").ids.size());
  for (std::size_t i = 0; i < first.first.size(); ++i) CHECK(second.first[i].vector == first.first[i].vector);

  // Cut otherwise, a long text has another vector, which the cache must not mix up with this one.
  const auto truncated = stream(generator, source_of(texts), {.long_text = {LongText::truncate}, .cache = cache});
  CHECK(truncated.second.newly_embedded == 101);
  const EmbedResult expected = generator.embed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i)
    CHECK(std::equal(truncated.first[i].vector.begin(), truncated.first[i].vector.end(), &expected.vectors(i, 0)));
}

TEST_CASE("an item that fails is its own failure; the others go on") {
  const auto generator = load();
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += "open file ";
  std::size_t next = 0;
  const auto source = [&]() -> std::optional<StreamText> {
    const std::size_t i = next++;
    if (i == 20) return std::nullopt;
    if (i == 7) return StreamText{.error = "src/x.py: permission denied"};
    if (i == 13) return StreamText{.text = long_text};
    return StreamText{.text = fmt::format("text {}", i)};
  };
  const auto [received, summary] = stream(generator, source, {.max_memory = 30, .long_text = {LongText::error}});
  REQUIRE(received.size() == 20);
  CHECK(summary.failed == 2);
  CHECK(summary.success == 18);
  CHECK(received[7].message == "src/x.py: permission denied");
  CHECK(received[7].vector.empty());
  CHECK(received[13].status == Status::invalid_argument);
  CHECK_THAT(received[13].message, Catch::Contains("tokens"));
}

TEST_CASE("what the source throws comes out behind all that was read before; what the sink throws at once") {
  const auto generator = load();
  std::size_t next = 0;
  const auto source = [&]() -> std::optional<StreamText> {
    if (next == 30) throw std::runtime_error("the disk is gone");
    return StreamText{.text = fmt::format("text {}", next++)};
  };
  std::size_t got = 0;
  CHECK_THROWS_WITH(embed_stream(generator, source, [&](const StreamedVector&) { ++got; }, {.max_memory = 50}), "the disk is gone");
  CHECK(got == 30);

  got = 0;
  const std::vector<std::string> texts = some_texts(200);
  const auto sink = [&](const StreamedVector&) {
    if (++got == 25) throw std::runtime_error("no more");
  };
  CHECK_THROWS_WITH(embed_stream(generator, source_of(texts), sink, {.max_memory = 2000}), "no more");
  CHECK(got == 25);
  CHECK_THROWS_AS(embed_stream(generator, source_of(texts), sink, {.max_memory = 0}), Error);
  CHECK_THROWS_AS(embed_stream(generator, {}, sink), Error);
  CHECK_THROWS_AS(embed_stream(generator, source_of(texts), {}), Error);
}

TEST_CASE("a stop ends the stream soon, and the cache has what was finished") {
  const auto generator = load();
  const std::vector<std::string> texts = some_texts(10'000);  // more than are read before the first batches end
  auto cache = open_cache("memory:");
  std::stop_source stop;
  std::size_t last = 0;
  StreamOptions options{.cache = cache, .total = texts.size(), .stop = stop.get_token()};
  options.on_progress = [&](const Progress& progress) {
    CHECK(progress.total == texts.size());
    last = std::max(last, progress.done);
    if (progress.done > 100) stop.request_stop();
  };
  const auto [received, summary] = stream(generator, source_of(texts), options);
  CHECK(last > 100);
  CHECK(summary.total < texts.size());
  CHECK(summary.cancelled > 0);
  CHECK(summary.success >= 100);
  const auto again = stream(generator, source_of(texts), {.cache = cache});
  CHECK(again.second.cached >= summary.success);
  CHECK(again.second.success == texts.size());
}

TEST_CASE("vectors reach the cache batch by batch, before the window is done") {
  const auto generator = EmbeddingGenerator::load(tiny_model().path(), {.device = Device::cpu(), .batch_tokens = 100, .threads = 1});
  const std::vector<std::string> texts = some_texts(400);
  auto cache = open_cache("memory:");
  std::size_t seen_early = 0;
  StreamOptions options{.cache = cache};
  options.on_progress = [&](const Progress& progress) {
    if (progress.done < texts.size()) seen_early = std::max(seen_early, cache->statistics().memory_entries);
  };
  std::size_t delivered = 0;
  embed_stream(
      generator, source_of(texts), [&](const StreamedVector&) { ++delivered; }, options);
  CHECK(delivered == 400);
  CHECK(seen_early > 10);
}

TEST_CASE("long texts reach the cache one after the other, not all at the end of the window") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto generator = EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .batch_tokens = 256, .threads = 1});
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) {
    std::string text = fmt::format("text {}", i);
    for (int word = 0; word < 150 + i; ++word) text += " file";  // three chunks, the last a short one
    texts.push_back(text);
  }
  const auto cache = open_cache("memory:");
  std::size_t early = 0;  // vectors that were kept when half of the work was done
  StreamOptions options{.cache = cache};
  options.on_progress = [&](const Progress& progress) {
    if (early == 0 && progress.tokens > 40 * 85) early = cache->statistics().entries;
  };
  embed_stream(
      generator, source_of(texts), [](const StreamedVector& item) { CHECK(item.report.chunks >= 3); }, options);
  CHECK(early >= 15);
}

TEST_CASE("streams may share a generator and a cache") {
  const auto generator = load();
  const std::vector<std::string> texts = some_texts(200);
  const EmbedResult expected = generator.embed(texts);
  auto cache = open_cache("memory:");
  std::vector<std::thread> threads;
  std::atomic<std::size_t> wrong{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      embed_stream(generator, source_of(texts),
                   [&](const StreamedVector& item) {
                     if (!std::equal(item.vector.begin(), item.vector.end(), &expected.vectors(item.index, 0))) ++wrong;
                   },
                   {.max_memory = 3000, .long_text = {LongText::truncate}, .cache = cache});
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace inlay::test
