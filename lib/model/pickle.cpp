#include "model/pickle.hpp"

#include <fmt/format.h>

#include <bit>
#include <concepts>
#include <cstring>
#include <span>
#include <unordered_map>

#include "inlay/error.hpp"
#include "model/file_errors.hpp"

namespace inlay::model {
namespace {

constexpr std::size_t most_values = 4'000'000;  // a tensor of a state_dict takes about 25; also of references in containers
constexpr std::size_t most_dimensions = 64;     // torch's own limit
constexpr std::size_t most_arguments = 7;       // of the functions that are known
constexpr std::uint8_t newest_protocol = 5;

// CPython's names for the opcodes that this reader knows: those of protocols 2 to 5 without classes, sets and buffers.
enum class Opcode : std::uint8_t {
  mark = '(',
  stop = '.',
  pop = '0',
  pop_mark = '1',
  duplicate = '2',
  binfloat = 'G',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  none = 'N',
  binpersid = 'Q',
  reduce = 'R',
  binstring = 'T',
  short_binstring = 'U',
  binunicode = 'X',
  append = 'a',
  build = 'b',
  global = 'c',
  appends = 'e',
  binget = 'h',
  inst = 'i',
  long_binget = 'j',
  binput = 'q',
  long_binput = 'r',
  setitem = 's',
  tuple = 't',
  setitems = 'u',
  binbytes = 'B',
  short_binbytes = 'C',
  empty_tuple = ')',
  empty_list = ']',
  empty_dictionary = '}',
  protocol = 0x80,
  new_object = 0x81,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  new_true = 0x88,
  new_false = 0x89,
  long1 = 0x8a,
  short_binunicode = 0x8c,
  binunicode8 = 0x8d,
  binbytes8 = 0x8e,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
};

bool is_known(const PickleGlobal& global) {
  if (global.module == "torch") return global.name.ends_with("Storage");
  if (global.module == "torch.storage") return global.name == "UntypedStorage";
  if (global.module == "collections") return global.name == "OrderedDict";
  if (global.module == "torch._utils") {
    return global.name == "_rebuild_tensor" || global.name == "_rebuild_tensor_v2" || global.name == "_rebuild_parameter";
  }
  return false;
}

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& label, PickleGlobals globals, std::vector<PickleValue>& values)
      : bytes_(bytes), label_(label), globals_(globals), values_(values) {}

  PickleReference run() {
    while (true) {
      begin_ = position_;
      const auto opcode = static_cast<Opcode>(take<std::uint8_t>());
      if (opcode == Opcode::stop) return pop();
      step(opcode);
    }
  }

  [[nodiscard]] std::size_t position() const noexcept { return position_; }

 private:
  [[noreturn]] void refuse(std::string_view reason) const {
    throw Error(Status::invalid_model, fmt::format("{} is not a valid pickle of tensors: {} at byte {}", label_, one_line(reason), begin_));
  }

  // What the instruction is made of.

  std::string_view take_bytes(std::uint64_t count) {
    if (count > bytes_.size() - position_) refuse("it is truncated; an instruction runs past the end");
    const std::string_view taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }

  template <std::integral Number>
  Number take() {
    Number value;
    std::memcpy(&value, take_bytes(sizeof value).data(), sizeof value);
    return value;
  }

  template <std::unsigned_integral Length>
  std::string_view take_counted() {
    return take_bytes(take<Length>());
  }

