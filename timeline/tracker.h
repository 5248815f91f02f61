#pragma once

#include <memory>

#include "capture/screen.h"
#include "timeline/event.h"

namespace smtpscope {

/// Thresholds of the timing rules; the catalogue's defaults (rules 2.0).
struct TrackerOptions {
  Duration gap_note = std::chrono::milliseconds(950);
  Duration gap_warn = std::chrono::seconds(5);
};

/// Turns one session's items into its timeline: entries with times, transactions, silences,
/// annotations, totals. Emits as it goes and keeps bounded state, so the live view and a batch
/// export are the same code. One per session. Not thread-safe.
class Tracker : public ItemSink {
 public:
  /// `sink` must outlive the tracker.
  Tracker(SessionId session, TrackerOptions options, TimelineSink& sink);
  ~Tracker() override;
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  void on_event(const WireEvent& event, const Conversation& conversation) override;
  void on_item(const Item& item, const Conversation& conversation) override;
  void on_event_done(const WireEvent& event, const Conversation& conversation) override;
};

}  // namespace smtpscope
