// What a generator promises beyond its numbers: items and reports, progress and cancellation, threads and memory.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <xtensor/xview.hpp>

#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

using namespace std::chrono_literals;

/// One tiny model for all the tests that don't change it.
const std::filesystem::path& tiny_model() {
  static const TemporaryFolder folder;
  static const bool written = (write_tiny_model(folder.path()), true);
  (void)written;
  return folder.path();
}

EmbeddingGenerator load(GeneratorOptions options = {}) {
  options.device = Device::cpu();
  return EmbeddingGenerator::load(tiny_model(), std::move(options));
}

std::vector<std::string> some_texts(std::size_t count) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    for (std::size_t words = random() % 12; words > 0; --words) text += fmt::format("w{} file{} ", random() % 7, random() % 100);
  }
  return texts;
}

std::vector<float> row_of(const Matrix& matrix, std::size_t index) { return {&matrix(index, 0), &matrix(index, 0) + matrix.shape(1)}; }
std::vector<float> values(const Vector& vector) { return {vector.begin(), vector.end()}; }
std::vector<float> vector_of(const EmbeddingGenerator& generator, std::string_view text) {
  return row_of(generator.embed({text}).vectors, 0);
}

bool is_unit(const std::vector<float>& vector) {
  double squares = 0;
  for (const float value : vector) squares += double{value} * value;
  return std::abs(squares - 1) < 1e-5;
}
bool is_nan(const std::vector<float>& vector) {
  return std::all_of(vector.begin(), vector.end(), [](float value) { return std::isnan(value); });
}

double processor_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

std::size_t running_threads() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("no texts give a matrix of no rows and the model's width", "[generator]") {
  const auto generator = load();
  const EmbedResult result = generator.embed(std::vector<std::string>{});
  CHECK(result.vectors.shape(0) == 0);
  CHECK(result.vectors.shape(1) == generator.dimension());
  CHECK(result.items.empty());
  CHECK(result.complete());
  CHECK(generator.embed_documents(std::vector<Document>{}).vectors.shape(1) == generator.dimension());
  CHECK(generator.embed_async({}).get().items.empty());
}

TEST_CASE("an empty text, and one of which nothing is left, has the vector of its special tokens", "[generator]") {
  const auto generator = load();
  const EmbedResult result = generator.embed({"", " ", "\n\t", std::string_view("\0", 1), "\xff\xfe"});
  REQUIRE(result.complete());
  for (std::size_t i = 0; i < result.items.size(); ++i) {
    CHECK(result.items[i].tokens_seen == 2);
    CHECK(result.items[i].tokens_used == 2);
    CHECK(is_unit(row_of(result.vectors, i)));
    CHECK(row_of(result.vectors, i) == row_of(result.vectors, 0));
  }
}

TEST_CASE("a NUL byte does not end a text", "[generator]") {
  const auto generator = load();
  const std::string_view text("open\0 the file", 14);
  CHECK(vector_of(generator, text) == vector_of(generator, "open the file"));
  CHECK(vector_of(generator, text) != vector_of(generator, "open"));
}

TEST_CASE("bytes that are not UTF-8 count as U+FFFD", "[generator]") {
  const auto generator = load();
  for (const std::string_view text : {"open \xff file", "open \xc3 file", "open \xed\xa0\x80 file", "open \xf4\x90\x80\x80 file",
                                      "open \xc0\xaf file", "open file\xe6\x97"}) {
    CAPTURE(text);
    CHECK(generator.embed({text}).complete());
    CHECK(vector_of(generator, text) == vector_of(generator, "open file"));  // BERT's normaliser drops U+FFFD
  }
}

TEST_CASE("a text of 50 MB is cut at the model's limit, and reported", "[generator]") {
  const auto generator = load();
  std::string text;
  text.reserve(50'000'000);
  while (text.size() < 50'000'000) text += "open the file and read 1 line; ";
  const std::string start = text.substr(0, 2000);
  const EmbedResult result = generator.embed({"before", text, "after"});
  REQUIRE(result.complete());
  CHECK(result.items[1].truncated());
  CHECK(result.items[1].tokens_used == generator.max_sequence_length());
  CHECK(result.items[1].tokens_seen > 10'000'000);
  CHECK_FALSE(result.items[0].truncated());
  CHECK(row_of(result.vectors, 1) == vector_of(generator, start));

  // Without any border inside: one word of 50 MB, and 50 MB of combining marks.
  CHECK(generator.embed({std::string(50'000'000, 'x')}).items[0].tokens_used == 3);
  std::string marks;
  for (int i = 0; i < 5'000'000; ++i) marks += "\u0301";
  CHECK(generator.embed({marks}).complete());
}

