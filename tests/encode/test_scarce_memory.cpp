// What becomes of a call when libtorch cannot have the memory that it asks for: its CPU allocator refuses requests above a chosen size.
#include <c10/core/CPUAllocator.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

// Refuses as the default allocator does where the system has no memory: that one is asked for more than there is.
class ScarceMemory final : public c10::Allocator {
 public:
  explicit ScarceMemory(std::size_t most) : most_(most), usual_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, priority); }
  ~ScarceMemory() override { c10::SetCPUAllocator(usual_, priority); }

  c10::DataPtr allocate(std::size_t bytes) override {
    largest_ = std::max(largest_.load(), bytes);
    if (bytes <= most_) return usual_->allocate(bytes);
    ++refused_;
    return usual_->allocate(std::size_t{1} << 62);
  }
  c10::DeleterFnPtr raw_deleter() const override { return usual_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { usual_->copy_data(to, from, bytes); }

  void set_most(std::size_t bytes) {
    most_ = bytes;
    largest_ = 0;
    refused_ = 0;
  }
  [[nodiscard]] std::size_t largest() const { return largest_; }  // request
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  static constexpr std::uint8_t priority = 9;
  std::atomic<std::size_t> most_;
  c10::Allocator* usual_;
  std::atomic<std::size_t> largest_{0};
  std::atomic<std::size_t> refused_{0};
};

std::vector<std::string> texts_of(std::size_t count, std::size_t words) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    for (std::size_t word = 0; word < words; ++word) text += fmt::format("{} ", (i * 7 + word * 3) % 10);
    texts.push_back(text);
  }
  return texts;
}

constexpr std::size_t plenty = std::size_t{1} << 40;

}  // namespace

TEST_CASE("a batch that memory does not suffice for is split, and the vectors are the same", "[memory]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto generator = EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .batch_tokens = 2048, .threads = 1});
  const std::vector<std::string> texts = texts_of(400, 30);  // 32 tokens each: 64 texts a batch
  const Matrix expected = generator.embed(texts).vectors;

  ScarceMemory memory(plenty);
  (void)generator.embed(texts);
  const std::size_t whole = memory.largest();  // what a full batch asks for
  REQUIRE(memory.refused() == 0);
  REQUIRE(whole > 2048 * 32);

  for (const std::size_t part : {3, 10, 40}) {
    CAPTURE(part);
    memory.set_most(whole / part);
    const EmbedResult result = generator.embed(texts);
    CHECK(result.complete());
    CHECK((result.vectors == expected));
    CHECK(memory.refused() > 0);
    // Each of the 7 planned batches by itself would be refused once or more; the limit is learnt, so that most never are.
    CHECK(memory.refused() <= 8);
  }

  memory.set_most(plenty);
  for (int call = 0; call < 200 && memory.largest() < whole; ++call) (void)generator.embed(texts);
  CHECK(memory.largest() == whole);  // with enough memory again the batches have grown back
}

TEST_CASE("one text that memory does not suffice for is that item's failure alone", "[memory]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const auto generator = EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .threads = 2});
  std::vector<std::string> texts = texts_of(50, 5);
  const Matrix expected = generator.embed(texts).vectors;
  ScarceMemory memory(plenty);
  (void)generator.embed({texts_of(1, 40)[0]});
  const std::size_t of_the_long_one = memory.largest();
  texts.insert(texts.begin() + 20, texts_of(1, 40)[0]);
  memory.set_most(of_the_long_one - 1);
  const EmbedResult result = generator.embed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CAPTURE(i);
    if (i == 20) {
      CHECK(result.items[i].status == Status::out_of_memory);
      CHECK(std::isnan(result.vectors(i, 0)));
      continue;
    }
    REQUIRE(result.items[i].status == Status::ok);
    const std::size_t row = i < 20 ? i : i - 1;
    CHECK(std::equal(&result.vectors(i, 0), &result.vectors(i, 0) + 32, &expected(row, 0)));
  }
  memory.set_most(plenty);
  CHECK(generator.embed(texts).complete());
}

}  // namespace inlay::test
