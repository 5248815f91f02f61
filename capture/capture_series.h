#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "base/time.h"
#include "capture/capture_keeper.h"
#include "capture/capture_name.h"
#include "capture/capture_sink.h"
#include "capture/capture_writer.h"
#include "capture/wire_event.h"

namespace smtpscope {

struct CaptureSeriesOptions {
  std::string path;     // may be a pattern, see CaptureName; "-" is the standard output
  bool force = false;   // replace the file
  bool append = false;  // go on with it, if it is there
  // When a new file is begun; neither: when it is asked for.
  std::optional<std::uint64_t> rotate_octets;
  std::optional<Duration> rotate_every;  // counted from midnight, UTC
  CaptureKeeping keeping;
};

/// The capture of a run, in one file or, one after the other, in several. Each can be read alone: a
/// session that is open when a new file begins is cut at rest, where that comes soon (see
/// CaptureSink), and what stood before its first MAIL stands in the new file again. What was
/// written for that is marked as WireEvent::seam, so that the files read together are the run.
///
/// Never waits for the disk but in open() and close(): files are opened, closed, compressed and
/// removed on other threads. Used by one thread at a time, but for what says otherwise.
class CaptureSeries : public CaptureSink {
 public:
  /// How long after a new file has begun a session that does not come to rest is written to the one
  /// before. A transaction takes seconds; who sends for minutes is cut in its midst.
  static constexpr Duration kLongestOverlap = std::chrono::seconds(30);

  /// Where a run begins that goes on with an earlier one.
  struct Begun {
    RunInfo run;                   // as the file has it; else as it was given
    SessionId last_session = 0;    // in the file
    bool appended = false;         // there was a file
    std::uint64_t cut_octets = 0;  // of a last line that was not whole, now removed
  };
  /// Opens the first file, which may block. `run` as it would be for a new file.
  static Result<std::unique_ptr<CaptureSeries>> open(const CaptureSeriesOptions& options,
                                                     const RunInfo& run, CaptureWriter::Tell tell);
  const Begun& begun() const { return begun_; }
  const CaptureName& name() const { return name_; }
  /// Where it was opened.
  const std::string& first_path() const { return first_path_; }

  void on_wire(const WireEvent& event) override;
  bool pending() const override;
  void flush() override;
  bool turned() override { return std::exchange(turned_, false); }
  bool awaits_rest(SessionId session) const override;
  void at_rest(SessionId session) override;

  /// Begins a new file, since the one that was written was renamed (logrotate) or, of a pattern,
  /// anyway. Any thread; it is done at the next flush().
  void reopen() { reopen_ = true; }
  /// Octets that wait for the disk. Any thread; as of the last event or flush.
  std::uint64_t queued() const { return queued_; }
  /// Events that are lost up to now. Likewise.
  std::uint64_t lost_events() const { return lost_events_; }

  /// Writes what is left and closes. False when something is missing: see totals().
  bool close();
  /// Of all files.
  CaptureWriter::Totals totals() const;

 private:
  /// What is remembered of a session that is open.
  struct Open {
    std::string opening;       // lines up to its first MAIL; "" once they are too many
    bool in_opening = true;    // it has not got there
    bool in_previous = false;  // still written to the file before
    std::uint64_t events = 0;  // behind the opening
    std::string open_line;
  };

  CaptureSeries(CaptureSeriesOptions options, CaptureName name, CaptureWriter::Tell tell);
  Result<Done> open_first(const RunInfo& run);
  Result<Done> go_on_with(const std::string& path, const RunInfo& wanted);
  bool is_due(Time now) const;
  std::string free_name(WallTime when);
  void turn(Time now);
  bool may_reopen();
  void note(Open& open, const WireEvent& event);
  void move(SessionId session, Open& open, Time now, bool at_rest);
  void move_all(Time now);
  void leave_previous();
  void set_next_turn(Time now);
  void say(std::string_view text) const;

  const CaptureSeriesOptions options_;
  const CaptureName name_;
  const CaptureWriter::Tell tell_;
  Begun begun_;
  std::string first_path_;
  std::string path_;       // of the file that is written
  std::string last_base_;  // name of the last file, without a number
  unsigned times_used_ = 0;
  std::unique_ptr<CaptureWriter> current_;
  std::string previous_path_;
  std::unique_ptr<CaptureWriter> previous_;
  std::size_t left_in_previous_ = 0;
  Time previous_until_;
  std::optional<Time> next_turn_;
  std::unordered_map<SessionId, Open> open_;
  std::unique_ptr<CaptureKeeper> keeper_;
  bool turned_ = false;
  Time last_time_;
  std::atomic<bool> reopen_{false};
  std::atomic<std::uint64_t> queued_{0};
  std::atomic<std::uint64_t> lost_events_{0};
};

}  // namespace smtpscope
