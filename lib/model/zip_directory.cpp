#include "model/zip_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <vector>

#include "inlay/error.hpp"
#include "model/file_errors.hpp"

namespace inlay::model {
namespace {

// Sizes of the fixed parts of the records, signatures included.
constexpr std::size_t local_header_size = 30;
constexpr std::size_t directory_entry_size = 46;
constexpr std::size_t end_record_size = 22;
constexpr std::size_t zip64_locator_size = 20;
constexpr std::size_t zip64_end_record_size = 56;
constexpr std::size_t longest_comment = 0xFFFF;

constexpr std::uint32_t in_zip64_16 = 0xFFFF;  // a field of so many bits that stands elsewhere, in 64 bits
constexpr std::uint32_t in_zip64_32 = 0xFFFFFFFF;

constexpr std::uint16_t encrypted_flag = 1;

class Archive {
 public:
  Archive(std::string_view bytes, const std::string& label) : bytes_(bytes), label_(label) {}

  [[noreturn]] void refuse(const std::string& reason, Status status = Status::invalid_model) const {
    throw Error(status, fmt::format("{} is not a valid zip archive: {}", label_, one_line(reason)));
  }

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

  /// A range that was read from the file itself, and so may be anything.
  [[nodiscard]] std::string_view range(std::uint64_t offset, std::uint64_t length, std::string_view what) const {
    if (offset > bytes_.size() || length > bytes_.size() - offset) {
      refuse(
          fmt::format("{} lies at byte {}, {} long, but the file has {}; it is truncated or damaged", what, offset, length, bytes_.size()));
    }
    return bytes_.substr(offset, length);
  }

  [[nodiscard]] std::string_view record(std::uint64_t offset, std::size_t length, std::string_view signature, std::string_view what) const {
    const std::string_view bytes = range(offset, length, what);
    if (!bytes.starts_with(signature)) refuse(fmt::format("{} is not where it should be, at byte {}", what, offset));
    return bytes;
  }

