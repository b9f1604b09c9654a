// Standard input that stops waiting when a stop is requested: it then ends, as if the writer had closed it.
#pragma once

#include <array>
#include <stop_token>
#include <streambuf>

namespace inlay::cli {

class StandardInput final : public std::streambuf {
 public:
  explicit StandardInput(const std::stop_token& stop);
  ~StandardInput() override;
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  // Made before the callback that writes into it, and closed after that has gone.
  struct Pipe {
    Pipe();
    ~Pipe();
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    int ends[2] = {-1, -1};
  };
  struct Wake {
    const Pipe& pipe;
    void operator()() const noexcept;
  };

  int_type underflow() override;

  std::stop_token stop_;
  Pipe pipe_;
  std::stop_callback<Wake> wake_;
  std::array<char, 1 << 16> buffer_{};
};

}  // namespace inlay::cli
