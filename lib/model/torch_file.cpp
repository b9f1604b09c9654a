#include "model/torch_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "inlay/error.hpp"
#include "model/file_errors.hpp"
#include "model/pickle.hpp"
#include "model/zip_directory.hpp"

namespace inlay::model {
namespace {

struct StorageType {
  std::string_view name;   // of the class
  std::string_view dtype;  // as safetensors spells it, where it can
  std::size_t bytes;       // of an element
  DataType type;
};
constexpr std::array<StorageType, 16> storage_types = {{{"FloatStorage", "F32", 4, DataType::float32},
                                                        {"HalfStorage", "F16", 2, DataType::float16},
                                                        {"BFloat16Storage", "BF16", 2, DataType::bfloat16},
                                                        {"DoubleStorage", "F64", 8, DataType::float64},
                                                        {"LongStorage", "I64", 8, DataType::other},
                                                        {"IntStorage", "I32", 4, DataType::other},
                                                        {"ShortStorage", "I16", 2, DataType::other},
                                                        {"CharStorage", "I8", 1, DataType::other},
                                                        {"ByteStorage", "U8", 1, DataType::other},
                                                        {"UntypedStorage", "U8", 1, DataType::other},
                                                        {"BoolStorage", "BOOL", 1, DataType::other},
                                                        {"ComplexFloatStorage", "C64", 8, DataType::other},
                                                        {"ComplexDoubleStorage", "C128", 16, DataType::other},
                                                        {"QInt8Storage", "QI8", 1, DataType::other},
                                                        {"QUInt8Storage", "QU8", 1, DataType::other},
                                                        {"QInt32Storage", "QI32", 4, DataType::other}}};

[[noreturn]] void refuse(const std::string& label, const std::string& reason, Status status = Status::invalid_model) {
  throw Error(status, fmt::format("{} is not a valid torch file: {}", label, one_line(reason)));
}

const StorageType& type_of(const PickleStorage& storage, const std::string& label) {
  const auto found = std::ranges::find(storage_types, storage.type, &StorageType::name);
  if (found == storage_types.end()) refuse(label, fmt::format("the storage type torch.{} is unknown", storage.type), Status::unsupported);
  return *found;
}

/// A storage's bytes by its key.
using StorageBytes = std::function<std::string_view(const PickleStorage&)>;

TensorView view_of(const PickleTensor& tensor, const PickleStorage& storage, std::string_view storage_bytes, const std::string& name,
                   const std::string& label) {
  const StorageType& type = type_of(storage, label);
  const auto outside = [&]() {
    refuse(label, fmt::format("tensor {} reaches outside its storage {} of {} elements", name, storage.key, storage.elements));
  };
  // The last element's place, and the strides of a tensor without gaps, which may differ where a dimension has one element.
  std::uint64_t count = 1;
  std::uint64_t last = 0;
  bool contiguous = true;
  for (std::size_t d = tensor.shape.size(); d-- > 0;) {
    const std::uint64_t extent = tensor.shape[d];
    if (extent > 1) {
      std::uint64_t reach = 0;
      if (__builtin_mul_overflow(extent - 1, tensor.strides[d], &reach) || __builtin_add_overflow(last, reach, &last)) outside();
      contiguous = contiguous && tensor.strides[d] == count;
    }
    if (__builtin_mul_overflow(count, extent, &count)) outside();
  }
  TensorView view{
      .dtype = std::string(type.dtype), .type = type.type, .shape = {tensor.shape.begin(), tensor.shape.end()}, .strides = {}, .bytes = {}};
  if (count == 0) return view;
  std::uint64_t end = 0;  // elements of the storage up to the last of the tensor
  if (__builtin_add_overflow(tensor.offset, last, &end) || __builtin_add_overflow(end, 1, &end) || end > storage.elements) outside();
  if (count > storage.elements) refuse(label, fmt::format("tensor {} has more elements than its storage {}", name, storage.key));
  if (!contiguous) view.strides.assign(tensor.strides.begin(), tensor.strides.end());
  const std::size_t first = (storage.first + tensor.offset) * type.bytes;
  view.bytes = storage_bytes.substr(first, (last + 1) * type.bytes);
  return view;
}

// How many of a storage's bytes must be there. No product overflows where they are.
void check_storage(const PickleStorage& storage, const StorageType& type, std::string_view bytes, const std::string& label) {
  const std::uint64_t available = bytes.size() / type.bytes;
  if (storage.first > available || storage.elements > available - storage.first) {
    refuse(label, fmt::format("storage {} has {} bytes, too few for {} elements; the file is truncated or damaged", storage.key,
                              bytes.size(), storage.elements));
  }
}

bool holds_tensors(const Pickle& pickle, const PickleDictionary& dictionary) {
  return std::ranges::any_of(dictionary.items, [&](const auto& item) { return pickle.get<PickleTensor>(item.second) != nullptr; });
}

// The state_dict: the dictionary that is pickled, or the one in it that has the tensors.
const PickleDictionary& find_state(const Pickle& pickle, const std::string& label) {
  const auto* root = std::get_if<PickleDictionary>(&pickle.root());
  if (root == nullptr) refuse(label, "what was saved is not a dictionary of tensors");
  if (holds_tensors(pickle, *root)) return *root;
  constexpr std::array<std::string_view, 4> wrappers = {"state_dict", "model_state_dict", "model", "module"};
  std::array<bool, wrappers.size()> seen{};
  const PickleDictionary* found = nullptr;
  std::string_view found_key;
  for (const auto& [key, value] : root->items) {
    const auto* name = pickle.get<std::string_view>(key);
    if (name == nullptr) continue;
    const auto wrapper = static_cast<std::size_t>(std::ranges::find(wrappers, *name) - wrappers.begin());
    if (wrapper == wrappers.size()) continue;
    if (std::exchange(seen[wrapper], true)) refuse(label, fmt::format("{} is there twice", *name));
    const auto* inner = pickle.get<PickleDictionary>(value);
    if (inner == nullptr || !holds_tensors(pickle, *inner)) continue;
    if (found != nullptr) refuse(label, fmt::format("both {} and {} hold tensors", found_key, *name));
    found = inner;
    found_key = *name;
  }
  if (found == nullptr) refuse(label, "it holds no tensors");
  return *found;
}

std::map<std::string, TensorView, std::less<>> tensors_of(const Pickle& pickle, const StorageBytes& bytes_of, const std::string& label) {
  std::map<std::string, TensorView, std::less<>> tensors;
  for (const auto& [key, value] : find_state(pickle, label).items) {
    const auto* name = pickle.get<std::string_view>(key);
    const auto* tensor = pickle.get<PickleTensor>(value);
    if (name == nullptr || tensor == nullptr) continue;
    const PickleStorage& storage = *pickle.get<PickleStorage>(tensor->storage);
    const std::string_view bytes = bytes_of(storage);
    check_storage(storage, type_of(storage, label), bytes, label);
    const auto [place, inserted] = tensors.emplace(*name, view_of(*tensor, storage, bytes, std::string(*name), label));
    if (!inserted) refuse(label, fmt::format("tensor {} is described twice", *name));
  }
  return tensors;
}

// The archive's one folder holds data.pkl, data/KEY for each storage, and since torch 2.1 byteorder.
std::map<std::string, TensorView, std::less<>> read_archive(std::string_view file, const std::string& label) {
  const ZipDirectory directory(file, label);
  std::optional<std::string> folder;
  for (const auto& [name, bytes] : directory.members()) {
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos || name.substr(slash) != "/data.pkl") continue;
    if (folder.has_value()) refuse(label, "it holds several data.pkl");
    folder = name.substr(0, slash + 1);
  }
  if (!folder.has_value()) refuse(label, "it holds no data.pkl");
  if (directory.has(*folder + "constants.pkl")) {
    refuse(label, "it is a TorchScript program, not a checkpoint; load it as such, by its own name", Status::unsupported);
  }
  if (const std::string name = *folder + "byteorder"; directory.has(name) && directory.read(name) != "little") {
    refuse(label, fmt::format("its byte order is {}; only little-endian files are supported", directory.read(name)), Status::unsupported);
  }
  const std::string name = *folder + "data.pkl";
  const Pickle pickle(directory.read(name), fmt::format("{}:{}", label, one_line(name)));
  return tensors_of(
      pickle,
      [&](const PickleStorage& storage) {
        const std::string place = fmt::format("{}data/{}", *folder, storage.key);
        if (!directory.has(place)) refuse(label, fmt::format("storage {} is missing", storage.key));
        return directory.read(place);
      },
      label);
}

// Five pickles one after the other: a magic number, the protocol's version, facts about the machine, the checkpoint, the storages' keys;
// then the storages in the order of the keys, each behind its number of elements.
class StackedPickles {
 public:
  StackedPickles(std::string_view file, const std::string& label) : rest_(file), label_(label) {}

