#include "tokenize/pattern.hpp"

#include <fmt/format.h>
#include <oniguruma.h>

#include <mutex>

#include "inlay/error.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {
namespace {

const UChar* bytes(const char* text) noexcept { return reinterpret_cast<const UChar*>(text); }

std::string message(int code, const OnigErrorInfo* info) {
  UChar buffer[ONIG_MAX_ERROR_MESSAGE_LEN];
  const int length = onig_error_code_to_str(buffer, code, info);
  return {reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(std::max(length, 0))};
}

}  // namespace

class Pattern::Regex {
 public:
  Regex(std::string_view expression, std::string_view where) : expression_(expression) {
    static std::once_flag once;
    std::call_once(once, [] {
      OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
      onig_initialize(encodings, 1);
      onig_set_parse_depth_limit(200);  // its default, 4,096, is more stack than a thread may have
    });
    OnigErrorInfo info{};
    const int result = onig_new(&regex_, bytes(expression.data()), bytes(expression.data() + expression.size()), ONIG_OPTION_NONE,
                                ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &info);
    if (result != ONIG_NORMAL) {
      throw Error(Status::invalid_model,
                  fmt::format("{} is not a regular expression: {}: \"{}\"", where, message(result, &info), expression.substr(0, 200)));
    }
  }
  ~Regex() { onig_free(regex_); }
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // The first match at or behind `position`; false where there is none.
  bool search(std::string_view text, std::size_t position, std::size_t& begin, std::size_t& end) const {
    struct RegionDeleter {
      void operator()(OnigRegion* region) const noexcept { onig_region_free(region, 1); }
    };
    struct ParameterDeleter {
      void operator()(OnigMatchParam* parameter) const noexcept { onig_free_match_param(parameter); }
    };
    const std::unique_ptr<OnigRegion, RegionDeleter> region(onig_region_new());
    const std::unique_ptr<OnigMatchParam, ParameterDeleter> parameter(onig_new_match_param());
    if (!region || !parameter) throw std::bad_alloc();
    onig_initialize_match_param(parameter.get());
    onig_set_retry_limit_in_search_of_match_param(parameter.get(), retry_limit);
    const UChar* first = bytes(text.data());
    const UChar* last = first + text.size();
    const int result = onig_search_with_param(regex_, first, last, first + position, last, region.get(), ONIG_OPTION_NONE, parameter.get());
    if (result == ONIG_MISMATCH) return false;
    if (result < 0) {
      throw Error(Status::unsupported, fmt::format("the tokenizer's regular expression \"{}\" failed on a text of {} bytes: {}",
                                                   std::string_view(expression_).substr(0, 200), text.size(), message(result, nullptr)));
    }
    begin = static_cast<std::size_t>(region->beg[0]);
    end = static_cast<std::size_t>(region->end[0]);
    return true;
  }

 private:
  static constexpr unsigned long retry_limit = 20'000'000;  // in one search: about a second

  std::string expression_;
  regex_t* regex_ = nullptr;
};

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

Pattern Pattern::regex(std::string_view expression, std::string_view where) {
  Pattern pattern;
  pattern.regex_ = std::make_unique<const Regex>(expression, where);
  return pattern;
}

std::vector<Part> Pattern::split_by_literal(std::string_view text) const {
  std::vector<Part> parts;
  if (literal_.empty()) return {{0, text.size(), false}};
  std::size_t done = 0;
  for (std::size_t found; (found = text.find(literal_, done)) != std::string_view::npos;) {
    if (done < found) parts.push_back({done, found, false});
    done = found + literal_.size();
    parts.push_back({found, done, true});
  }
  if (done < text.size()) parts.push_back({done, text.size(), false});
  return parts;
}

std::vector<Part> Pattern::split(std::string_view text) const {
  if (text.empty()) return {{0, 0, false}};
  if (!regex_) return split_by_literal(text);
  std::vector<Part> parts;
  std::size_t done = 0;
  std::size_t last_match_end = std::string_view::npos;
  for (std::size_t position = 0; position <= text.size();) {
    std::size_t begin = 0;
    std::size_t end = 0;
    if (!regex_->search(text, position, begin, end)) break;
    // An empty match right behind another match does not count: the search goes on one character further.
    const bool counts = begin < end || begin != last_match_end;
    position = end;
    if (begin == end) position += end < text.size() ? text::decode_utf8(text.data() + end).length : 1;
    if (!counts) continue;
    if (done < begin) parts.push_back({done, begin, false});
    parts.push_back({begin, end, true});
    done = end;
    last_match_end = end;
  }
  if (done < text.size()) parts.push_back({done, text.size(), false});
  return parts;
}

}  // namespace inlay::tokenize
