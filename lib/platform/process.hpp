// The process itself.
#pragma once

#include <cstdint>
#include <filesystem>

namespace inlay::platform {

/// Differs between a process and the children that it forks.
[[nodiscard]] std::uint64_t process_id() noexcept;

/// The user's: HOME, else what the system knows of the user; empty where neither says. Throws std::bad_alloc.
[[nodiscard]] std::filesystem::path home_folder();

/// As long as it stands, writing to a connection that the other side has closed raises no SIGPIPE in the calling thread, whatever the
/// process has set for that signal.
class PipeSignalBlock {
 public:
  PipeSignalBlock() noexcept;
  ~PipeSignalBlock();
  PipeSignalBlock(const PipeSignalBlock&) = delete;
  PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;

 private:
  bool ours_ = false;  // blocked by us, with none waiting
};

}  // namespace inlay::platform
