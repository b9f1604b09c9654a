// Reads the part of Python's pickle format that torch.save writes for a checkpoint: plain values and tensors. Nothing else can come of it:
// a pickle is a program that may call any Python function by name, and here each name but a handful is refused, before anything is done.
// Source: pickletools.py of CPython; torch/_utils.py for the functions that rebuild tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace inlay::model {

/// A value's number in its pickle. Values refer to one another by number: a pickle can make lists that hold themselves.
using PickleReference = std::uint32_t;

struct PickleNone {};
struct PickleBytes {  ///< bytes, and whole numbers of more than 64 bits (little-endian)
  std::string_view bytes;
};
struct PickleTuple {
  std::vector<PickleReference> items;
};
struct PickleList {
  std::vector<PickleReference> items;
};
struct PickleDictionary {
  std::vector<std::pair<PickleReference, PickleReference>> items;  ///< in the file's order; a key may come twice
};
struct PickleGlobal {  ///< one of those that are known, "torch.FloatStorage"
  std::string_view module, name;
};
struct PickleObject {};     ///< of a class that is not known: nothing was made of it
struct PickleStorage {      ///< what a persistent id describes
  std::string_view type;    ///< "FloatStorage"
  std::string_view key;     ///< names the bytes, which lie outside the pickle
  std::uint64_t first = 0;  ///< of its elements in those bytes
  std::uint64_t elements = 0;
};
struct PickleTensor {
  PickleReference storage;
  std::uint64_t offset;  ///< of the first element, in elements
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> strides;  ///< in elements, as many as dimensions
};

using PickleValue = std::variant<PickleNone, bool, std::int64_t, double, std::string_view, PickleBytes, PickleTuple, PickleList,
                                 PickleDictionary, PickleGlobal, PickleObject, PickleStorage, PickleTensor>;

/// Which globals a pickle may name.
enum class PickleGlobals {
  known,  ///< those of a checkpoint
  any,    ///< those of a TorchScript archive, too: what they would make is a PickleObject
};

class Pickle {
 public:
  /// Reads the pickle at the front of `bytes`, which must outlive it. Steps, values and memory are bounded by the bytes and by fixed
  /// limits. Throws Error naming `label`: invalid_model, with the place; unsupported for a global that is not known, with its name.
  Pickle(std::string_view bytes, const std::string& label, PickleGlobals globals = PickleGlobals::known);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }  ///< of the pickle, in bytes
  [[nodiscard]] const PickleValue& root() const noexcept { return values_[root_]; }
  [[nodiscard]] const PickleValue& at(PickleReference reference) const noexcept { return values_[reference]; }

  [[nodiscard]] std::size_t count() const noexcept { return values_.size(); }  ///< of values: their numbers are below

  /// The value where it is a Kind, else null.
  template <class Kind>
  [[nodiscard]] const Kind* get(PickleReference reference) const noexcept {
    return std::get_if<Kind>(&values_[reference]);
  }

 private:
  std::vector<PickleValue> values_;
  PickleReference root_ = 0;
  std::size_t size_ = 0;
};

}  // namespace inlay::model