TEST_CASE("all ways of passing texts give the same vectors", "[generator]") {
  const auto generator = load({.threads = 2});
  const auto texts = some_texts(20);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const EmbedResult result = generator.embed(texts);
  REQUIRE(result.complete());
  CHECK((generator.embed(views).vectors == result.vectors));
  CHECK((generator.embed_async(texts).get().vectors == result.vectors));
  CHECK((generator.embed({texts[3], texts[4]}).vectors == Matrix(xt::view(result.vectors, xt::range(3, 5), xt::all()))));
}

TEST_CASE("documents are embedded with their context, queries with their prefix", "[generator]") {
  const auto generator = load();
  const Document document{"def login(): return 1", {.file_type = "python", .language = "python", .function_name = "login"}};
  CHECK(row_of(generator.embed_documents(std::vector{document}).vectors, 0) == vector_of(generator, TextPreparator{}(document)));
  CHECK(row_of(generator.embed_documents_async({document}).get().vectors, 0) == vector_of(generator, TextPreparator{}(document)));
  CHECK(values(generator.embed_code("return 1")) == vector_of(generator, "return 1"));
  CHECK(values(generator.embed_code("return 1", "python")) == vector_of(generator, "[PYTHON] return 1"));
  for (const QueryType type : {QueryType::general, QueryType::code_search, QueryType::error_analysis, QueryType::documentation}) {
    const std::string prepared = std::string(query_prefix(type)) + "read a file";
    CHECK(values(generator.embed_query("read a file", type)) == vector_of(generator, prepared));
    CHECK(values(generator.embed_query_async("read a file", type).get()) == vector_of(generator, prepared));
  }
}

TEST_CASE("the prompts of the model's files stand in front", "[generator]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  write(folder / "config_sentence_transformers.json",
        R"({"prompts": {"query": "question: ", "document": "passage: "}, "default_prompt_name": null})");
  const auto plain = load();
  const auto generator = EmbeddingGenerator::load(folder.path());
  CHECK(generator.info().prompts.at("query") == "question: ");
  CHECK(vector_of(generator, "open") == vector_of(plain, "open"));
  CHECK(values(generator.embed_query("open")) == vector_of(plain, "question: open"));
  CHECK(row_of(generator.embed_documents(std::vector<Document>{{"open", {}}}).vectors, 0) == vector_of(plain, "passage: open"));

  write(folder / "config_sentence_transformers.json", R"({"prompts": {"topic": "topic: "}, "default_prompt_name": "topic"})");
  CHECK(vector_of(EmbeddingGenerator::load(folder.path()), "open") == vector_of(plain, "topic: open"));
}

TEST_CASE("a call that is cancelled before it begins computes nothing", "[generator]") {
  const auto generator = load();
  std::stop_source stop;
  stop.request_stop();
  const auto texts = some_texts(50);
  for (const EmbedResult& result :
       {generator.embed(texts, {.stop = stop.get_token()}), generator.embed_async(texts, {.stop = stop.get_token()}).get()}) {
    REQUIRE(result.items.size() == 50);
    CHECK_FALSE(result.complete());
    for (std::size_t i = 0; i < 50; ++i) {
      CHECK(result.items[i].status == Status::cancelled);
      CHECK(is_nan(row_of(result.vectors, i)));
    }
  }
}

TEST_CASE("a call that is cancelled on its way keeps what it has and reports the rest", "[generator]") {
  const auto generator = load({.batch_size = 1, .threads = 1});
  const auto texts = some_texts(500);
  const EmbedResult whole = generator.embed(texts);
  std::stop_source stop;
  std::size_t told = 0;
  const EmbedResult result = generator.embed(texts, {.stop = stop.get_token(), .on_progress = [&](const Progress& progress) {
                                                       told = progress.done;
                                                       if (progress.done >= 10) stop.request_stop();
                                                     }});
  std::size_t done = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (result.items[i].status == Status::ok) {
      ++done;
      CHECK(row_of(result.vectors, i) == row_of(whole.vectors, i));
    } else {
      CHECK(result.items[i].status == Status::cancelled);
      CHECK(is_nan(row_of(result.vectors, i)));
    }
  }
  CHECK(done >= 10);
  CHECK(done < 100);
  CHECK(told <= done);
  CHECK((generator.embed(texts).vectors == whole.vectors));  // and the generator works on
}

