#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "exporters/text_sheet.h"
#include "exporters/text_style.h"
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

  SessionId session_;
  Time began_;
  WallTime run_started_;
  Fidelity fidelity_;
  bool in_transaction_ = false;  // the bracket at the margin is open
  bool behind_silence_ = false;  // the line above told of the silence before the next one
};

}  // namespace smtpscope
