#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capture/wire_event.h"
#include "capture/wire_source.h"
#include "readers/text/log_stamp.h"

namespace smtpscope {

/// What the sessions that one log tells have in common: the run, its clock, where events go, and
/// what is to be told about the file in the end. One per log; not thread-safe.
class LogRun {
 public:
  explicit LogRun(const std::string& file);

  const RunInfo& info() const { return info_; }
  SessionId next_session() { return ++sessions_; }

  /// The time of a stamp; the first one is the run's beginning. What is earlier (a clock was set,
  /// lines came out of order) counts as the beginning. Behind lines without a time the first stamp
  /// stands where these do: how far stamps are apart is right, their dates are not.
  Time time_of(const LogStamp& stamp);
  /// A log without times: all that it tells stands at `when`.
  Time without_times(WallTime when);

  /// A line that should have told something and could not be read.
  void unreadable(std::string_view why);
  /// Something about the text as a whole that its reader should know, one clause.
  void note(std::string text) { notes_.push_back(std::move(text)); }
  /// So many lines have been looked at, this one included.
  void count_line() { ++lines_; }
  std::uint64_t lines() const { return lines_; }
  /// Sessions that were given up because too many went on at a time.
  void give_up_one() { ++given_up_; }

  std::vector<SourceNotice> notices() const;

  template <typename Body>
  void emit(SessionId session, Time time, Body&& body) {
    sink_->on_wire({.session = session, .time = time, .body = std::forward<Body>(body)});
  }
  /// Set by the owner while it hands lines on.
  void set_sink(WireSink* sink) { sink_ = sink; }

 private:
  RunInfo info_;
  WireSink* sink_ = nullptr;
  bool started_ = false;
  std::optional<WallTime> first_stamp_;
  bool undated_ = false;  // the run began with what has no time
  bool zoneless_ = false;
  bool yearless_ = false;
  SessionId sessions_ = 0;
  std::uint64_t lines_ = 0;
  std::uint64_t unreadable_ = 0;
  std::string first_unreadable_;
  std::uint64_t given_up_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace smtpscope
