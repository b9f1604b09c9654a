// What pull_model refuses before it touches disk or network. The downloads themselves: test_pull.py.
#include <filesystem>

#include "inlay/hub.hpp"
#include "model/hub/environment_guard.hpp"
#include "model/hub/http.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"

using namespace inlay;
using test::check_error;

TEST_CASE("options that make no sense are refused") {
  const test::TemporaryFolder folder;
  const test::EnvironmentGuard environment(test::Variables{{"HOME", folder.path().string()}});
  const auto refused = [](std::string_view named, std::string_view name, const PullOptions& options) {
    check_error(Status::invalid_argument, {named}, [&] { static_cast<void>(pull_model(name, options)); });
  };
  const std::string nowhere = "http://127.0.0.1:9";
  refused("is not a model's name", "../x", {.endpoint = nowhere});
  refused("is not a revision", "a/b", {.revision = "..", .endpoint = nowhere});
  refused("is not an http or https URL", "a/b", {.endpoint = "gopher://x"});
  refused("token", "a/b", {.endpoint = nowhere, .token = "two words"});
  refused("tries is 0", "a/b", {.endpoint = nowhere, .tries = 0});
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a stop that was requested before ends the call at once") {
  std::stop_source stop;
  stop.request_stop();
  check_error(Status::cancelled, {"a/b"},
              [&] { static_cast<void>(pull_model("a/b", {.endpoint = "http://127.0.0.1:9", .stop = stop.get_token()})); });
}

TEST_CASE("a server that is not there is named, once where one try is wanted") {
  const test::TemporaryFolder folder;
  const test::EnvironmentGuard environment(test::Variables{{"HOME", folder.path().string()}, {"http_proxy", ""}, {"all_proxy", ""}});
  check_error(Status::io_error, {"a/b", "127.0.0.1"},
              [] { static_cast<void>(pull_model("a/b", {.endpoint = "http://127.0.0.1:9", .tries = 1})); });
}

TEST_CASE("parts of a URL's path are encoded") {
  using model::hub::percent_encoded;
  CHECK(percent_encoded("refs/pr/1") == "refs%2Fpr%2F1");
  CHECK(percent_encoded("a-b._~9Z") == "a-b._~9Z");
  CHECK(percent_encoded("\xc3\xa9 ?#%") == "%C3%A9%20%3F%23%25");
}