  std::map<std::string, TensorView, std::less<>> read() {
    // 0x1950a86a20f9469cfc6c
    constexpr std::string_view magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    const Pickle first = take();
    const auto* number = std::get_if<PickleBytes>(&first.root());
    if (number == nullptr || number->bytes != magic) refuse(label_, "it is a pickle, but not one that torch.save wrote");
    const Pickle version = take();
    if (const auto* value = std::get_if<std::int64_t>(&version.root()); value == nullptr || *value != 1001) {
      refuse(label_, "the version of its protocol is not 1001", Status::unsupported);
    }
    check_machine(take());
    const Pickle checkpoint = take();
    const Pickle keys = take();
    locate_storages(checkpoint, keys);
    return tensors_of(
        checkpoint,
        [this](const PickleStorage& storage) {
          const auto found = storages_.find(storage.key);
          if (found == storages_.end()) refuse(label_, fmt::format("storage {} is missing", storage.key));
          return found->second;
        },
        label_);
  }

 private:
  Pickle take() {
    Pickle pickle(rest_, label_);
    rest_.remove_prefix(pickle.size());
    return pickle;
  }

  void check_machine(const Pickle& pickle) const {
    const auto* facts = std::get_if<PickleDictionary>(&pickle.root());
    if (facts == nullptr) refuse(label_, "it doesn't say which machine wrote it");
    for (const auto& [key, value] : facts->items) {
      const auto* name = pickle.get<std::string_view>(key);
      if (name == nullptr || *name != "little_endian") continue;
      const auto* little = pickle.get<bool>(value);
      if (little == nullptr || !*little) {
        refuse(label_, "its byte order is big; only little-endian files are supported", Status::unsupported);
      }
    }
  }

