#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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

  /// Lines that say in the output's own format that so many octets of it are missing there.
  using Hole = std::string (*)(std::uint64_t octets);

  /// `descriptor` stays the caller's. `hole` may be nullptr: what is dropped leaves no trace then.
  explicit BackgroundOutput(int descriptor, Hole hole = nullptr, BackgroundFile::Tell tell = {})
      : file_(descriptor, BackgroundFile::Ownership::kBorrowed, kLimit, std::move(tell)),
        hole_(hole) {}

  void write(std::string_view text) override {
    if (untold_ > 0 && hole_ != nullptr && file_.append(hole_(untold_))) untold_ = 0;
    if (file_.append(text)) return;
    dropped_ += text.size();
    untold_ += text.size();
  }
  /// Hands on what has gathered.
  void flush() {
    if (file_.pending()) file_.flush();
  }
  /// Waits a little for the reader; nothing can be written afterwards.
  void close() { file_.close(BackgroundFile::kPatience); }
  /// Octets that found no room, or were given up in the end.
  std::uint64_t dropped() const { return dropped_ + file_.status().lost; }

 private:
  BackgroundFile file_;
  Hole hole_;
  std::uint64_t dropped_ = 0;
  std::uint64_t untold_ = 0;  // of them
};

}  // namespace smtpscope
