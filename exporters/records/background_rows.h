#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/time.h"
#include "exporters/output.h"
#include "exporters/records/record_folder.h"

namespace smtpscope {

/// Rows of a live run, written to their files by a thread of their own, so that nothing waits for
/// the disk. What finds no room is dropped, a line at a time, and counted. When writing fails the
/// thread keeps what it has and tries again every kRetry. Files of an hour that is over are
/// completed also when no row comes any more.
///
/// append() and complete() are called on one thread, close() when nothing comes any more.
class BackgroundRows : public RowFiles {
 public:
  static constexpr std::size_t kLimit = std::size_t{64} * 1024 * 1024;
  static constexpr Duration kPatience = std::chrono::seconds(5);
  static constexpr Duration kRetry = std::chrono::seconds(1);

  /// Called on the thread of the files: with an errno when writing begins to fail, with 0 when all
  /// that waited has been written after that.
  using Tell = std::function<void(int error)>;

  /// At most `limit` octets wait.
  explicit BackgroundRows(RecordFolder folder, Tell tell = {}, std::size_t limit = kLimit);
  /// Closes.
  ~BackgroundRows() override;

  void append(std::string_view table, std::string_view hour, std::string_view line) override;
  void complete(std::string_view hour) override;
  std::uint64_t lost() const override;

  /// Waits until all is written and the files are complete; after `patience` what is left is lost,
  /// and files stay ".part". A thread that hangs in a write is left behind. False if anything was
  /// lost.
  bool close(Duration patience = kPatience);

 private:
  class Shared;

  std::shared_ptr<Shared> shared_;  // with the thread
  bool closed_ = false;
};

}  // namespace smtpscope
