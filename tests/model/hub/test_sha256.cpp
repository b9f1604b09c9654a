#include <string>

#include "model/hub/sha256.hpp"
#include "support/catch.hpp"

using inlay::model::hub::Sha256;

namespace {

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.digest();
}

}  // namespace

TEST_CASE("SHA-256 gives the digests of FIPS 180-4's examples") {
  // https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the bytes arrive") {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>(i * 7);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const std::string_view whole = std::string_view(bytes).substr(0, length);
    for (const std::size_t first : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}}) {
      if (first > length) continue;
      Sha256 hash;
      hash.update(whole.substr(0, first));
      static_cast<void>(hash.digest());  // asking in between changes nothing
      hash.update(whole.substr(first));
      CHECK(hash.digest() == sha256(whole));
    }
  }
}
