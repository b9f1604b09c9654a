// Caches that several processes use at once, and processes that are killed. The processes are cache_worker's.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include "store/cache_support.hpp"

using namespace inlay;
using namespace inlay::test;
namespace fs = std::filesystem;

namespace {

const CacheModel model = cache_test_model();

class Worker {
 public:
  explicit Worker(const std::vector<std::string>& arguments) : errors_(folder_ / "errors") {
    int to_worker[2];
    int from_worker[2];
    REQUIRE(::pipe2(to_worker, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(from_worker, O_CLOEXEC) == 0);
    std::vector<char*> argv = {const_cast<char*>(INLAY_CACHE_WORKER)};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      const int errors = ::open(errors_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(to_worker[0], STDIN_FILENO);
      ::dup2(from_worker[1], STDOUT_FILENO);
      ::dup2(errors, STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(to_worker[0]);
    ::close(from_worker[1]);
    input_ = to_worker[1];
    output_ = from_worker[0];
  }
  ~Worker() {
    if (process_ > 0) {
      kill();
      wait();
    }
    end_input();
    ::close(output_);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void kill() const { ::kill(process_, SIGKILL); }
  void end_input() {
    if (input_ >= 0) ::close(input_);
    input_ = -1;
  }
  /// Until it has written so many lines.
  void wait_for_lines(std::size_t lines) {
    while (static_cast<std::size_t>(std::ranges::count(written_, '\n')) < lines && read_some()) {
    }
  }
  /// Its exit status, or the number of the signal that ended it, negative.
  int wait() {
    while (read_some()) {
    }
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  /// The last number that it wrote; 0 when there is none.
  [[nodiscard]] std::size_t last_number() const {
    const std::size_t end = written_.rfind('\n');
    if (end == std::string::npos || end == 0) return 0;
    const std::size_t begin = written_.rfind('\n', end - 1);
    return std::stoul(written_.substr(begin == std::string::npos ? 0 : begin + 1));
  }
  [[nodiscard]] std::string errors() const { return read(errors_); }

 private:
  bool read_some() {
    char buffer[4096];
    const ssize_t count = ::read(output_, buffer, sizeof buffer);
    if (count > 0) written_.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }

  TemporaryFolder folder_;
  fs::path errors_;
  pid_t process_ = 0;
  int input_ = -1;
  int output_ = -1;
  std::string written_;
};

}  // namespace

TEST_CASE("two processes write one cache while a third reads: nothing is lost, and nobody is told of trouble") {
  const std::string kind = GENERATE("sqlite", "json");
  CAPTURE(kind);
  const TemporaryFolder folder;
  const std::string url = kind + ":" + (folder / "new" / "cache").string();
  const std::size_t each = kind == "json" ? 500 : 3000;
  const std::string mode = kind == "json" ? "flush" : "insert";
  Worker reader({"read", url, "0", std::to_string(2 * each), "100"});
  Worker first({mode, url, "0", std::to_string(each), "10"});
  Worker second({mode, url, std::to_string(each), std::to_string(each), "10"});
  CHECK(first.wait() == 0);
  CHECK(second.wait() == 0);
  reader.end_input();
  CHECK(reader.wait() == 0);
  CHECK(reader.last_number() == 2 * each);
  for (const Worker* worker : {&reader, &first, &second}) CHECK(worker->errors().empty());
  const auto cache = open_cache(url, no_memory);
  CHECK(count_found(*cache, model, 0, 2 * each) == 2 * each);
  CHECK(cache->verify().ok());
  CHECK(cache->statistics().entries == 2 * each);
}

TEST_CASE("processes that make one cache at the same moment") {
  const TemporaryFolder folder;
  for (int round = 0; round < 10; ++round) {
    const std::string url = (folder / std::to_string(round)).string();
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::size_t i = 0; i < 4; ++i) {
      workers.push_back(std::make_unique<Worker>(std::vector<std::string>{"insert", url, std::to_string(i * 10), "10", "10"}));
    }
    for (const auto& worker : workers) {
      CHECK(worker->wait() == 0);
      CHECK(worker->errors().empty());
    }
    CHECK(count_found(*open_cache(url), model, 0, 40) == 40);
  }
}

TEST_CASE("a writer killed at any moment leaves a whole cache, with all that it was told is in") {
  const std::string kind = GENERATE("sqlite", "json");
  CAPTURE(kind);
  const TemporaryFolder folder;
  const LogCapture log;
  const std::string url = kind + ":" + (folder / "cache").string();
  const std::string mode = kind == "json" ? "flush" : "insert";
  std::size_t known = 0;
  for (std::size_t round = 0; round < 40; ++round) {
    CAPTURE(round);
    Worker writer({mode, url, std::to_string(known), "100000", kind == "json" ? "3" : "17"});
    // From before it has made the file to far into its work.
    if (round > 5) writer.wait_for_lines(round % 7 + 1);
    std::this_thread::sleep_for(std::chrono::microseconds(round * 137 % 9000));
    writer.kill();
    CHECK(writer.wait() == -SIGKILL);
    CHECK(writer.errors().empty());
    known += writer.last_number();
    const auto cache = open_cache(url, no_memory);
    const CacheCheck check = cache->verify();
    CHECK(check.ok());
    CHECK(check.entries >= known);
    CHECK(count_found(*cache, model, 0, known) == known);
  }
  CHECK(known > 100);
  CHECK(log.warnings().empty());
}

TEST_CASE("a user who may not write reads the cache, and goes on in memory") {
  const std::string kind = GENERATE("sqlite", "json");
  CAPTURE(kind);
  if (::getuid() != 0) {
    WARN("skipped: only root can become another user");
    return;
  }
  const TemporaryFolder folder;
  const std::string url = kind + ":" + (folder / "cache").string();
  open_cache(url)->insert(model, cache_entries(model, 0, 50));
  fs::permissions(folder.path(), fs::perms(0755));
  fs::permissions(folder / "cache", fs::perms(0644));
  const std::string before = read(folder / "cache");
  Worker reader({"nobody", "read", url, "0", "60", "60"});
  reader.end_input();
  CHECK(reader.wait() == 0);
  CHECK(reader.last_number() == 50);
  CHECK(reader.errors().empty());
  Worker writer({"nobody", "insert", url, "50", "10", "5"});
  CHECK(writer.wait() == 0);
  CHECK(writer.last_number() == 10);
  CHECK(writer.errors().find("going on in memory") != std::string::npos);
  CHECK(writer.errors().find("10 vectors are lost") != std::string::npos);
  CHECK(read(folder / "cache") == before);
}
