#pragma once

#include "tests/timeline/timeline_dump.h"
#include "tests/timeline/transcript.h"

namespace smtpscope::test {

/// The transcript's events through a Screen and a Tracker.
TimelineDump replay(const Transcript& transcript);

/// The same, each octet as a read of its own (all at the time of the whole read). Leaves out of
/// the dump how octets were cut into reads.
TimelineDump replay_octet_by_octet(const Transcript& transcript);
/// replay() with as little in the dump, to compare the one above with.
TimelineDump replay_without_reads(const Transcript& transcript);

}  // namespace smtpscope::test
