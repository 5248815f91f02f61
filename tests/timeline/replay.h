#pragma once

#include <cstdint>

#include "tests/timeline/timeline_dump.h"
#include "tests/timeline/transcript.h"

namespace smtpscope::test {

/// The transcript's events through a Sanitizer and a Tracker.
TimelineDump replay(const Transcript& transcript);

/// The same, each octet as a read of its own (all at the time of the whole read). Leaves out of
/// the dump how octets were cut into reads.
TimelineDump replay_octet_by_octet(const Transcript& transcript);
/// replay() with as little in the dump, to compare the one above with.
TimelineDump replay_without_reads(const Transcript& transcript);

/// The live timeline while a capture is written, and the one made from that capture afterwards.
struct LiveAndSaved {
  TimelineDump live;
  TimelineDump saved;
};
/// At most `message_octets` of each message go into the capture. REQUIREs inside.
LiveAndSaved replay_through_capture(const Transcript& transcript, std::uint64_t message_octets);

}  // namespace smtpscope::test
