// Memory that runs out, at every allocation in turn: each call fails with a status and an error that can be read and freed, or succeeds.
// This program's operator new, which the C library uses too, fails when told to, on the calling thread.
#include <inlay.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <vector>

namespace {

thread_local long allocations_left = -1;  // negative: no limit

bool allowed() {
  if (allocations_left < 0) return true;
  if (allocations_left == 0) return false;
  --allocations_left;
  return true;
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* block = allowed() ? std::malloc(size == 0 ? 1 : size) : nullptr) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allowed() ? std::malloc(size == 0 ? 1 : size) : nullptr; }
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

namespace {

int failures = 0;

void check(bool condition, const std::string& what) {
  if (condition) return;
  ++failures;
  std::fprintf(stderr, "failed: %s\n", what.c_str());
}

/// Runs the call with memory for 0, 1, 2 … allocations, until it needs no more.
void starve(const char* name, inlay_status in_the_end, const std::function<inlay_status(inlay_error**)>& call) {
  constexpr long most = 20000;
  for (long allowance = 0; allowance <= most; ++allowance) {
    inlay_error* error = nullptr;
    allocations_left = allowance;
    const inlay_status status = call(&error);
    const bool enough = allocations_left > 0;
    allocations_left = -1;
    const std::string where = std::string(name) + " with " + std::to_string(allowance) + " allocations: " + inlay_error_message(error);
    check(inlay_error_status(error) == status, where + " (the error's status)");
    check(status == INLAY_OK || std::strlen(inlay_error_message(error)) > 0, where + " (the error's message)");
    // An error that was found may come without its own words; what else can go wrong is memory alone.
    check(status == in_the_end || status == INLAY_OUT_OF_MEMORY, where + " (" + inlay_status_name(status) + ")");
    inlay_error_free(error);
    if (enough) {
      check(status == in_the_end, where + " (in the end)");
      std::printf("%s: survived %ld failing allocations\n", name, allowance);
      return;
    }
  }
  check(false, std::string(name) + " never had enough memory");
}

}  // namespace

int main(int argc, char** argv) {
  inlay_generator* generator = nullptr;
  inlay_cancel_token* token = nullptr;
  starve("create a token", INLAY_OK, [&](inlay_error** error) {
    inlay_cancel_token_free(token);
    return inlay_cancel_token_create(&token, error);
  });
  inlay_cancel_token_free(token);
  starve("load from nowhere", INLAY_NOT_FOUND, [&](inlay_error** error) {
    return inlay_generator_load(INLAY_STR("/no/such/model/anywhere/in/the/file/system"), nullptr, &generator, error);
  });
  starve("load with a wrong option", INLAY_INVALID_ARGUMENT, [&](inlay_error** error) {
    inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
    options.pooling = INLAY_STR("a pooling method that nobody has heard of");
    return inlay_generator_load(INLAY_STR("/no/such/model"), &options, &generator, error);
  });
  const std::vector<float> vectors(20, 1.0F);
  starve("top k", INLAY_OK, [&](inlay_error** error) {
    inlay_match matches[10];
    std::size_t found = 0;
    return inlay_top_k(vectors.data(), 2, vectors.data(), 10, 10, matches, &found, error);
  });

  if (argc > 1 && argv[1][0] != '\0') {
    if (inlay_generator_load(inlay_string_from(argv[1]), nullptr, &generator, nullptr) != INLAY_OK) return EXIT_FAILURE;
    const std::vector<inlay_string> texts = {INLAY_STR("open a file"), INLAY_STR("parse JSON")};
    std::vector<float> output(2 * inlay_generator_dimension(generator));
    starve("tokenize", INLAY_OK, [&](inlay_error** error) {
      std::int32_t ids[16];
      return inlay_generator_tokenize(generator, texts[0], 0, ids, 16, nullptr, nullptr, error);
    });
    starve("embed", INLAY_OK, [&](inlay_error** error) {
      return inlay_generator_embed(generator, texts.data(), texts.size(), nullptr, output.data(), output.size(), nullptr, error);
    });
    starve("embed a query", INLAY_OK, [&](inlay_error** error) {
      return inlay_generator_embed_query(generator, texts[0], INLAY_QUERY_CODE_SEARCH, output.data(), output.size(), nullptr, error);
    });
    starve("info", INLAY_OK, [&](inlay_error** error) {
      inlay_model_info info = INLAY_MODEL_INFO_INIT;
      return inlay_generator_info(generator, &info, error);
    });
    inlay_generator_free(generator);
  }
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