  std::string_view take_line() {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) refuse("a line has no end");
    const std::string_view line = bytes_.substr(position_, end - position_);
    position_ = end + 1;
    return line;
  }

  // The stack. Marks are places in it; values below the last mark are out of reach.

  void push(PickleReference reference) {
    if (stack_.size() >= most_values) refuse("too many values on the stack");
    stack_.push_back(reference);
  }

  void push_new(PickleValue value) {
    if (values_.size() >= most_values) refuse(fmt::format("more than {} values", most_values));
    values_.push_back(std::move(value));
    push(static_cast<PickleReference>(values_.size() - 1));
  }

  void push_memo(std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) refuse(fmt::format("memo {} is not there", index));
    push(found->second);
  }

  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleReference top() const {
    if (stack_.size() <= floor()) refuse("the stack is empty");
    return stack_.back();
  }

  PickleReference pop() {
    const PickleReference reference = top();
    stack_.pop_back();
    return reference;
  }

  std::vector<PickleReference> pop_last(std::size_t count) {
    if (stack_.size() - floor() < count) refuse("the stack is empty");
    std::vector<PickleReference> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    spend(count);
    return items;
  }

  std::vector<PickleReference> pop_to_mark() {
    if (marks_.empty()) refuse("a mark is missing");
    std::vector<PickleReference> items = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  // What a container takes up counts, too: a short instruction can copy a long one.
  void spend(std::size_t references) {
    if (references > most_values - spent_) refuse(fmt::format("more than {} values in containers", most_values));
    spent_ += references;
  }

  void memorize(std::uint32_t index) {
    if (memo_.size() >= most_values) refuse("too many values in the memo");
    memo_.insert_or_assign(index, top());
  }

  // Values by kind.

  template <class Kind>
  const Kind& expect(PickleReference reference, std::string_view what) const {
    const Kind* value = std::get_if<Kind>(&values_[reference]);
    if (value == nullptr) refuse(fmt::format("{} is of another type", what));
    return *value;
  }

  template <class Kind>
  Kind& expect_container(PickleReference reference) {
    Kind* value = std::get_if<Kind>(&values_[reference]);
    if (value == nullptr) refuse("something that is no list or dictionary is added to");
    return *value;
  }

  std::uint64_t expect_size(PickleReference reference, std::string_view what) const {
    const std::int64_t value = expect<std::int64_t>(reference, what);
    if (value < 0) refuse(fmt::format("{} is negative", what));
    return static_cast<std::uint64_t>(value);
  }

  std::vector<std::uint64_t> expect_sizes(PickleReference reference, std::string_view what) const {
    std::vector<std::uint64_t> sizes;
    const auto& items = expect<PickleTuple>(reference, what).items;
    if (items.size() > most_dimensions) refuse(fmt::format("{} has {} dimensions", what, items.size()));
    sizes.reserve(items.size());
    for (const PickleReference item : items) sizes.push_back(expect_size(item, what));
    return sizes;
  }

  // The instructions that are more than a line.

  void push_global(std::string_view module, std::string_view name) {
    const PickleGlobal global{module, name};
    if (globals_ == PickleGlobals::known && !is_known(global)) {
      throw Error(Status::unsupported,
                  fmt::format("{} names {}.{}, which is neither a plain value nor a tensor: refused, and nothing of it was "
                              "run; save the model's state_dict() instead",
                              label_, one_line(module), one_line(name)));
    }
    push_new(global);
  }

  void push_whole_number(std::string_view little_endian) {
    if (little_endian.size() > sizeof(std::int64_t)) return push_new(PickleBytes{little_endian});
    std::uint64_t value = 0;
    std::memcpy(&value, little_endian.data(), little_endian.size());
    if (!little_endian.empty() && (static_cast<unsigned char>(little_endian.back()) & 0x80) != 0 && little_endian.size() < 8) {
      value |= ~std::uint64_t{0} << (8 * little_endian.size());
    }
    push_new(static_cast<std::int64_t>(value));
  }

  void set_items(PickleReference dictionary, std::span<const PickleReference> items) {
    if (items.size() % 2 != 0) refuse("a dictionary's key has no value");
    auto& target = expect_container<PickleDictionary>(dictionary).items;
    for (std::size_t i = 0; i < items.size(); i += 2) target.emplace_back(items[i], items[i + 1]);
  }

  // ("storage", type, key, device, elements) and, in the older files, None or (key of the view, first, elements).
  void push_storage(PickleReference id) {
    const auto& parts = expect<PickleTuple>(id, "a storage's id").items;
    if (parts.size() < 5 || parts.size() > 6 || expect<std::string_view>(parts[0], "a storage's id") != "storage") {
      refuse("a persistent id does not describe a storage");
    }
    PickleStorage storage{.type = expect<PickleGlobal>(parts[1], "a storage's type").name,
                          .key = expect<std::string_view>(parts[2], "a storage's key"),
                          .first = 0,
                          .elements = expect_size(parts[4], "a storage's size")};
    if (!storage.type.ends_with("Storage")) refuse("a storage's type is none");
    if (parts.size() == 6 && std::get_if<PickleNone>(&values_[parts[5]]) == nullptr) {
      const auto& view = expect<PickleTuple>(parts[5], "a view of a storage").items;
      if (view.size() != 3) refuse("a view of a storage has not three parts");
      storage.first = expect_size(view[1], "a view's offset");
      storage.elements = expect_size(view[2], "a view's size");
    }
    push_new(storage);
  }

  void push_tensor(std::span<const PickleReference> arguments, std::string_view function) {
    const bool version_2 = function == "_rebuild_tensor_v2";  // requires_grad, hooks and metadata follow: of no interest
    if (arguments.size() < 4 || (!version_2 && arguments.size() > 4)) {
      refuse(fmt::format("{} has {} arguments", function, arguments.size()));
    }
    (void)expect<PickleStorage>(arguments[0], "a tensor's storage");
    PickleTensor tensor{.storage = arguments[0],
                        .offset = expect_size(arguments[1], "a tensor's offset"),
                        .shape = expect_sizes(arguments[2], "a tensor's shape"),
                        .strides = expect_sizes(arguments[3], "a tensor's stride")};
    if (tensor.shape.size() != tensor.strides.size()) refuse("a tensor has not as many strides as dimensions");
    spend(2 * tensor.shape.size());
    push_new(std::move(tensor));
  }

  // OrderedDict() and, as Python 2 wrote it, OrderedDict([[key, value], ...]).
  void push_ordered_dictionary(std::span<const PickleReference> arguments) {
    PickleDictionary dictionary;
    if (arguments.size() > 1) refuse("OrderedDict has several arguments");
    if (!arguments.empty()) {
      spend(expect<PickleList>(arguments[0], "OrderedDict's argument").items.size());
      for (const PickleReference pair : expect<PickleList>(arguments[0], "OrderedDict's argument").items) {
        const auto& items = expect<PickleList>(pair, "an item of OrderedDict").items;
        if (items.size() != 2) refuse("an item of OrderedDict is not a key and a value");
        dictionary.items.emplace_back(items[0], items[1]);
      }
    }
    push_new(std::move(dictionary));
  }

  void call(PickleReference function, PickleReference tuple) {
    const PickleGlobal global = expect<PickleGlobal>(function, "what is called");
    if (!is_known(global)) return push_new(PickleObject{});
    const std::vector<PickleReference>& given = expect<PickleTuple>(tuple, "what a call is given").items;
    if (given.size() > most_arguments) refuse(fmt::format("{}.{} has {} arguments", global.module, global.name, given.size()));
    const std::vector<PickleReference> arguments = given;  // a copy: values_ grows
    if (global.name == "OrderedDict") {
      push_ordered_dictionary(arguments);
    } else if (global.name == "_rebuild_parameter") {  // (tensor, requires_grad, hooks)
      if (arguments.empty()) refuse("_rebuild_parameter has no arguments");
      (void)expect<PickleTensor>(arguments[0], "a parameter");
      push(arguments[0]);
    } else if (global.module == "torch._utils") {
      push_tensor(arguments, global.name);
    } else {
      refuse(fmt::format("{}.{} is called, which is a storage's type", global.module, global.name));
    }
  }

  // The attributes of an object. Those of a state_dict (_metadata: its modules' versions) are of no interest.
  void set_attributes() {
    (void)pop();
    if (!std::holds_alternative<PickleObject>(values_[top()])) (void)expect<PickleDictionary>(top(), "what gets attributes");
  }

  void step(Opcode opcode) {
    switch (opcode) {
      case Opcode::protocol:
        if (const int protocol = take<std::uint8_t>(); protocol > newest_protocol) refuse(fmt::format("protocol {} is unknown", protocol));
        return;
      case Opcode::frame: (void)take<std::uint64_t>(); return;  // a hint for buffering
      case Opcode::mark:
        if (marks_.size() >= most_values) refuse("too many marks");
        return marks_.push_back(stack_.size());
      case Opcode::pop:
        if (!marks_.empty() && stack_.size() == marks_.back()) {
          marks_.pop_back();  // as CPython's unpickler does
        } else {
          (void)pop();
        }
        return;
      case Opcode::pop_mark: (void)pop_to_mark(); return;
      case Opcode::duplicate: return push(top());

      case Opcode::none: return push_new(PickleNone{});
      case Opcode::new_true: return push_new(true);
      case Opcode::new_false: return push_new(false);
      case Opcode::binint: return push_new(std::int64_t{take<std::int32_t>()});
      case Opcode::binint1: return push_new(std::int64_t{take<std::uint8_t>()});
      case Opcode::binint2: return push_new(std::int64_t{take<std::uint16_t>()});
      case Opcode::long1: return push_whole_number(take_counted<std::uint8_t>());
      case Opcode::binfloat: return push_new(std::bit_cast<double>(__builtin_bswap64(take<std::uint64_t>())));  // big-endian
      case Opcode::short_binstring:                                                                             // strings of Python 2
      case Opcode::short_binunicode: return push_new(take_counted<std::uint8_t>());
      case Opcode::binstring:
      case Opcode::binunicode: return push_new(take_counted<std::uint32_t>());
      case Opcode::binunicode8: return push_new(take_counted<std::uint64_t>());
      case Opcode::short_binbytes: return push_new(PickleBytes{take_counted<std::uint8_t>()});
      case Opcode::binbytes: return push_new(PickleBytes{take_counted<std::uint32_t>()});
      case Opcode::binbytes8: return push_new(PickleBytes{take_counted<std::uint64_t>()});

      case Opcode::empty_tuple: return push_new(PickleTuple{});
      case Opcode::tuple1: return push_new(PickleTuple{pop_last(1)});
      case Opcode::tuple2: return push_new(PickleTuple{pop_last(2)});
      case Opcode::tuple3: return push_new(PickleTuple{pop_last(3)});
      case Opcode::tuple: return push_new(PickleTuple{pop_to_mark()});
      case Opcode::empty_list: return push_new(PickleList{});
      case Opcode::empty_dictionary: return push_new(PickleDictionary{});
      case Opcode::append: {
        const PickleReference item = pop_last(1).front();
        return expect_container<PickleList>(top()).items.push_back(item);
      }
      case Opcode::appends: {
        const auto items = pop_to_mark();
        auto& list = expect_container<PickleList>(top()).items;
        list.insert(list.end(), items.begin(), items.end());
        return;
      }
      case Opcode::setitem: {
        const auto items = pop_last(2);
        return set_items(top(), items);
      }
      case Opcode::setitems: {
        const auto items = pop_to_mark();
        return set_items(top(), items);
      }

      case Opcode::binput: return memorize(take<std::uint8_t>());
      case Opcode::long_binput: return memorize(take<std::uint32_t>());
      case Opcode::memoize: return memorize(static_cast<std::uint32_t>(memo_.size()));
      case Opcode::binget: return push_memo(take<std::uint8_t>());
      case Opcode::long_binget: return push_memo(take<std::uint32_t>());

      case Opcode::global:
      case Opcode::inst: {  // both name what they call; the second calls it at once, and nothing that is known is written so
        const std::string_view module = take_line();
        push_global(module, take_line());
        if (opcode == Opcode::inst) refuse("a class is instantiated");
        return;
      }
      case Opcode::stack_global: {
        const auto names = pop_last(2);
        return push_global(expect<std::string_view>(names[0], "a global's module"), expect<std::string_view>(names[1], "a global's name"));
      }
      case Opcode::new_object:
        if (globals_ == PickleGlobals::known) break;
        (void)pop_last(2);
        return push_new(PickleObject{});
      case Opcode::reduce: {
        const auto call_of = pop_last(2);
        return call(call_of[0], call_of[1]);
      }
      case Opcode::build: return set_attributes();
      case Opcode::binpersid: return push_storage(pop());
      case Opcode::stop: return;
    }
    refuse(fmt::format("the instruction 0x{:02x} is none of those that torch.save writes", static_cast<unsigned>(opcode)));
  }

  std::string_view bytes_;
  const std::string& label_;
  PickleGlobals globals_;
  std::vector<PickleValue>& values_;
  std::vector<PickleReference> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleReference> memo_;
  std::size_t spent_ = 0;
  std::size_t position_ = 0;
  std::size_t begin_ = 0;  // of the instruction that runs
};

}  // namespace

Pickle::Pickle(std::string_view bytes, const std::string& label, PickleGlobals globals) {
  Machine machine(bytes, label, globals, values_);
  root_ = machine.run();
  size_ = machine.position();
}

}  // namespace inlay::model
