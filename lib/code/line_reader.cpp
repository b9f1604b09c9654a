#include "code/line_reader.hpp"

namespace inlay::code {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 16;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

bool LineReader::fill() {
  if (ended_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t held = buffer_.size();
  const std::size_t wanted = std::max(block_bytes, held);  // doubles: a long line is not searched and moved once a block
  buffer_.resize(held + wanted);
  const std::size_t read = read_(std::span(buffer_).subspan(held));
  buffer_.resize(held + read);
  ended_ = read == 0;
  return !ended_;
}

std::optional<std::string_view> LineReader::next() {
  while (passed_ == 0 && buffer_.size() < byte_order_mark.size() && fill()) {
  }
  if (passed_ == 0 && buffer_.starts_with(byte_order_mark)) passed_ = begin_ = byte_order_mark.size();
  std::size_t end = buffer_.find('\n', begin_);
  while (end == std::string::npos) {
    const std::size_t searched = buffer_.size() - begin_;
    if (!fill()) break;
    end = buffer_.find('\n', begin_ + searched);
  }
  const std::size_t length = end == std::string::npos ? buffer_.size() - begin_ : end + 1 - begin_;
  if (length == 0) return std::nullopt;
  const std::string_view line = std::string_view(buffer_).substr(begin_, length);
  begin_ += length;
  passed_ += length;
  return line;
}

std::string_view without_end(std::string_view line) noexcept {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace inlay::code
