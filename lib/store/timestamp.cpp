#include "store/timestamp.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace inlay::store {
namespace {

using namespace std::chrono;

constexpr Timestamp last = floor<milliseconds>(system_clock::time_point::max());  // in the year 2262

// A reader that remembers whether anything was not as expected.
class Digits {
 public:
  explicit Digits(std::string_view text) noexcept : rest_(text) {}

  int number(std::size_t digits) noexcept {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') {
        good_ = false;
        return 0;
      }
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  bool accept(std::string_view any_of) noexcept {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(std::string_view any_of) noexcept { good_ = accept(any_of) && good_; }
  // Digits after a decimal point, in thousandths.
  int fraction() noexcept {
    int value = 0;
    int scale = 100;
    good_ = good_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), scale /= 10) {
      value += (rest_.front() - '0') * scale;
    }
    return value;
  }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] bool good() const noexcept { return good_; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

minutes read_offset(Digits& digits) noexcept {
  if (digits.accept("Zz")) return minutes(0);
  const int sign = digits.accept("-") ? -1 : 1;
  if (sign > 0) digits.expect("+");
  const int hour = digits.number(2);
  digits.accept(":");
  return sign * (hours(hour) + minutes(digits.number(2)));
}

}  // namespace

Timestamp clamped(Timestamp time) noexcept { return std::clamp(time, Timestamp(), last); }

std::string to_rfc3339(Timestamp time) {
  time = clamped(time);
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const std::string fraction = clock.subseconds().count() == 0 ? "" : fmt::format(".{:03}", clock.subseconds().count());
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", int(date.year()), unsigned(date.month()), unsigned(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(), fraction);
}

std::optional<Timestamp> parse_timestamp(std::string_view text) noexcept {
  Digits digits(text);
  const year y(digits.number(4));
  digits.expect("-");
  const month m(static_cast<unsigned>(digits.number(2)));
  digits.expect("-");
  const day d(static_cast<unsigned>(digits.number(2)));
  if (!digits.good() || !(y / m / d).ok()) return std::nullopt;
  Timestamp time = sys_days(y / m / d);
  if (digits.at_end()) return clamped(time);
  digits.expect("Tt ");
  time += hours(digits.number(2));
  digits.expect(":");
  time += minutes(digits.number(2));
  if (digits.accept(":")) time += seconds(digits.number(2));
  if (digits.accept(".,")) time += milliseconds(digits.fraction());
  if (!digits.at_end()) time -= read_offset(digits);
  if (!digits.good() || !digits.at_end()) return std::nullopt;
  return clamped(time);
}

}  // namespace inlay::store
