// Names of the options' values, and the library's version.
#include "inlay/options.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "inlay/error.hpp"
#include "inlay/version.hpp"

namespace inlay {
namespace {

constexpr std::array<std::pair<Pooling, std::string_view>, 9> pooling_names = {{{Pooling::mean, "mean"},
                                                                                {Pooling::cls, "cls"},
                                                                                {Pooling::max, "max"},
                                                                                {Pooling::mean_sqrt_len, "mean_sqrt_len_tokens"},
                                                                                {Pooling::weighted_mean, "weightedmean"},
                                                                                {Pooling::last_token, "lasttoken"},
                                                                                // also understood:
                                                                                {Pooling::mean_sqrt_len, "mean_sqrt_len"},
                                                                                {Pooling::weighted_mean, "weighted_mean"},
                                                                                {Pooling::last_token, "last_token"}}};

}  // namespace

std::string_view version() noexcept { return INLAY_VERSION_STRING; }

Device Device::parse(std::string_view text) {
  if (text == "auto") return automatic();
  if (text == "cpu") return cpu();
  if (text == "cuda") return cuda();
  constexpr std::string_view prefix = "cuda:";
  if (text.starts_with(prefix)) {
    int index = -1;
    const auto [end, error] = std::from_chars(text.data() + prefix.size(), text.data() + text.size(), index);
    if (error == std::errc() && end == text.data() + text.size() && index >= 0) return cuda(index);
  }
  throw Error(Status::invalid_argument, fmt::format("unknown device \"{}\"; known: auto, cpu, cuda, cuda:N", text));
}

std::string to_string(Device device) {
  switch (device.type) {
    case DeviceType::cpu: return "cpu";
    case DeviceType::cuda: return fmt::format("cuda:{}", device.index);
    case DeviceType::automatic: break;
  }
  return "auto";
}

std::string_view to_string(Precision) noexcept { return "fp32"; }

std::string_view to_string(Pooling pooling) noexcept {
  for (const auto& [value, name] : pooling_names) {
    if (value == pooling) return name;
  }
  return "unknown";
}

Pooling parse_pooling(std::string_view name) {
  for (const auto& [value, known] : pooling_names) {
    if (known == name) return value;
  }
  throw Error(Status::invalid_argument,
              fmt::format("Invalid pooling method \"{}\"; known: mean, cls, max, mean_sqrt_len_tokens, weightedmean, lasttoken", name));
}

std::string_view to_string(LongText policy) noexcept {
  switch (policy) {
    case LongText::truncate: return "truncate";
    case LongText::average: return "average";
    case LongText::error: return "error";
  }
  return "unknown";
}

LongText parse_long_text(std::string_view name) {
  for (const LongText policy : {LongText::truncate, LongText::average, LongText::error}) {
    if (to_string(policy) == name) return policy;
  }
  throw Error(Status::invalid_argument, fmt::format("unknown policy for long texts \"{}\"; known: truncate, average, error", name));
}

}  // namespace inlay
