#include "error.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <new>
#include <utility>

struct inlay_error {
  inlay_status status;
  const char* message;
  bool owned;  ///< an OwnedError; else static, and not freed
};

namespace {

struct OwnedError : inlay_error {
  OwnedError(inlay_status number, std::string message_text, inlay::capi::ItemMessages item_messages)
      : inlay_error{number, nullptr, true}, text(std::move(message_text)), items(std::move(item_messages)) {
    message = text.c_str();
  }

  std::string text;
  inlay::capi::ItemMessages items;
};

}  // namespace

namespace inlay::capi {
namespace {

// The C names' numbers are the C++ ones.
static_assert(INLAY_OK == static_cast<int>(Status::ok));
static_assert(INLAY_INVALID_ARGUMENT == static_cast<int>(Status::invalid_argument));
static_assert(INLAY_NOT_FOUND == static_cast<int>(Status::not_found));
static_assert(INLAY_IO_ERROR == static_cast<int>(Status::io_error));
static_assert(INLAY_INVALID_MODEL == static_cast<int>(Status::invalid_model));
static_assert(INLAY_INVALID_DATA == static_cast<int>(Status::invalid_data));
static_assert(INLAY_UNSUPPORTED == static_cast<int>(Status::unsupported));
static_assert(INLAY_OUT_OF_MEMORY == static_cast<int>(Status::out_of_memory));
static_assert(INLAY_CANCELLED == static_cast<int>(Status::cancelled));
static_assert(INLAY_BUFFER_TOO_SMALL == static_cast<int>(Status::buffer_too_small));
static_assert(INLAY_INTERNAL == static_cast<int>(Status::internal));

constexpr std::size_t status_count = INLAY_INTERNAL + 1;

/// What is given out, by status, when memory does not suffice for an error with a message of its own.
constinit std::array<inlay_error, status_count> static_errors = [] {
  std::array<inlay_error, status_count> errors{};
  for (std::size_t number = 0; number < status_count; ++number) {
    errors[number] = {static_cast<inlay_status>(number), to_string(static_cast<Status>(number)).data(), false};
  }
  return errors;
}();

inlay_status report(inlay_error** error, Status status, const char* message, ItemMessages items = {}) noexcept {
  const auto number = static_cast<inlay_status>(status);
  if (error == nullptr) return number;
  try {
    *error = new OwnedError(number, message, std::move(items));
  } catch (const std::bad_alloc&) {
    *error = &static_errors[static_cast<std::size_t>(number)];
  }
  return number;
}

}  // namespace

inlay_status report_current_exception(inlay_error** error) noexcept {
  try {
    throw;
  } catch (ItemsFailed& failed) {
    return report(error, failed.status(), failed.what(), std::move(failed.items()));
  } catch (const Error& failed) {
    return report(error, failed.status(), failed.what());
  } catch (const std::bad_alloc&) {
    return report(error, Status::out_of_memory, "out of memory");
  } catch (const std::exception& failed) {
    return report(error, Status::internal, failed.what());
  } catch (...) {
    return report(error, Status::internal, "an exception that is no std::exception");
  }
}

}  // namespace inlay::capi

extern "C" {

const char* inlay_status_name(inlay_status status) { return inlay::to_string(static_cast<inlay::Status>(status)).data(); }

inlay_status inlay_error_status(const inlay_error* error) { return error == nullptr ? INLAY_OK : error->status; }

const char* inlay_error_message(const inlay_error* error) { return error == nullptr ? "" : error->message; }

const char* inlay_error_item_message(const inlay_error* error, size_t index) {
  if (error == nullptr || !error->owned) return "";
  const inlay::capi::ItemMessages& items = static_cast<const OwnedError*>(error)->items;
  const auto found =
      std::lower_bound(items.begin(), items.end(), index, [](const auto& item, std::size_t wanted) { return item.first < wanted; });
  return found != items.end() && found->first == index ? found->second.c_str() : "";
}

void inlay_error_free(inlay_error* error) {
  if (error != nullptr && error->owned) delete static_cast<OwnedError*>(error);
}

}  // extern "C"
