#include <inlay/error.hpp>
#include <inlay/options.hpp>

#include "support/catch.hpp"

using namespace inlay;

TEST_CASE("a device's text form parses back") {
  for (const Device device : {Device::automatic(), Device::cpu(), Device::cuda(), Device::cuda(3)}) {
    CHECK(Device::parse(to_string(device)) == device);
  }
  CHECK(Device::parse("cuda") == Device::cuda(0));
}

TEST_CASE("an unknown device is an error that names it") {
  for (const char* text : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "CPU"}) {
    CHECK_THROWS_WITH(Device::parse(text), Catch::Contains("unknown device \"" + std::string(text) + "\""));
  }
}

TEST_CASE("a pooling's name parses back, and the guide's spellings are understood") {
  for (const Pooling pooling :
       {Pooling::mean, Pooling::cls, Pooling::max, Pooling::mean_sqrt_len, Pooling::weighted_mean, Pooling::last_token}) {
    CHECK(parse_pooling(to_string(pooling)) == pooling);
  }
  CHECK(parse_pooling("last_token") == Pooling::last_token);
  CHECK_THROWS_WITH(parse_pooling("median"), Catch::Contains("Invalid pooling method \"median\""));
}

TEST_CASE("a policy for long texts parses back") {
  for (const LongText policy : {LongText::truncate, LongText::average, LongText::error})
    CHECK(parse_long_text(to_string(policy)) == policy);
  CHECK_THROWS_WITH(parse_long_text("cut"), Catch::Contains("\"cut\""));
}
