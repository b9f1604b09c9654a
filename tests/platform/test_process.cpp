#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "platform/process.hpp"
#include "support/catch.hpp"

using namespace inlay::platform;

namespace {

volatile std::sig_atomic_t raised = 0;

void write_to_closed_pipe() {
  int ends[2] = {};
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  CHECK(::write(ends[1], "x", 1) == -1);
  ::close(ends[1]);
}

}  // namespace

TEST_CASE("a closed connection raises no signal while the block stands, and does as before afterwards") {
  const auto before = std::signal(SIGPIPE, [](int) { raised = raised + 1; });
  {
    const PipeSignalBlock block;
    {
      const PipeSignalBlock inner;
      write_to_closed_pipe();
    }
    write_to_closed_pipe();
  }
  CHECK(raised == 0);
  write_to_closed_pipe();
  CHECK(raised == 1);
  std::signal(SIGPIPE, before);
}

TEST_CASE("the home folder is HOME, or what the system says") {
  const char* home = std::getenv("HOME");
  const std::string kept = home == nullptr ? "" : home;
  ::setenv("HOME", "/some/where", 1);
  CHECK(home_folder() == "/some/where");
  ::unsetenv("HOME");
  CHECK(home_folder().is_absolute());
  if (home != nullptr) ::setenv("HOME", kept.c_str(), 1);
}
