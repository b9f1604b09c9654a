// Expected folders are those that huggingface_hub's constants.py computes from the same variables.
#include <string>

#include "inlay/hub.hpp"
#include "model/hub/environment.hpp"
#include "model/hub/environment_guard.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"

using namespace inlay;
using namespace inlay::model::hub;
using test::EnvironmentGuard;
using test::Variables;

TEST_CASE("the cache lies where the first of the variables says") {
  const auto cache = [](const Variables& variables) {
    const EnvironmentGuard environment(variables);
    return hub_cache().string();
  };
  CHECK(cache({{"HOME", "/h"}}) == "/h/.cache/huggingface/hub");
  CHECK(cache({{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}}) == "/x/huggingface/hub");
  CHECK(cache({{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}, {"HF_HOME", "/f"}}) == "/f/hub");
  CHECK(cache({{"HOME", "/h"}, {"HF_HOME", "/f"}, {"HUGGINGFACE_HUB_CACHE", "/old"}}) == "/old");
  CHECK(cache({{"HOME", "/h"}, {"HF_HOME", "/f"}, {"HUGGINGFACE_HUB_CACHE", "/old"}, {"HF_HUB_CACHE", "/c"}}) == "/c");
  CHECK(cache({{"HOME", "/h"}, {"HF_HOME", ""}, {"HF_HUB_CACHE", ""}}) == "/h/.cache/huggingface/hub");
}

TEST_CASE("home and variables are replaced in paths") {
  const EnvironmentGuard environment(Variables{{"HOME", "/h"}, {"SCRATCH", "/s"}});
  CHECK(expanded("~/a") == "/h/a");
  CHECK(expanded("~") == "/h");
  CHECK(expanded("~a/b") == "~a/b");
  CHECK(expanded("$SCRATCH/a") == "/s/a");
  CHECK(expanded("/x${SCRATCH}y") == "/x/sy");
  CHECK(expanded("/a/$NOT_THERE/${NOR_THIS}/$/${") == "/a/$NOT_THERE/${NOR_THIS}/$/${");
}

TEST_CASE("without HOME the system knows the user's folder") {
  const EnvironmentGuard environment(Variables{});
  ::unsetenv("HOME");
  CHECK(hub_cache().is_absolute());
}

TEST_CASE("offline is what huggingface_hub takes for true") {
  for (const char* value : {"1", "on", "Yes", "TRUE"}) {
    const EnvironmentGuard environment(Variables{{"HF_HUB_OFFLINE", value}});
    CHECK(is_offline());
  }
  for (const char* value : {"0", "off", "", "2"}) {
    const EnvironmentGuard environment(Variables{{"HF_HUB_OFFLINE", value}});
    CHECK(!is_offline());
  }
  const EnvironmentGuard environment(Variables{{"TRANSFORMERS_OFFLINE", "1"}});
  CHECK(is_offline());
}

TEST_CASE("the token comes from the first place that has one") {
  const test::TemporaryFolder folder;
  test::write(folder / "token", "  hf_file\r\n");
  test::write(folder / "other", "hf_other");
  const std::string home = folder.path().string();
  const auto found = [](const Variables& variables) {
    const EnvironmentGuard environment(variables);
    return token().value_or("none");
  };
  CHECK(found({{"HF_HOME", home + "/nowhere"}}) == "none");
  CHECK(found({{"HF_HOME", home}}) == "hf_file");
  CHECK(found({{"HF_HOME", home}, {"HF_TOKEN_PATH", home + "/other"}}) == "hf_other");
  CHECK(found({{"HF_HOME", home}, {"HUGGING_FACE_HUB_TOKEN", "hf_old"}}) == "hf_old");
  CHECK(found({{"HF_HOME", home}, {"HUGGING_FACE_HUB_TOKEN", "hf_old"}, {"HF_TOKEN", " hf_new\n"}}) == "hf_new");
  CHECK(found({{"HF_HOME", home}, {"HF_TOKEN", "hf_new"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}) == "none");
}

TEST_CASE("the endpoint has no slash at its end") {
  {
    const EnvironmentGuard environment(Variables{{"HF_ENDPOINT", "https://mirror.example//"}});
    CHECK(endpoint() == "https://mirror.example");
  }
  const EnvironmentGuard environment(Variables{});
  CHECK(endpoint() == "https://huggingface.co");
}

TEST_CASE("timeouts are whole seconds") {
  {
    const EnvironmentGuard environment(Variables{{"HF_HUB_ETAG_TIMEOUT", "3"}, {"HF_HUB_DOWNLOAD_TIMEOUT", "0"}});
    CHECK(timeouts().metadata.count() == 3);
    CHECK(timeouts().download.count() == 10);
  }
  for (const char* value : {"-1", "1.5", "ten", "99999999999999999999", "3 "}) {
    const EnvironmentGuard environment(Variables{{"HF_HUB_DOWNLOAD_TIMEOUT", value}});
    test::check_error(Status::invalid_argument, {"HF_HUB_DOWNLOAD_TIMEOUT", value}, [] { static_cast<void>(timeouts()); });
  }
}
