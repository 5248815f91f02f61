#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace smtpscope {

/// The files of a folder that grow by whole lines. "sessions-2026-11-30T14.jsonl.part" loses its
/// ".part" when it is complete; where there is such a file already, the next one is called
/// "sessions-2026-11-30T14-2.jsonl". So no file is ever replaced, and one without ".part" never
/// changes. Several processes may write to one folder. Files can be read by their owner only.
/// Blocks on the disk. Not thread-safe.
class RecordFolder {
 public:
  /// Makes the folder if there is none, for its owner only, and completes what a process that was
  /// killed has left: without a last line that has no end.
  static Result<RecordFolder> open(const std::string& path);
  RecordFolder(RecordFolder&& from) noexcept;
  RecordFolder& operator=(RecordFolder&&) = delete;
  ~RecordFolder();

  /// Appends `lines` as a whole. Gives 0, or an errno: then nothing of them is in the file.
  int append(std::string_view table, std::string_view hour, std::string_view lines);
  /// Completes the files of that hour. Gives 0 or the first errno.
  int complete(std::string_view hour);
  /// Those of hours before it.
  int complete_before(std::string_view hour);

  const std::string& path() const { return path_; }

 private:
  struct File {
    int descriptor = -1;
    std::string name;  // without ".part"
  };
  using Key = std::pair<std::string, std::string>;  // hour, table

  RecordFolder(std::string path, int folder) : path_(std::move(path)), folder_(folder) {}
  int begin(std::string_view table, std::string_view hour, File& file);
  int complete(File& file);
  Result<Done> complete_left();
  int complete_left(const std::string& part);

  std::string path_;
  int folder_;
  std::map<Key, File, std::less<>> files_;
};

}  // namespace smtpscope
