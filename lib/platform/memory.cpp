#include "platform/memory.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace inlay::platform {
namespace {

// A field of /proc/self/status in bytes ("VmRSS:   1234 kB"); 0 where it can't be read. Allocates nothing.
std::size_t status_field(const char* name) noexcept {
  const int file = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[8192];
  const ssize_t count = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (count <= 0) return 0;
  text[count] = '\0';
  const char* field = std::strstr(text, name);
  return field == nullptr ? 0 : std::strtoull(field + std::strlen(name), nullptr, 10) * 1024;
}

}  // namespace

std::size_t resident_bytes() noexcept { return status_field("VmRSS:"); }

std::size_t peak_resident_bytes() noexcept { return status_field("VmHWM:"); }

void release_free_memory() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace inlay::platform
