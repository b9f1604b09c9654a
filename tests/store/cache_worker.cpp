// One process of test_cache_processes: cache_worker [nobody] insert|flush|read URL FIRST COUNT BATCH
//
//   insert   inserts entries FIRST to FIRST + COUNT, BATCH at a time; writes how many are in after each insert that has returned
//   flush    the same, with a flush after each insert
//   read     looks all of them up again and again until its input ends; writes how many it found at last
//
// Nothing but numbers on standard output; warnings on standard error, where the test expects none. Exit status 3: a wrong vector.
#include <poll.h>
#include <unistd.h>

#include <inlay/log.hpp>
#include <inlay/vector_cache.hpp>
#include <iostream>
#include <string>

#include "store/cache_keys.hpp"

using namespace inlay;
using namespace inlay::test;

namespace {

bool input_has_ended() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 0) > 0;
}

void say(std::size_t number) {
  const std::string line = std::to_string(number) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(4);
}

void insert(VectorCache& cache, std::size_t first, std::size_t count, std::size_t batch, bool flush) {
  const CacheModel model = cache_test_model();
  for (std::size_t done = 0; done < count; done += batch) {
    cache.insert(model, cache_entries(model, first + done, std::min(batch, count - done)));
    if (flush) cache.flush();
    say(std::min(done + batch, count));
  }
}

// How many are known; nothing is what a wrong vector counts as.
std::size_t look_up(VectorCache& cache, std::size_t first, std::size_t count, std::size_t batch) {
  const CacheModel model = cache_test_model();
  std::size_t found = 0;
  for (std::size_t done = 0; done < count; done += batch) {
    const CacheLookup lookup = look_up_entries(cache, model, first + done, std::min(batch, count - done));
    if (lookup.wrong > 0) std::exit(3);
    found += lookup.found;
  }
  return found;
}

int run(const std::string& mode, const std::string& url, std::size_t first, std::size_t count, std::size_t batch) {
  const auto cache = open_cache(url, {.memory_bytes = mode == "read" ? std::size_t{0} : std::size_t{64} << 20});
  if (mode != "read") {
    insert(*cache, first, count, batch, mode == "flush");
    return 0;
  }
  while (!input_has_ended()) look_up(*cache, first, count, batch);
  say(look_up(*cache, first, count, batch));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool as_nobody = argc > 1 && std::string(argv[1]) == "nobody";
  if (as_nobody) {
    constexpr unsigned nobody = 65534;
    if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) return 77;
  }
  const int next = as_nobody ? 2 : 1;
  if (argc - next != 5) return 2;
  set_log_callback([](LogLevel level, std::string_view message) {
    if (level == LogLevel::warning) std::cerr << message << "\n";
  });
  const int status = run(argv[next], argv[next + 1], std::stoul(argv[next + 2]), std::stoul(argv[next + 3]), std::stoul(argv[next + 4]));
  std::cout.flush();
  if (as_nobody) ::_exit(status);  // a build that counts lines would complain that it may not write the counts
  return status;
}