  void locate_storages(const Pickle& checkpoint, const Pickle& keys) {
    std::unordered_map<std::string_view, std::size_t> element_sizes;  // which only the checkpoint tells
    for (PickleReference i = 0; i < checkpoint.count(); ++i) {
      const auto* storage = checkpoint.get<PickleStorage>(i);
      if (storage == nullptr) continue;
      const std::size_t bytes = type_of(*storage, label_).bytes;
      if (!element_sizes.emplace(storage->key, bytes).second && element_sizes[storage->key] != bytes) {
        refuse(label_, fmt::format("storage {} has two types", storage->key));
      }
    }
    const auto* list = std::get_if<PickleList>(&keys.root());
    if (list == nullptr) refuse(label_, "it has no list of storages");
    for (const PickleReference item : list->items) {
      const auto* key = keys.get<std::string_view>(item);
      const auto size = key == nullptr ? element_sizes.end() : element_sizes.find(*key);
      if (size == element_sizes.end()) refuse(label_, "its list of storages names one that no tensor has");
      if (!storages_.emplace(*key, take_storage(*key, size->second)).second) refuse(label_, fmt::format("storage {} is there twice", *key));
    }
  }

  std::string_view take_storage(std::string_view key, std::size_t element_size) {
    std::uint64_t elements = 0;
    if (rest_.size() >= sizeof elements) {
      std::memcpy(&elements, rest_.data(), sizeof elements);
      rest_.remove_prefix(sizeof elements);
      if (elements <= rest_.size() / element_size) {
        const std::string_view bytes = rest_.substr(0, elements * element_size);
        rest_.remove_prefix(bytes.size());
        return bytes;
      }
    }
    refuse(label_, fmt::format("storage {} runs past the end; the file is truncated", key));
  }

