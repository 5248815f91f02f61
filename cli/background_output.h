#pragma once

#include <cstdint>
#include <string_view>

#include "capture/background_file.h"
#include "exporters/output.h"

namespace smtpscope {

/// Text to a descriptor that may be slow or stalled, a terminal that was stopped with Ctrl-S, a
/// pager: written by a thread of its own, so that mail never waits for it. What finds no room is
/// dropped, whole writes at a time, and counted. Not thread-safe.
class BackgroundOutput : public Output {
 public:
  /// What may wait to be read; minutes of a busy relay.
  static constexpr std::size_t kLimit = std::size_t{8} * 1024 * 1024;

  /// `descriptor` stays the caller's.
  explicit BackgroundOutput(int descriptor)
      : file_(descriptor, BackgroundFile::Ownership::kBorrowed, kLimit) {}

  void write(std::string_view text) override {
    if (!file_.append(text)) dropped_ += text.size();
  }
  /// Hands on what has gathered.
  void flush() {
    if (file_.pending()) file_.flush();
  }
  /// Waits a little for the reader; nothing can be written afterwards.
  void close() { file_.close(BackgroundFile::kPatience); }
  /// Octets that found no room.
  std::uint64_t dropped() const { return dropped_; }

 private:
  BackgroundFile file_;
  std::uint64_t dropped_ = 0;
};

}  // namespace smtpscope
