// Errors: one exception type, one status enumeration.
//
// Every function of the library reports failure by throwing inlay::Error. The message is one line that names the file, the item or the
// value at fault. Failures of single items in a batch are not exceptions: they are values in the batch's report (see generator.hpp).
// The library never prints, exits or aborts.
//
//   try { auto generator = inlay::EmbeddingGenerator::load("models/all-MiniLM-L6-v2"); }
//   catch (const inlay::Error& error) { std::cerr << error.what() << " (" << inlay::to_string(error.status()) << ")\n"; }
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace inlay {

/// What went wrong. The numbers are those of the C ABI's inlay_status and are fixed for ever.
enum class Status : std::int32_t {
  ok = 0,
  invalid_argument = 1,  ///< a value that the caller passed is outside its range
  not_found = 2,         ///< a file, folder or model does not exist
  io_error = 3,          ///< reading or writing failed: permissions, a full disk, a broken device
  invalid_model = 4,     ///< a model's files are damaged or contradict one another
  invalid_data = 5,      ///< an input file that is not a model's is damaged: a set, a corpus, JSON
  unsupported = 6,       ///< well-formed, but nothing that this build can do: an architecture, a device
  out_of_memory = 7,     ///< memory, of the host or of the device, did not suffice
  cancelled = 8,         ///< the caller asked to stop
  buffer_too_small = 9,  ///< a caller's buffer cannot hold the result (C ABI)
  internal = 10,         ///< a defect of the library; please report it
};

/// The enumerator's name, as in the C ABI without its prefix: "invalid_model". "unknown" for a number that is none of them.
constexpr std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::ok: return "ok";
    case Status::invalid_argument: return "invalid_argument";
    case Status::not_found: return "not_found";
    case Status::io_error: return "io_error";
    case Status::invalid_model: return "invalid_model";
    case Status::invalid_data: return "invalid_data";
    case Status::unsupported: return "unsupported";
    case Status::out_of_memory: return "out_of_memory";
    case Status::cancelled: return "cancelled";
    case Status::buffer_too_small: return "buffer_too_small";
    case Status::internal: return "internal";
  }
  return "unknown";
}

class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string& message) : std::runtime_error(message), status_(status) {}

  [[nodiscard]] Status status() const noexcept { return status_; }

 private:
  Status status_;
};

}  // namespace inlay
