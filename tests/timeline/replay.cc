#include "tests/timeline/replay.h"

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "capture/capture_reader.h"
#include "capture/capture_writer.h"
#include "capture/screen.h"
#include "tests/catch.h"
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

/// A capture file's path that is gone at the end.
class TemporaryPath {
 public:
  TemporaryPath() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "smtpscope-transcript-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
  }
  ~TemporaryPath() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

  std::string path() const { return (folder_ / "a.smtpcap").string(); }

 private:
  std::filesystem::path folder_;
};

/// Feeds what a capture holds to a screen, and counts.
class IntoScreen : public WireSink {
 public:
  IntoScreen(Screen& screen, TimelineDump& dump) : screen_(screen), dump_(dump) {}
  void on_wire(const WireEvent& event) override {
    dump_.next_event();
    screen_.feed(event);
  }

 private:
  Screen& screen_;
  TimelineDump& dump_;
};

}  // namespace

LiveAndSaved replay_through_capture(const Transcript& transcript, std::uint64_t message_octets) {
  LiveAndSaved both;
  const TemporaryPath file;
  RunInfo run;
  run.writer = "transcript test";
  auto writer = CaptureWriter::create(file.path(), false, run);
  REQUIRE(writer.ok());
  {
    Tracker tracker(1, TrackerOptions(), both.live);
    Screen screen({.keep_credentials = false, .message_octets = message_octets},
                  writer.value().get(), &tracker, transcript.mid_session);
    for (const OwnedEvent& each : transcript.events) {
      both.live.next_event();
      screen.feed(each.event);
    }
  }
  REQUIRE(writer.value()->close());

  auto reader = CaptureReader::open(file.path());
  REQUIRE(reader.ok());
  Tracker tracker(1, TrackerOptions(), both.saved);
  Screen screen({.keep_credentials = true}, nullptr, &tracker, transcript.mid_session);
  IntoScreen sink(screen, both.saved);
  for (;;) {
    const Result<bool> more = reader.value()->next(sink);
    REQUIRE(more.ok());
    if (!more.value()) break;
  }
  return both;
}

TimelineDump replay(const Transcript& transcript) { return run(transcript, true, false); }
TimelineDump replay_octet_by_octet(const Transcript& transcript) {
  return run(transcript, false, true);
}
TimelineDump replay_without_reads(const Transcript& transcript) {
  return run(transcript, false, false);
}

}  // namespace smtpscope::test
