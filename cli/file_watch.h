#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace smtpscope {

/// Waits for a file to grow, or for the user to have enough (SIGINT, SIGTERM), whichever comes
/// first. While it lives those signals are blocked: they end the wait, not the program. Not
/// thread-safe.
class FileWatch {
 public:
  static Result<std::unique_ptr<FileWatch>> start(const std::string& path);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// True when the file may hold more than before, false when the user wants to stop.
  bool wait();

 private:
  FileWatch(int changes, int signals);

  int changes_;  // inotify; -1 where the file system does not tell
  int signals_;
};

}  // namespace smtpscope