TEST_CASE("cancelling from another thread returns soon", "[generator]") {
  const auto generator = load({.batch_size = 4, .threads = 2});
  const auto texts = some_texts(200'000);
  std::stop_source stop;
  auto future = generator.embed_async(texts, {.stop = stop.get_token()});
  std::this_thread::sleep_for(50ms);
  const auto asked = std::chrono::steady_clock::now();
  stop.request_stop();
  const EmbedResult result = future.get();
  CHECK(std::chrono::steady_clock::now() - asked < 1s);
  CHECK(result.items.size() == texts.size());
  CHECK_FALSE(result.complete());
}

TEST_CASE("progress only grows, counts to the end, and is told on the calling thread", "[generator]") {
  for (const std::size_t threads : {1u, 2u}) {
    const auto generator = load({.batch_size = 3, .threads = threads});
    const auto texts = some_texts(100);
    Progress last;
    std::size_t calls = 0;
    const EmbedResult result = generator.embed(texts, {.on_progress = [&, caller = std::this_thread::get_id()](const Progress& progress) {
                                                 CHECK(std::this_thread::get_id() == caller);
                                                 CHECK(progress.total == 100);
                                                 CHECK(progress.done >= last.done);
                                                 CHECK(progress.done <= progress.total);
                                                 CHECK(progress.tokens >= last.tokens);
                                                 CHECK(progress.seconds >= last.seconds);
                                                 last = progress;
                                                 ++calls;
                                               }});
    std::size_t tokens = 0;
    for (const ItemReport& item : result.items) tokens += item.tokens_used;
    CHECK(last.done == 100);
    CHECK(last.tokens == tokens);
    CHECK(last.tokens_per_second > 0);
    CHECK(calls >= 1);  // a slow caller is told of several batches at once
  }
}

TEST_CASE("progress of an asynchronous call is told one call at a time, elsewhere", "[generator]") {
  const auto generator = load({.batch_size = 3, .threads = 2});
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  std::atomic<bool> elsewhere{true};
  std::atomic<std::size_t> done{0};
  (void)generator
      .embed_async(some_texts(60), {.on_progress =
                                        [&, caller = std::this_thread::get_id()](const Progress& progress) {
                                          if (++inside > 1) ++overlaps;
                                          if (std::this_thread::get_id() == caller) elsewhere = false;
                                          done = progress.done;
                                          std::this_thread::sleep_for(1ms);
                                          --inside;
                                        }})
      .get();
  CHECK(done == 60);
  CHECK(overlaps == 0);
  CHECK(elsewhere);
}

TEST_CASE("what a progress callback throws ends the call with that very exception", "[generator]") {
  struct Enough : std::exception {};
  const auto generator = load({.batch_size = 2, .threads = 2});
  const auto texts = some_texts(100);
  const CallOptions call{.on_progress = [](const Progress&) { throw Enough(); }};
  CHECK_THROWS_AS(generator.embed(texts, call), Enough);
  CHECK_THROWS_AS(generator.embed_async(texts, call).get(), Enough);
  CHECK(generator.embed(texts).complete());
}

TEST_CASE("what a preparator throws fails its document alone", "[generator]") {
  const auto generator = load({.batch_size = 2, .threads = 2, .preparator = [](const Document& document) -> std::string {
                                 if (document.content == "bad") throw std::runtime_error("no text for this one");
                                 if (document.content == "worse") throw Error(Status::invalid_data, "damaged document");
                                 if (document.content == "worst") throw 42;
                                 return document.content;
                               }});
  const std::vector<Document> documents = {{"open", {}}, {"bad", {}}, {"read", {}}, {"worse", {}}, {"worst", {}}, {"file", {}}};
  for (const EmbedResult& result : {generator.embed_documents(documents), generator.embed_documents_async(documents).get()}) {
    REQUIRE(result.items.size() == 6);
    for (const std::size_t good : {0u, 2u, 5u}) {
      CHECK(result.items[good].status == Status::ok);
      CHECK(row_of(result.vectors, good) == vector_of(generator, documents[good].content));
    }
    for (const std::size_t bad : {1u, 3u, 4u}) {
      CHECK(result.items[bad].status != Status::ok);
      CHECK_FALSE(result.items[bad].message.empty());
      CHECK(is_nan(row_of(result.vectors, bad)));
    }
    CHECK_THAT(result.items[1].message, Catch::Contains("no text for this one"));
    CHECK_THAT(result.items[3].message, Catch::Contains("damaged document"));
    CHECK(result.items[3].status == Status::invalid_data);
  }
  CHECK_THROWS_AS(load({.preparator = [](const Document&) -> std::string { throw std::runtime_error("no"); }}).embed_code("x", "python"),
                  Error);
}

TEST_CASE("sixteen threads may call one generator at once", "[generator]") {
  const auto generator = load({.batch_tokens = 256, .threads = 2});
  const auto texts = some_texts(120);
  const EmbedResult expected = generator.embed(texts);
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> callers;
    for (std::size_t caller = 0; caller < 16; ++caller) {
      callers.emplace_back([&, caller] {
        for (std::size_t round = 0; round < 6; ++round) {
          const std::size_t first = (caller * 7 + round * 13) % 60;
          const EmbedResult result = generator.embed(std::span(texts).subspan(first, 60));
          for (std::size_t i = 0; i < 60; ++i) {
            if (row_of(result.vectors, i) != row_of(expected.vectors, first + i)) ++wrong;
          }
          if (values(generator.embed_query(texts[caller])) != row_of(expected.vectors, caller)) ++wrong;
        }
      });
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("loading and ending generators on many threads at once is safe", "[generator]") {
  const auto expected = vector_of(load(), "open the file");
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 8; ++caller) {
      callers.emplace_back([&] {
        for (int round = 0; round < 5; ++round) {
          if (vector_of(load({.threads = 1}), "open the file") != expected) ++wrong;
        }
      });
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("a future keeps working when its generator has gone out of scope", "[generator]") {
  const auto texts = some_texts(300);
  std::future<EmbedResult> future;
  std::future<Vector> query;
  {
    const auto generator = load({.batch_size = 1, .threads = 1});
    future = generator.embed_async(texts);
    query = generator.embed_query_async("open");
  }
  CHECK((future.get().vectors == load().embed(texts).vectors));
  CHECK(values(query.get()) == vector_of(load(), "open"));
}

TEST_CASE("the last copy of a generator may be the one that its own asynchronous call holds", "[generator]") {
  const auto texts = some_texts(100);
  (void)load({.threads = 2}).embed(texts);
  const std::size_t before = running_threads();
  std::future<EmbedResult> future;
  {
    const auto generator = load({.batch_size = 1, .threads = 2});
    future = generator.embed_async(texts, {.on_progress = [generator](const Progress&) { (void)generator.dimension(); }});
  }
  CHECK(future.get().complete());
  for (int wait = 0; wait < 200 && running_threads() > before; ++wait) std::this_thread::sleep_for(10ms);
  CHECK(running_threads() <= before);  // a thread that tried to join itself would hang there
}

TEST_CASE("a future may be thrown away", "[generator]") {
  const auto generator = load({.threads = 1});
  (void)generator.embed_async(some_texts(200));
  CHECK(generator.embed({"open"}).complete());
}

TEST_CASE("batches hold no more items than batch_size and no more tokens than batch_tokens", "[generator]") {
  const auto texts = some_texts(64);
  const EmbedResult expected = load().embed(texts);
  const auto largest_steps = [&texts, &expected](GeneratorOptions options) {
    Progress last;
    std::pair<std::size_t, std::size_t> largest;  // items and tokens of a batch; an asynchronous call tells of each, however slow its host
    options.threads = 1;
    const auto generator = load(std::move(options));
    const EmbedResult result = generator
                                   .embed_async(texts, {.on_progress =
                                                            [&](const Progress& progress) {
                                                              largest.first = std::max(largest.first, progress.done - last.done);
                                                              largest.second = std::max(largest.second, progress.tokens - last.tokens);
                                                              last = progress;
                                                            }})
                                   .get();
    CHECK((result.vectors == expected.vectors));
    return largest;
  };
  for (const std::size_t batch_size : {1u, 7u, 16u}) CHECK(largest_steps({.batch_size = batch_size}).first == batch_size);
  const std::size_t tokens = largest_steps({.batch_tokens = 100}).second;
  CHECK(tokens <= 100);
  CHECK(tokens > 50);
}

TEST_CASE("max_sequence_length cuts, with the special tokens kept", "[generator]") {
  const auto generator = load({.max_sequence_length = 4});
  const EmbedResult result = generator.embed({"open the file", "the"});
  CHECK(result.items[0].tokens_seen == 5);
  CHECK(result.items[0].tokens_used == 4);
  CHECK(result.items[0].truncated());
  CHECK_FALSE(result.items[1].truncated());
  CHECK(row_of(result.vectors, 0) == vector_of(load(), "open the"));
}

TEST_CASE("the fingerprint tells what changes the numbers, and nothing else", "[generator]") {
  const std::string fingerprint = load().info().fingerprint;
  CHECK_FALSE(fingerprint.empty());
  CHECK(load().info().fingerprint == fingerprint);
  CHECK(load({.batch_tokens = 99, .batch_size = 3, .threads = 2}).info().fingerprint == fingerprint);
  CHECK(load({.normalize = false}).info().fingerprint != fingerprint);
  CHECK(load({.pooling = Pooling::cls}).info().fingerprint != fingerprint);
  CHECK(load({.pooling = Pooling::mean}).info().fingerprint == fingerprint);  // what the files say anyway
  CHECK(load({.truncate_dim = 8}).info().fingerprint != fingerprint);
  CHECK(load({.max_sequence_length = 8}).info().fingerprint != fingerprint);

  const TemporaryFolder other_weights;
  write_tiny_model(other_weights.path(), {.seed = 2});
  CHECK(EmbeddingGenerator::load(other_weights.path()).info().fingerprint != fingerprint);
  const TemporaryFolder other_vocabulary;
  write_tiny_model(other_vocabulary.path());
  std::string vocabulary = tiny_vocabulary();
  vocabulary.replace(vocabulary.find("\nopen\n"), 6, "\nshut\n");
  write(other_vocabulary / "vocab.txt", vocabulary);
  CHECK(EmbeddingGenerator::load(other_vocabulary.path()).info().fingerprint != fingerprint);
  const TemporaryFolder copy;
  write_tiny_model(copy.path());
  CHECK(EmbeddingGenerator::load(copy.path()).info().fingerprint == fingerprint);
}

TEST_CASE("info says what a generator is", "[generator]") {
  const auto generator = load({.threads = 2, .truncate_dim = 20});
  CHECK(generator.info().architecture == "bert");
  CHECK(generator.info().dimension == 20);
  CHECK(generator.info().max_sequence_length == 64);
  CHECK(generator.info().vocabulary_size == tiny_vocabulary_size());
  CHECK(generator.info().layers == 2);
  CHECK(generator.info().pooling == "mean");
  CHECK(generator.info().device == "cpu");
  CHECK(generator.info().precision == "fp32");
  CHECK(generator.info().threads == 2);
  CHECK(generator.info().name == tiny_model().filename());
  CHECK(generator.info().path == tiny_model());
  std::size_t parameters = 0;
  for (const Tensor& tensor : tiny_weights()) parameters += tensor.bytes.size() / 4;
  CHECK(generator.info().parameters == parameters);
}

TEST_CASE("weights replaced on the disk are not mistaken for the ones in memory", "[generator]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto before = EmbeddingGenerator::load(folder.path());
  const auto vector = vector_of(before, "open");
  const std::string other = safetensors(tiny_weights({.seed = 2}));
  std::filesystem::rename(write(folder / "new.safetensors", other), folder / "model.safetensors");
  CHECK(vector_of(EmbeddingGenerator::load(folder.path()), "open") != vector);
  CHECK(vector_of(before, "open") == vector);
}

TEST_CASE("generators of one file share its weights", "[generator]") {
  const auto folder = model_folder();
  INLAY_SKIP_WITHOUT(folder, "INLAY_MODEL");
  const auto first = EmbeddingGenerator::load(*folder, {.device = Device::cpu(), .threads = 1});
  (void)first.embed({"open the file"});
  const MemoryUse before = first.memory();
  CHECK(before.weights > 80'000'000);
  CHECK(before.process_peak >= before.process_resident);
  std::vector<EmbeddingGenerator> more;
  for (int i = 0; i < 4; ++i) {
    more.push_back(EmbeddingGenerator::load(*folder, {.device = Device::cpu(), .normalize = i % 2 == 0, .threads = 1}));
    (void)more.back().embed({"open the file"});
  }
  const MemoryUse after = more.back().memory();
  CHECK(after.weights == before.weights);
  CHECK(after.process_resident < before.process_resident + 4 * 25'000'000);  // a tokenizer, a thread and its scratch each
}

TEST_CASE("a batch's memory is given back by trim", "[generator]") {
  const auto generator = load({.threads = 1});
  const EmbedResult before = generator.embed(some_texts(2000));
  generator.trim();
  CHECK((generator.embed(some_texts(2000)).vectors == before.vectors));
}

TEST_CASE("an idle generator uses no processor time, and an ended one leaves no thread", "[generator]") {
  (void)load({.threads = 2}).embed(some_texts(100));  // what libtorch starts once for good
  const std::size_t before = running_threads();
  {
    const auto generator = load({.threads = 4});
    (void)generator.embed(some_texts(400));
    std::this_thread::sleep_for(20ms);
    const double used = processor_seconds();
    std::this_thread::sleep_for(300ms);
    CHECK(processor_seconds() - used < 0.005);
    CHECK(running_threads() <= before + 4);
  }
  CHECK(running_threads() <= before);
}

TEST_CASE("threads bounds what a generator computes with", "[generator]") {
  const auto generator = load({.batch_size = 8, .threads = 1});
  const auto texts = some_texts(4000);
  (void)generator.embed(texts);
  const auto start = std::chrono::steady_clock::now();
  const double used = processor_seconds();
  (void)generator.embed(texts);
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(processor_seconds() - used < 1.3 * elapsed + 0.02);
}

TEST_CASE("waiting for a generator on its own worker is an error, not a deadlock", "[generator]") {
  const auto generator = load({.threads = 1});
  auto future = generator.embed_async(some_texts(10), {.on_progress = [generator](const Progress&) { (void)generator.embed({"open"}); }});
  CHECK_THROWS_WITH(future.get(), Catch::Contains("from its own callbacks"));
}

TEST_CASE("a generator refuses to work in a forked child, and may end there", "[generator]") {
  auto generator = std::make_unique<EmbeddingGenerator>(load({.threads = 2}));
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 1;
    try {
      (void)generator->embed({"open"});
    } catch (const Error& error) {
      code = error.status() == Status::unsupported ? 0 : 2;
    }
    generator.reset();
    ::_exit(code);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(generator->embed({"open"}).complete());
}

TEST_CASE("a program is exported from C++ and loaded, and never in the place of the model's own files", "[generator]") {
  const TemporaryFolder model;
  const TemporaryFolder place;
  write_tiny_model(model.path());
  for (const char* name : {"config.json", "./vocab.txt"}) {
    check_error(Status::invalid_argument, {"one of the model's own files"}, [&] { export_torchscript(model.path(), place / name); });
  }
  CHECK(std::filesystem::is_empty(place.path()));
  const auto written = export_torchscript(model.path(), place / "model.pt");
  REQUIRE(written.front() == place / "model.pt");
  CHECK(written.size() > 1);
  check_error(Status::invalid_argument, {"model.pt is in the way"}, [&] { export_torchscript(model.path(), place / "model.pt"); });
  const std::vector<std::string> texts = {"open the file", "", "the"};
  const EmbedResult expected = EmbeddingGenerator::load(model.path()).embed(texts);
  const EmbedResult got = EmbeddingGenerator::load(place / "model.pt").embed(texts);
  for (std::size_t i = 0; i < expected.vectors.size(); ++i) CHECK(std::abs(got.vectors.data()[i] - expected.vectors.data()[i]) < 1e-6);
}

}  // namespace inlay::test