 private:
  std::string_view bytes_;
  const std::string& label_;
};

template <std::unsigned_integral Number>
Number number_at(std::string_view bytes, std::size_t offset) {
  Number value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

struct Directory {
  std::uint64_t entries, size, offset;
};

// The end record is the last thing in the file but for a comment that it tells the length of.
std::size_t find_end_record(std::string_view bytes, const Archive& archive) {
  if (bytes.size() >= end_record_size) {
    const std::size_t last = bytes.size() - end_record_size;
    const std::size_t first = last - std::min(last, longest_comment);
    for (std::size_t offset = last + 1; offset-- > first;) {
      if (bytes.substr(offset).starts_with("PK\5\6") && number_at<std::uint16_t>(bytes, offset + 20) == last - offset) return offset;
    }
  }
  archive.refuse("its directory is missing; the file is truncated");
}

Directory find_directory(std::string_view bytes, const Archive& archive) {
  const std::size_t end = find_end_record(bytes, archive);
  const std::string_view record = bytes.substr(end, end_record_size);
  Directory directory{number_at<std::uint16_t>(record, 10), number_at<std::uint32_t>(record, 12), number_at<std::uint32_t>(record, 16)};
  std::uint64_t disk = number_at<std::uint16_t>(record, 4);
  std::uint64_t directory_end = end;
  if (directory.entries == in_zip64_16 || directory.size == in_zip64_32 || directory.offset == in_zip64_32) {
    if (end < zip64_locator_size) archive.refuse("its zip64 directory is missing");
    const std::string_view locator = archive.record(end - zip64_locator_size, zip64_locator_size, "PK\6\7", "the zip64 locator");
    const auto offset = number_at<std::uint64_t>(locator, 8);
    const std::string_view wide = archive.record(offset, zip64_end_record_size, "PK\6\6", "the zip64 end record");
    disk = number_at<std::uint32_t>(wide, 16);
    directory = {number_at<std::uint64_t>(wide, 32), number_at<std::uint64_t>(wide, 40), number_at<std::uint64_t>(wide, 48)};
    directory_end = offset;
  }
  if (disk != 0) archive.refuse("it is a part of several", Status::unsupported);
  (void)archive.range(directory.offset, directory.size, "the directory");
  if (directory.offset + directory.size > directory_end) archive.refuse("its directory overlaps the record after it");
  if (directory.entries > directory.size / directory_entry_size) {
    archive.refuse(fmt::format("its directory says to have {} members, but has {} bytes", directory.entries, directory.size));
  }
  return directory;
}

struct Entry {
  std::string_view name;
  std::uint64_t offset;  // of its local header
  std::uint64_t size;    // of its data in the archive
  bool stored;
};

// Sizes and the offset that need 64 bits stand in an extra field, in this order; those that don't are left out of it.
void read_zip64_field(std::string_view extra, std::uint64_t& whole_size, Entry& entry, const Archive& archive) {
  if (whole_size != in_zip64_32 && entry.size != in_zip64_32 && entry.offset != in_zip64_32) return;
  while (extra.size() >= 4) {
    const auto tag = number_at<std::uint16_t>(extra, 0);
    const auto length = number_at<std::uint16_t>(extra, 2);
    extra.remove_prefix(4);
    if (length > extra.size()) break;
    if (tag != 1) {
      extra.remove_prefix(length);
      continue;
    }
    std::string_view field = extra.substr(0, length);
    for (std::uint64_t* number : {&whole_size, &entry.size, &entry.offset}) {
      if (*number != in_zip64_32) continue;
      if (field.size() < 8) archive.refuse(fmt::format("the zip64 field of member {} is too short", entry.name));
      *number = number_at<std::uint64_t>(field, 0);
      field.remove_prefix(8);
    }
    return;
  }
  archive.refuse(fmt::format("member {} lacks its zip64 field", entry.name));
}

// The entry at the directory's front, which is taken off.
Entry take_entry(std::string_view& directory, const Archive& archive) {
  if (directory.size() < directory_entry_size || !directory.starts_with("PK\1\2")) archive.refuse("its directory is damaged");
  const auto flags = number_at<std::uint16_t>(directory, 8);
  const auto method = number_at<std::uint16_t>(directory, 10);
  std::uint64_t whole_size = number_at<std::uint32_t>(directory, 24);
  const std::size_t name_length = number_at<std::uint16_t>(directory, 28);
  const std::size_t extra_length = number_at<std::uint16_t>(directory, 30);
  const std::size_t comment_length = number_at<std::uint16_t>(directory, 32);
  const std::size_t length = directory_entry_size + name_length + extra_length + comment_length;
  if (length > directory.size()) archive.refuse("its directory is truncated");

  Entry entry{.name = directory.substr(directory_entry_size, name_length),
              .offset = number_at<std::uint32_t>(directory, 42),
              .size = number_at<std::uint32_t>(directory, 20),
              .stored = method == 0 && (flags & encrypted_flag) == 0};
  read_zip64_field(directory.substr(directory_entry_size + name_length, extra_length), whole_size, entry, archive);
  if (entry.stored && entry.size != whole_size) archive.refuse(fmt::format("member {} is stored, but has two sizes", entry.name));
  directory.remove_prefix(length);
  return entry;
}

struct Place {
  std::uint64_t begin, end;  // header and data
  std::string_view name, bytes;
  bool stored;
};

// Follows the directory to the member itself. Its own header may leave sizes and checksum to a record behind the data: only its name and
// the lengths that its data's place depends on count.
Place locate(const Entry& entry, std::uint64_t directory_offset, const Archive& archive) {
  const std::string what = fmt::format("member {}", entry.name);
  const std::string_view header = archive.record(entry.offset, local_header_size, "PK\3\4", what);
  const std::size_t name_length = number_at<std::uint16_t>(header, 26);
  const std::uint64_t data = entry.offset + local_header_size + name_length + number_at<std::uint16_t>(header, 28);
  if (archive.range(entry.offset + local_header_size, name_length, what) != entry.name ||
      (number_at<std::uint16_t>(header, 8) == 0 && (number_at<std::uint16_t>(header, 6) & encrypted_flag) == 0) != entry.stored) {
    archive.refuse(fmt::format("the directory and the header of member {} differ", entry.name));
  }
  const std::string_view bytes = archive.range(data, entry.size, what);
  if (data + entry.size > directory_offset) archive.refuse(fmt::format("member {} overlaps the directory", entry.name));
  return {entry.offset, data + entry.size, entry.name, bytes, entry.stored};
}

}  // namespace

ZipDirectory::ZipDirectory(std::string_view bytes, const std::string& label) : label_(label) {
  const Archive archive(bytes, label);
  const Directory directory = find_directory(bytes, archive);
  std::string_view rest = bytes.substr(directory.offset, directory.size);
  std::vector<Place> places;
  places.reserve(directory.entries);
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const Place place = locate(take_entry(rest, archive), directory.offset, archive);
    if (!members_.emplace(place.name, Member{place.bytes, place.stored}).second)
      archive.refuse(fmt::format("member {} is there twice", place.name));
    places.push_back(place);
  }
  std::ranges::sort(places, {}, &Place::begin);
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (places[i].begin < places[i - 1].end) {
      archive.refuse(fmt::format("members {} and {} overlap", places[i - 1].name, places[i].name));
    }
  }
}

std::string_view ZipDirectory::read(std::string_view name) const {
  const auto found = members_.find(name);
  if (found == members_.end()) throw Error(Status::invalid_model, fmt::format("{}: member {} is missing", label_, one_line(name)));
  if (!found->second.stored) {
    throw Error(Status::unsupported,
                fmt::format("{}: member {} is compressed or encrypted; torch.save stores it as it is", label_, one_line(name)));
  }
  return found->second.bytes;
}

}  // namespace inlay::model
