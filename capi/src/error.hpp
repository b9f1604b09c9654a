// The border between exceptions and statuses: every function that can fail runs its body in guard().
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "inlay.h"
#include "inlay/error.hpp"

namespace inlay::capi {

/// Why single items failed, by index in rising order.
using ItemMessages = std::vector<std::pair<std::size_t, std::string>>;

/// Some items of a call failed; its status and message are those of the call.
class ItemsFailed : public Error {
 public:
  ItemsFailed(Status status, const std::string& message, ItemMessages items) : Error(status, message), items_(std::move(items)) {}

  [[nodiscard]] ItemMessages& items() noexcept { return items_; }

 private:
  ItemMessages items_;
};

/// The status of the exception being handled; *error, where it is given, becomes its error. Falls back to a static error without memory.
inlay_status report_current_exception(inlay_error** error) noexcept;

template <class Body>
inlay_status guard(inlay_error** error, Body&& body) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    body();
    return INLAY_OK;
  } catch (...) {
    return report_current_exception(error);
  }
}

}  // namespace inlay::capi
