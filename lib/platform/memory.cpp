#include "platform/memory.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

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

std::shared_ptr<std::byte> allocate_large(std::size_t bytes) {
  constexpr std::size_t huge_page = std::size_t{2} << 20;
  const std::size_t size = bytes + huge_page;  // so that it can begin where a huge page does
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  std::shared_ptr<void> whole(address, [size](void* begin) { ::munmap(begin, size); });
  const std::size_t skipped = (huge_page - reinterpret_cast<std::uintptr_t>(address) % huge_page) % huge_page;
  std::byte* begin = static_cast<std::byte*>(address) + skipped;
  ::madvise(begin, bytes, MADV_HUGEPAGE);  // refused where there are none
  return {std::move(whole), begin};
}

}  // namespace inlay::platform
