// SHA-256 (FIPS 180-4) of bytes that arrive in pieces.
//
// Sixty lines of our own rather than OpenSSL's libcrypto: libcurl's development package brings no headers of it (nor need libcurl be built
// on it), and a second copy of that library in a host's process is a frequent cause of trouble. At about 300 MB/s it is faster than
// networks are.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace inlay::model::hub {

class Sha256 {
 public:
  void update(std::string_view bytes) noexcept;
  /// The digest of all so far, as 64 hexadecimal digits in lower case; more may follow.
  [[nodiscard]] std::string digest() const;

 private:
  void add_block(const unsigned char* block) noexcept;

  // The first 32 bits of the fractional parts of the square roots of the first eight primes.
  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> block_{};
  std::size_t filled_ = 0;    // bytes of block_
  std::uint64_t length_ = 0;  // bytes of all
};

}  // namespace inlay::model::hub
