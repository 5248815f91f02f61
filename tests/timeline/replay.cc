#include "tests/timeline/replay.h"

#include "capture/screen.h"
#include "timeline/tracker.h"

namespace smtpscope::test {
namespace {

TimelineDump run(const Transcript& transcript, bool reads, bool octet_by_octet) {
  TimelineDump dump(reads);
  Tracker tracker(1, TrackerOptions(), dump);
  Screen screen({.keep_credentials = true}, nullptr, &tracker, transcript.mid_session);
  for (const OwnedEvent& each : transcript.events) {
    dump.next_event();
    const auto* bytes = std::get_if<Bytes>(&each.event.body);
    if (bytes == nullptr || !octet_by_octet) {
      screen.feed(each.event);
      continue;
    }
    for (std::size_t i = 0; i < bytes->head.size(); ++i) {
      Bytes one = *bytes;
      one.head = bytes->head.subspan(i, 1);
      screen.feed({.session = 1, .time = each.time, .body = one});
    }
  }
  return dump;
}

}  // namespace

TimelineDump replay(const Transcript& transcript) { return run(transcript, true, false); }
TimelineDump replay_octet_by_octet(const Transcript& transcript) {
  return run(transcript, false, true);
}
TimelineDump replay_without_reads(const Transcript& transcript) {
  return run(transcript, false, false);
}

}  // namespace smtpscope::test
