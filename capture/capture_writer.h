#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/side.h"
#include "base/time.h"
#include "capture/background_file.h"
#include "capture/capture_sink.h"
#include "capture/event_copy.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// Writes wire events to a capture, in the background. Never blocks: what the disk does not take
/// in time is left out, counted, and noted in the capture as a gap once there is room again, in
/// front of what comes next. Used by one thread at a time.
class CaptureWriter : public CaptureSink {
 public:
  struct Totals {
    std::uint64_t events = 0;       // handed to the file
    std::uint64_t lost_events = 0;  // for which there was no room, or that were given up at the end
    std::uint64_t lost_octets = 0;  // of the wire, in lost events
    std::uint64_t unwritten = 0;    // octets of the file, given up at the end
    std::string trouble;            // the last error of the disk in words, "" if none

    Totals& operator+=(const Totals& more);
  };

  /// Takes a sentence for the operator when the capture begins to suffer and when it no longer
  /// does. Called on the thread that uses the writer and on one of the writer's own, so it has to
  /// be thread-safe; it must not block. Not called any more after close().
  using Tell = std::function<void(std::string_view)>;

  /// Creates the file at `path` (see create_capture_file()) and writes the header, which may block.
  static Result<std::unique_ptr<CaptureWriter>> create(const std::string& path, bool force,
                                                       const RunInfo& run, Tell tell = {});

  /// Writes behind the header to what is open already; at most `limit` octets wait for the disk.
  explicit CaptureWriter(int descriptor, std::size_t limit = BackgroundFile::kDefaultLimit,
                         Tell tell = {});

  /// Writes behind the header to what `open` gives, once it is open.
  explicit CaptureWriter(BackgroundFile::Open open, Tell tell = {});

  void on_wire(const WireEvent& event) override;
  /// Whole lines that were made elsewhere, and count for nothing. False: there is no room.
  bool put(std::string_view lines);
  /// Waits for the disk, at most `patience`. False: not all of it is written.
  bool drain(Duration patience) { return file_.drain(patience); }
  /// Octets handed to the file since the header.
  std::uint64_t size() const { return size_; }
  /// Octets that wait for the disk.
  std::uint64_t queued() const { return file_.queued(); }
  /// What it writes to; -1 while it is not open. Its own to close.
  int descriptor() const { return file_.descriptor(); }
  /// Writing works, as far as is known.
  bool is_well() const { return file_.status().error == 0; }

  /// Something waits to be handed to the disk: flush() soon.
  bool pending() const override {
    return file_.pending() || !lost_.empty() || lost_of_others_.events > 0;
  }
  void flush() override;

  /// Writes what is left, for at most `patience`. False when something is missing: see totals().
  bool close(Duration patience = BackgroundFile::kPatience);
  Totals totals() const;

 private:
  /// What is missing of a session.
  struct Lost {
    std::uint64_t events = 0;
    std::uint64_t octets[2] = {0, 0};   // by side
    Time last;                          // of the last event lost
    std::unique_ptr<EventCopy> opened;  // the session's first event, if it is among them
    bool ended = false;
  };
  /// Sessions whose losses are told apart. Further ones share lost_of_others_.
  static constexpr std::size_t kMaxSessions = 1024;

  bool write(const WireEvent& event);
  bool write_gap(SessionId session, Time time, const Gap& gap);
  void lose(const WireEvent& event);
  bool note_losses();
  bool note_losses_of(SessionId session, Lost& lost);
  void found_again();

  BackgroundFile file_;
  std::uint64_t size_ = 0;
  std::map<SessionId, Lost> lost_;
  Lost lost_of_others_;
  std::string why_;                 // of the losses not yet noted; "" if there are none
  BackgroundFile::Counts missing_;  // what was lost since it was not ""
  Totals totals_;
  Tell tell_;
};

}  // namespace smtpscope