  std::string_view rest_;
  const std::string& label_;
  std::unordered_map<std::string_view, std::string_view> storages_;
};

}  // namespace

namespace {

// libtorch takes a storage's size from the pickle, and reads as much: each must be there, and each tensor inside of its own.
void check_storages(const ZipDirectory& directory, const std::string& folder, std::string_view archive, const std::string& label) {
  const std::string name = fmt::format("{}{}.pkl", folder, archive);
  const Pickle pickle(directory.read(name), fmt::format("{}:{}", label, one_line(name)), PickleGlobals::any);
  const auto bytes_of = [&](const PickleStorage& storage) {
    const std::string place = fmt::format("{}{}/{}", folder, archive, storage.key);
    if (!directory.has(place)) refuse(label, fmt::format("storage {} is missing", storage.key));
    return directory.read(place);
  };
  for (PickleReference i = 0; i < pickle.count(); ++i) {
    if (const auto* storage = pickle.get<PickleStorage>(i)) check_storage(*storage, type_of(*storage, label), bytes_of(*storage), label);
  }
  for (PickleReference i = 0; i < pickle.count(); ++i) {
    const auto* tensor = pickle.get<PickleTensor>(i);
    if (tensor == nullptr) continue;
    const PickleStorage& storage = *pickle.get<PickleStorage>(tensor->storage);
    (void)view_of(*tensor, storage, bytes_of(storage), fmt::format("number {}", i), label);
  }
}

}  // namespace

void require_torchscript(std::string_view file, const std::string& label) {
  refuse_git_lfs_pointer(file, label);
  const auto refuse_checkpoint = [&] {
    throw Error(Status::unsupported,
                fmt::format("{} is a checkpoint, not a TorchScript program; save one with torch.jit.script(model).save(), or load the "
                            "folder with the weights as pytorch_model.bin and a config.json",
                            label));
  };
  if (file.starts_with('\x80')) refuse_checkpoint();
  if (!file.starts_with("PK")) {
    throw Error(Status::invalid_model,
                fmt::format("{} is not a TorchScript program; of a model that consists of several files, give the folder", label));
  }
  const ZipDirectory directory(file, label);
  for (const auto& [name, member] : directory.members()) {
    constexpr std::string_view data = "data.pkl";
    if (name.find('/') + 1 + data.size() != name.size() || !name.ends_with(data)) continue;
    const std::string folder(name.substr(0, name.size() - data.size()));
    if (!directory.has(folder + "constants.pkl")) refuse_checkpoint();
    check_storages(directory, folder, "data", label);
    check_storages(directory, folder, "constants", label);
    return;
  }
  throw Error(Status::invalid_model, fmt::format("{} is not a TorchScript program: it holds no data.pkl", label));
}

TorchFile::TorchFile(std::string_view file, const std::string& label) {
  refuse_git_lfs_pointer(file, label);
  constexpr std::size_t tar_signature = 257;
  if (file.starts_with("PK")) {
    tensors_ = read_archive(file, label);
  } else if (file.starts_with('\x80')) {
    tensors_ = StackedPickles(file, label).read();
  } else if (file.size() > tar_signature && file.substr(tar_signature).starts_with("ustar")) {
    refuse(label, "it is a tar archive of torch before 0.2; load and save it with a newer torch", Status::unsupported);
  } else {
    refuse(label, file.empty() ? "it is empty" : "it begins like none");
  }
}

}  // namespace inlay::model
