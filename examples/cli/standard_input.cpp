#include "standard_input.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "inlay/error.hpp"

namespace inlay::cli {

StandardInput::Pipe::Pipe() {
  if (::pipe(ends) != 0) throw Error(Status::io_error, std::string("cannot make a pipe: ") + std::strerror(errno));
}

StandardInput::Pipe::~Pipe() {
  for (const int end : ends) ::close(end);
}

void StandardInput::Wake::operator()() const noexcept {
  const char byte = 0;
  [[maybe_unused]] const auto written = ::write(pipe.ends[1], &byte, 1);  // an empty pipe takes it
}

StandardInput::StandardInput(const std::stop_token& stop) : stop_(stop), wake_(stop, Wake{pipe_}) {}

StandardInput::~StandardInput() = default;

StandardInput::int_type StandardInput::underflow() {
  while (!stop_.stop_requested()) {
    pollfd waiting[2] = {{STDIN_FILENO, POLLIN, 0}, {pipe_.ends[0], POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) break;
    if (waiting[1].revents != 0) break;
    const ssize_t count = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) throw Error(Status::io_error, std::string("cannot read standard input: ") + std::strerror(errno));
    if (count == 0) break;
    setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
    return traits_type::to_int_type(buffer_.front());
  }
  return traits_type::eof();
}

}  // namespace inlay::cli
