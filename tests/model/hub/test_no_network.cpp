#include "inlay/hub.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

TEST_CASE("a build without network says so when it is asked to fetch") {
  inlay::test::check_error(inlay::Status::unsupported, {"sentence-transformers/all-MiniLM-L6-v2", "INLAY_HUB=OFF"},
                           [] { static_cast<void>(inlay::pull_model("minilm")); });
}
