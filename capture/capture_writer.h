#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/side.h"
#include "base/time.h"
#include "capture/background_file.h"
#include "capture/event_copy.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// Writes wire events to a capture, in the background. Never blocks: what the disk does not take
/// in time is left out, counted, and noted in the capture as a gap once there is room again, in
/// front of what comes next. Not thread-safe.
class CaptureWriter : public WireSink {
 public:
  struct Totals {
    std::uint64_t events = 0;       // handed to the file
    std::uint64_t lost_events = 0;  // for which there was no room
    std::uint64_t lost_octets = 0;  // of the wire, in lost events
    std::uint64_t unwritten = 0;    // octets of the file, given up at the end
    std::string trouble;            // the last error of the disk in words, "" if none
  };

  /// Creates the file at `path` (see create_capture_file()) and writes the header, which may block.
  static Result<std::unique_ptr<CaptureWriter>> create(const std::string& path, bool force,
                                                       const RunInfo& run);

  /// Writes behind the header to what is open already; at most `limit` octets wait for the disk.
  explicit CaptureWriter(int descriptor, std::size_t limit = BackgroundFile::kDefaultLimit);

  void on_wire(const WireEvent& event) override;

  /// Something waits to be handed to the disk: flush() soon.
  bool pending() const { return file_.pending() || !lost_.empty() || lost_of_others_.events > 0; }
  void flush();

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
  void lose(const WireEvent& event);
  bool tell_losses();
  bool tell_losses_of(SessionId session, Lost& lost);

  BackgroundFile file_;
  std::map<SessionId, Lost> lost_;
  Lost lost_of_others_;
  std::string why_;  // the losses not yet told
  Totals totals_;
};

}  // namespace smtpscope
