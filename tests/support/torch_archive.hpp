// Zip archives and pickles written by hand, as torch.save writes them or wrong in any place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::test {

inline std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes && i < sizeof(value); ++i) text[i] = static_cast<char>(value >> (8 * i));
  return text;
}

/// A member, and what the archive says of it where that is not the truth.
struct ZipMember {
  std::string name;
  std::string bytes;
  std::optional<std::string> header_name{};
  std::optional<std::uint32_t> offset{}, size{}, whole_size{};
  std::uint16_t method = 0, header_method = 0;
};

struct ZipEnd {
  std::optional<std::uint16_t> entries{};
  std::optional<std::uint32_t> directory_offset{};
};

inline std::string zip(const std::vector<ZipMember>& members, const ZipEnd& end = {}) {
  std::string archive;
  std::string directory;
  for (const ZipMember& member : members) {
    const std::string name = member.header_name.value_or(member.name);
    const std::size_t size = member.size.value_or(static_cast<std::uint32_t>(member.bytes.size()));
    directory += std::string("PK\1\2") + little_endian(20, 2) + little_endian(20, 2) + little_endian(0, 2) +
                 little_endian(member.method, 2) + little_endian(0, 8) + little_endian(size, 4) +
                 little_endian(member.whole_size.value_or(static_cast<std::uint32_t>(size)), 4) + little_endian(member.name.size(), 2) +
                 little_endian(0, 12) + little_endian(member.offset.value_or(static_cast<std::uint32_t>(archive.size())), 4) + member.name;
    archive += std::string("PK\3\4") + little_endian(20, 2) + little_endian(0, 2) + little_endian(member.header_method, 2) +
               little_endian(0, 8) + little_endian(size, 4) + little_endian(size, 4) + little_endian(name.size(), 2) + little_endian(0, 2) +
               name + member.bytes;
  }
  const std::size_t offset = archive.size();
  archive += directory + "PK\5\6" + little_endian(0, 4);
  for (int i = 0; i < 2; ++i) archive += little_endian(end.entries.value_or(static_cast<std::uint16_t>(members.size())), 2);
  archive += little_endian(directory.size(), 4) + little_endian(end.directory_offset.value_or(static_cast<std::uint32_t>(offset)), 4);
  return archive + little_endian(0, 2);
}

inline std::string torch_archive(const std::vector<std::pair<std::string, std::string>>& members) {
  std::vector<ZipMember> all;
  for (const auto& [name, bytes] : members) all.push_back({.name = name, .bytes = bytes});
  return zip(all);
}

// Pickles, in protocol 2.

inline std::string pickled(std::int64_t number) { return std::string("\x8a\x08") + little_endian(static_cast<std::uint64_t>(number), 8); }

inline std::string pickled(std::string_view text) { return std::string("X") + little_endian(text.size(), 4).append(text); }

inline std::string pickled(const std::vector<std::int64_t>& numbers) {
  std::string tuple = "(";
  for (const std::int64_t number : numbers) tuple += pickled(number);
  return tuple + "t";
}

inline std::string storage(std::string_view key, std::int64_t elements, const std::string& type = "FloatStorage") {
  return std::string("(") + pickled("storage") + "ctorch\n" + type + "\n" + pickled(key) + pickled("cpu") + pickled(elements) + "tQ";
}

inline std::string tensor_of(const std::string& storage, std::int64_t offset, const std::vector<std::int64_t>& shape,
                             const std::vector<std::int64_t>& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + pickled(offset) + pickled(shape) + pickled(strides) +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

/// A whole pickle.
inline std::string dictionary(const std::vector<std::pair<std::string, std::string>>& values) {
  std::string text = "\x80\x02}(";
  for (const auto& [key, value] : values) text += pickled(key) + value;
  return text + "u.";
}

}  // namespace inlay::test
