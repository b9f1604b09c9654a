// What needs no generator: version, strings, cancel tokens, similarity, logging.
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "arguments.hpp"
#include "cancel_token.hpp"
#include "error.hpp"
#include "inlay.h"
#include "inlay/log.hpp"
#include "inlay/similarity.hpp"
#include "inlay/version.hpp"

using namespace inlay::capi;

static_assert(INLAY_LOG_DEBUG == static_cast<int>(inlay::LogLevel::debug) && INLAY_LOG_INFO == static_cast<int>(inlay::LogLevel::info) &&
              INLAY_LOG_WARNING == static_cast<int>(inlay::LogLevel::warning));

extern "C" {

const char* inlay_version() { return inlay::version().data(); }

inlay_string inlay_string_from(const char* text) { return {text, text == nullptr ? 0 : std::strlen(text)}; }

inlay_status inlay_cancel_token_create(inlay_cancel_token** token, inlay_error** error) {
  if (token != nullptr) *token = nullptr;
  return guard(error, [&] {
    inlay_cancel_token*& output = required(token, "token");
    output = std::make_unique<inlay_cancel_token>().release();
  });
}

void inlay_cancel_token_cancel(inlay_cancel_token* token) {
  if (token != nullptr) token->source.request_stop();
}

int32_t inlay_cancel_token_cancelled(const inlay_cancel_token* token) { return token != nullptr && token->source.stop_requested() ? 1 : 0; }

void inlay_cancel_token_free(inlay_cancel_token* token) { delete token; }

float inlay_cosine_similarity(const float* a, const float* b, size_t dimension) {
  float similarity = std::numeric_limits<float>::quiet_NaN();
  guard(nullptr, [&] { similarity = inlay::cosine_similarity(array(a, dimension, "a"), array(b, dimension, "b")); });
  return similarity;
}

inlay_status inlay_top_k(const float* query, size_t dimension, const float* vectors, size_t rows, size_t k, inlay_match* matches,
                         size_t* found, inlay_error** error) {
  if (found != nullptr) *found = 0;
  return guard(error, [&] {
    required(found, "found");
    const std::size_t wanted = std::min(k, rows);
    const auto output = array(matches, wanted, "matches");
    require(dimension > 0, "dimension is 0");
    require(rows <= std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float) / dimension, "rows times dimension overflows");
    const auto best = inlay::top_k(array(query, dimension, "query"), array(vectors, rows * dimension, "vectors"), wanted);
    for (std::size_t index = 0; index < best.size(); ++index) output[index] = {best[index].row, best[index].score, 0};
    *found = best.size();
  });
}

inlay_status inlay_set_log_callback(inlay_log_callback callback, void* user_data, inlay_error** error) {
  return guard(error, [&] {
    if (callback == nullptr) return inlay::set_log_callback({});
    inlay::set_log_callback([callback, user_data](inlay::LogLevel level, std::string_view message) {
      callback(static_cast<inlay_log_level>(level), string(message), user_data);
    });
  });
}

}  // extern "C"
