// Ctrl-C and SIGTERM. As long as nothing is being computed or written they end the program at once; while a StopScope stands they ask for a
// clean stop, and a second one ends the program after all.
#pragma once

#include <stop_token>

namespace inlay::cli {

class Interrupt {
 public:
  /// Takes the two signals over. Called once, before any thread is started: those that follow inherit that they are blocked.
  static void listen();
};

class StopScope {
 public:
  StopScope();
  ~StopScope();
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

  [[nodiscard]] std::stop_token token() const;
};

}  // namespace inlay::cli
