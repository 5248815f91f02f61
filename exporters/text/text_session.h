#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "exporters/text/text_sheet.h"
#include "exporters/text/text_style.h"
#include "timeline/event.h"

namespace smtpscope {

/// Turns one session's events into lines. Keeps what the next line needs to know of the last and
/// no more, so that an idle session costs next to nothing. Not thread-safe.
class TextSession {
 public:
  /// `began`: the session's first event; `run_started` is Time zero.
  TextSession(SessionId session, Time began, WallTime run_started);

  /// Adds the event's lines to `sheet`; none where the style hides it.
  void render(const TimelineEvent& event, const TextStyle& style, TextSheet& sheet);
  /// The trace ends and the session has not.
  void render_open_end(const TextStyle& style, TextSheet& sheet);

 private:
  class Render;

  /// A finding of the session's end, until it is known whether the verdict tells it.
  struct EndFinding {
    Severity severity;
    const Rule* rule;
    std::string lead, text;
  };

  SessionId session_;
  Time began_;
  WallTime run_started_;
  Fidelity fidelity_;
  bool in_transaction_ = false;  // the bracket at the margin is open
  bool behind_silence_ = false;  // the line above told of the silence before the next one
  bool goodbye_ = false;         // the last entry was the 221 to QUIT
  /// Behind QUIT both sides close: one line tells it. The first close, until the next event.
  struct HeldClose {
    Side from = Side::kServer;
    Time time;
    std::string since;
  };
  std::optional<HeldClose> held_close_;
  std::uint64_t told_abort_ = 0;  // the transaction whose abort the finding above told; 0: none
  std::vector<EndFinding> at_end_;
};

}  // namespace smtpscope
