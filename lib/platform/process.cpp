#include "platform/process.hpp"

#include <unistd.h>

namespace inlay::platform {

std::uint64_t process_id() noexcept { return static_cast<std::uint64_t>(::getpid()); }

}  // namespace inlay::platform
