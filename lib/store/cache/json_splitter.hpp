// JsonSplitter: cuts a large JSON object into its members, or an array into its elements, without holding it whole. It sees to what lies
// between them; the text of each is for a JSON parser to judge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::store {

/// A member of an object, `"name": value`. Its text is valid until the splitter is asked for more.
struct JsonMember {
  std::string_view text;
  std::size_t value = 0;     ///< where the value begins in it
  std::uint64_t offset = 0;  ///< of the text, in the file
};

/// All functions throw Error (invalid_data), saying what is wrong and where, and what `read` throws.
class JsonSplitter {
 public:
  /// Fills the buffer from the offset on; returns how many bytes there were, fewer only at the end.
  using Read = std::function<std::size_t(std::uint64_t offset, std::span<char> buffer)>;

  /// A UTF-8 byte order mark is passed over. A value, or a member, of more than max_value_bytes is an error.
  explicit JsonSplitter(Read read, std::size_t max_value_bytes = std::size_t{64} << 20);  // a vector of 1,048,576 components, and more

  /// Goes into the object that comes next.
  void enter();
  /// The next member's name, quotes included, up to the value, which may then be entered or taken; nothing at the end of the object, which
  /// is left.
  std::optional<std::string> name();
  /// The text of the value that comes next.
  std::string_view value();
  /// The next member whole; nothing at the end of the object, which is left.
  std::optional<JsonMember> member();
  /// What comes next: '{' of an object, '[' of an array, any other character of a value; nothing at the end of the file.
  std::optional<char> next_kind();
  /// Goes into the array that comes next.
  void enter_array();
  /// The text of the array's next element; nothing at its end, which is left.
  std::optional<std::string_view> element();
  /// Where the reading is, in bytes.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  /// Sees that nothing follows.
  void finish();

 private:
  [[noreturn]] void fail(std::string_view what) const;
  bool more();  // reads on; false at the end of the file. Keeps the bytes from keep_ on
  int peek();   // the byte at position_; -1 at the end
  int peek_behind_space();
  bool begin_next(char end, std::string_view container);  // up to the next member or element, which end with that character
  bool begin_member();                                    // up to the name's quote
  void skip_string();
  void skip_value();
  [[nodiscard]] std::string_view text_from(std::uint64_t begin) const;

  Read read_;
  std::size_t max_value_bytes_;
  std::string buffer_;
  std::uint64_t begin_ = 0;     // of buffer_, in the file
  std::uint64_t position_ = 0;  // in the file
  std::uint64_t keep_ = 0;
  std::vector<bool> first_;  // of each object or array entered: nothing in it yet
};

}  // namespace inlay::store
