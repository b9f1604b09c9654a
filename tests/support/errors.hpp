// What a failing call must do: throw inlay::Error with this status and a one-line message that names the culprit.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "inlay/error.hpp"
#include "support/catch.hpp"

namespace inlay::test {

/// Runs `call` and checks its Error; every one of `named` must stand in the message.
inline void check_error(Status status, std::initializer_list<std::string_view> named, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    const std::string message = error.what();
    CAPTURE(message);
    CHECK(std::string(to_string(error.status())) == std::string(to_string(status)));
    CHECK(message.find('\n') == std::string::npos);
    CHECK(!message.ends_with('.'));
    for (const std::string_view part : named) {
      CAPTURE(part);
      CHECK(message.find(part) != std::string::npos);
    }
    return;
  }
  FAIL_CHECK("nothing was thrown");
}

}  // namespace inlay::test
