// What download() makes of leftovers and answers, without a server. With one: test_pull.py.
#include "inlay/hub.hpp"
#include "model/hub/download.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::model::hub;

TEST_CASE("a stop ends the check of what an earlier download left") {
  const test::TemporaryFolder folder;
  test::write(folder / "blob.incomplete", std::string(std::size_t{2} << 20, 'x'));
  std::stop_source stop;
  stop.request_stop();
  HttpClient client("http://127.0.0.1:9", "", stop.get_token());
  const RemoteFile file{.name = "model.safetensors", .etag = std::string(64, 'a'), .size = std::uint64_t{4} << 20};
  bool checked = false;
  const Download job{.client = client,
                     .file = file,
                     .url = "http://127.0.0.1:9/",
                     .patience = std::chrono::seconds(1),
                     .tries = 1,
                     .stop = stop.get_token(),
                     .on_bytes = [&](std::uint64_t) { checked = true; }};
  test::check_error(Status::cancelled, {"model.safetensors"},
                    [&] { static_cast<void>(download(job, folder / "blob.incomplete", folder / "blob")); });
  CHECK(!checked);
  CHECK(test::read(folder / "blob.incomplete").size() == std::size_t{2} << 20);
}
