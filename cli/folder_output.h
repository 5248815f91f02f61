#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "exporters/output.h"
#include "exporters/records/record_folder.h"

namespace smtpscope {

/// Files that only their owner may read, in a folder. After the first fault it writes nothing more:
/// see fault(). Not thread-safe.
class FolderOutput : public OutputFolder, private RowFiles {
 public:
  /// Makes the folder, for its owner only, or takes one that is empty as it is; with `force` one
  /// that is not, and its files of the same names are replaced.
  static Result<FolderOutput> create(const std::string& path, bool force);

  void write_file(std::string_view name, std::string_view content) override;
  RowFiles& rows() override { return *this; }

  const std::string& path() const { return path_; }
  bool broken() const { return fault_.has_value(); }
  const std::optional<Error>& fault() const { return fault_; }

 private:
  FolderOutput(std::string path, bool force) : path_(std::move(path)), force_(force) {}

  void append(std::string_view table, std::string_view hour, std::string_view line) override;
  void complete(std::string_view hour) override;
  void write_rows(std::string_view table, std::string_view hour, std::string& lines);
  void note(int error);

  std::string path_;
  bool force_;
  std::optional<RecordFolder> records_;                   // once there are rows
  std::map<std::string, std::string, std::less<>> rows_;  // of the hour, by table, not written yet
  std::optional<Error> fault_;
};

}  // namespace smtpscope
