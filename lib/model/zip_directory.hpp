// The directory of a zip archive, read in place: torch.save stores a checkpoint's members as they are, so each is a range of the mapped
// file. Source: PKWARE's APPNOTE.TXT 6.3, with zip64.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace inlay::model {

class ZipDirectory {
 public:
  struct Member {
    std::string_view bytes;
    bool stored;  ///< as they are: neither compressed nor encrypted
  };
  using Members = std::map<std::string_view, Member, std::less<>>;

  /// Checks the whole directory: every member lies between the archive's begin and its directory, its own header says the same as the
  /// directory, no two overlap, no name comes twice. Checksums are not verified, which would read the whole file. Throws Error
  /// (invalid_model, unsupported for a part of several) naming `label` and the member.
  ZipDirectory(std::string_view archive, const std::string& label);

  /// By name; both reach into the archive. A folder is a member without bytes. Not to be asked of a temporary.
  [[nodiscard]] const Members& members() const& noexcept { return members_; }
  void members() const&& = delete;

  [[nodiscard]] bool has(std::string_view name) const { return members_.contains(name); }

  /// A member's bytes. Throws Error naming it: invalid_model when it is missing, unsupported when it is compressed or encrypted.
  [[nodiscard]] std::string_view read(std::string_view name) const;

 private:
  std::string label_;
  Members members_;
};

}  // namespace inlay::model
