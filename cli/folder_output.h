#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "exporters/output.h"

namespace smtpscope {

/// Files in a folder that only its owner may enter. After the first fault it writes nothing more:
/// see fault(). Not thread-safe.
class FolderOutput : public OutputFolder {
 public:
  /// Makes the folder, or takes one that is empty; with `force` one that is not, and its files of
  /// the same names are replaced.
  static Result<FolderOutput> create(const std::string& path, bool force);

  void write_file(std::string_view name, std::string_view content) override;

  const std::string& path() const { return path_; }
  bool broken() const { return fault_.has_value(); }
  const std::optional<Error>& fault() const { return fault_; }

 private:
  FolderOutput(std::string path, bool force) : path_(std::move(path)), force_(force) {}

  std::string path_;
  bool force_;
  std::optional<Error> fault_;
};

}  // namespace smtpscope
