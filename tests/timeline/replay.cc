#include "tests/timeline/replay.h"

#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "capture/capture_reader.h"
#include "capture/capture_writer.h"
#include "capture/sanitizer.h"
#include "tests/catch.h"
#include "timeline/tracker.h"

namespace smtpscope::test {
namespace {

/// The sessions of a run, each on its way from octets to the one timeline.
class Run : public WireSink {
 public:
  /// `record` may be nullptr.
  Run(const Transcript& transcript, SanitizerPolicy policy, WireSink* record, TimelineDump& dump)
      : transcript_(transcript), policy_(policy), record_(record), dump_(dump) {}

  void on_wire(const WireEvent& event) override {
    dump_.next_event();
    feed(event);
  }
  /// Not counted as an event of its own.
  void feed(const WireEvent& event) {
    std::unique_ptr<Session>& session = sessions_[event.session];
    if (session == nullptr) session = std::make_unique<Session>(event.session, *this);
    session->sanitizer.feed(event);
    if (std::holds_alternative<SessionEnded>(event.body)) sessions_.erase(event.session);
  }

 private:
  struct Session {
    Session(SessionId id, Run& run)
        : tracker(id, run.transcript_.rules, run.history_, run.dump_),
          sanitizer(run.policy_, run.record_, &tracker, run.transcript_.mid_session) {}
    Tracker tracker;
    Sanitizer sanitizer;
  };

  const Transcript& transcript_;
  const SanitizerPolicy policy_;
  WireSink* record_;
  TimelineDump& dump_;
  RunHistory history_;
  std::map<SessionId, std::unique_ptr<Session>> sessions_;
};

TimelineDump run(const Transcript& transcript, bool reads, bool octet_by_octet) {
  TimelineDump dump(reads);
  Run sessions(transcript, {.keep_credentials = true}, nullptr, dump);
  for (const OwnedEvent& each : transcript.events) {
    const auto* bytes = std::get_if<Bytes>(&each.event.body);
    if (bytes == nullptr || bytes->left_out || !octet_by_octet) {
      sessions.on_wire(each.event);
      continue;
    }
    dump.next_event();
    for (std::size_t i = 0; i < bytes->head.size(); ++i) {
      Bytes one = *bytes;
      one.head = bytes->head.subspan(i, 1);
      sessions.feed({.session = each.event.session, .time = each.time, .body = one});
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

}  // namespace

LiveAndSaved replay_through_capture(const Transcript& transcript, std::uint64_t message_octets) {
  LiveAndSaved both;
  const TemporaryPath file;
  RunInfo run;
  run.writer = "transcript test";
  auto writer = CaptureWriter::create(file.path(), false, run);
  REQUIRE(writer.ok());
  {
    Run sessions(transcript, {.keep_credentials = false, .message_octets = message_octets},
                 writer.value().get(), both.live);
    for (const OwnedEvent& each : transcript.events) sessions.on_wire(each.event);
  }
  REQUIRE(writer.value()->close());

  auto reader = CaptureReader::open(file.path());
  REQUIRE(reader.ok());
  Run sessions(transcript, {.keep_credentials = true}, nullptr, both.saved);
  for (;;) {
    const Result<bool> more = reader.value()->next(sessions);
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
