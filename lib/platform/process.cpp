#include "platform/process.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace inlay::platform {

std::uint64_t process_id() noexcept { return static_cast<std::uint64_t>(::getpid()); }

std::filesystem::path home_folder() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(16'384, '\0');  // as sysconf(_SC_GETPW_R_SIZE_MAX) suggests, and more
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr || found->pw_dir == nullptr)
    return {};
  return found->pw_dir;
}

}  // namespace inlay::platform
