// Captures on disks that are slow, full, or hold something already.

#include "capture/capture_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "capture/capture_reader.h"
#include "capture/event_format.h"
#include "capture/wall_time.h"
#include "tests/capture/temp_folder.h"
#include "tests/capture/wire_script.h"
#include "tests/catch.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

constexpr Duration kLong = std::chrono::seconds(60);

RunInfo run_info() {
  RunInfo run;
  run.started = *parse_wall_time("2026-11-23T12:00:00Z");
  run.writer = "test";
  run.message_kept = "full";
  return run;
}

std::string create_error(const std::string& path, bool force) {
  const auto writer = CaptureWriter::create(path, force, run_info());
  REQUIRE(!writer.ok());
  return writer.error().message;
}

WireEvent bytes_event(SessionId session, int ns, Side from, std::string_view text) {
  Bytes bytes;
  bytes.from = from;
  bytes.head = octets_of(text);
  return {session, at_ns(ns), bytes};
}

std::vector<EventCopy> events_in(const std::string& path) {
  const auto reader = CaptureReader::open(path);
  REQUIRE(reader.ok());
  EventKeeper keeper;
  while (reader.value()->next(keeper).value()) {
  }
  CHECK(reader.value()->notices().empty());
  return std::move(keeper.events);
}

/// A writer to a pipe that nobody reads until read_all().
class StalledCapture {
 public:
  explicit StalledCapture(std::size_t limit) {
    REQUIRE(::pipe(ends_) == 0);
    const std::string header = format_header(run_info());
    REQUIRE(::write(ends_[1], header.data(), header.size()) > 0);
    writer_ = std::make_unique<CaptureWriter>(ends_[1], limit);
  }
  ~StalledCapture() { ::close(ends_[0]); }

  CaptureWriter& writer() { return *writer_; }

  /// Lets the disk move until `text` was written.
  void read_until(std::string_view text) {
    writer_->flush();
    char buffer[4096];
    while (got_.find(text) == std::string::npos) {
      const ssize_t size = ::read(ends_[0], buffer, sizeof buffer);
      REQUIRE(size > 0);
      got_.append(buffer, static_cast<std::size_t>(size));
    }
  }
  /// Closes the writer and gives all that was written, as events.
  std::vector<EventCopy> read_all(const std::string& path) {
    std::thread reader([this] {
      char buffer[4096];
      for (ssize_t size = 1; size > 0;) {
        size = ::read(ends_[0], buffer, sizeof buffer);
        if (size > 0) got_.append(buffer, static_cast<std::size_t>(size));
      }
    });
    writer_->close(kLong);
    reader.join();
    write_file(path, got_);
    return events_in(path);
  }

 private:
  int ends_[2] = {-1, -1};
  std::unique_ptr<CaptureWriter> writer_;
  std::string got_;
};

/// Reads of both sides of session `session` until one of them is lost. Gives how many went in.
int fill(CaptureWriter& writer, SessionId session, int first) {
  const std::string text(1000, 'x');
  int n = first;
  while (true) {
    writer.on_wire(bytes_event(session, n, n % 2 ? Side::kClient : Side::kServer, text));
    if (writer.totals().lost_events > 0) return n - first;
    ++n;
  }
}

}  // namespace

TEST_CASE("a capture is for its owner only") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  const mode_t before = ::umask(0);
  const auto writer = CaptureWriter::create(path, false, run_info());
  ::umask(before);
  REQUIRE(writer.ok());
  struct stat file {};
  REQUIRE(::stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 07777) == 0600);
}

TEST_CASE("what was written is read again") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  auto writer = CaptureWriter::create(path, false, run_info());
  REQUIRE(writer.ok());
  writer.value()->on_wire({1, at_ns(1), SessionOpened{"c", "l", "u", false}});
  writer.value()->on_wire(bytes_event(1, 2, Side::kServer, "220 mx\r\n"));
  CHECK(writer.value()->pending());
  writer.value()->on_wire({1, at_ns(3), SessionEnded{}});
  CHECK(writer.value()->close());
  CHECK(writer.value()->totals().events == 3);
  CHECK(writer.value()->totals().trouble.empty());
  const std::vector<EventCopy> events = events_in(path);
  REQUIRE(events.size() == 3);
  CHECK(visible(events, Side::kServer) == "220 mx\r\n");
}

TEST_CASE("a file is never overwritten unless told to") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  write_file(path, "precious");
  CHECK(create_error(path, false) ==
        path +
            " exists, and captures are never overwritten; choose another name, or say --force "
            "to replace it");
  CHECK(content_of(path) == "precious");

  // Who reads the old file goes on reading the old file.
  const int old = ::open(path.c_str(), O_RDONLY);
  REQUIRE(CaptureWriter::create(path, true, run_info()).ok());
  CHECK(content_of(path).starts_with("{\"smtpcap\":1,"));
  char text[9] = {};
  CHECK(::read(old, text, 8) == 8);
  CHECK(std::string(text) == "precious");
  ::close(old);
}

TEST_CASE("force replaces a link, not what it leads to") {
  const TempFolder folder;
  write_file(folder.file("precious"), "precious");
  REQUIRE(::symlink(folder.file("precious").c_str(), folder.file("a").c_str()) == 0);
  CHECK(create_error(folder.file("a"), false).find("never overwritten") != std::string::npos);
  REQUIRE(CaptureWriter::create(folder.file("a"), true, run_info()).ok());
  CHECK(content_of(folder.file("precious")) == "precious");
}

TEST_CASE("devices are written to, not replaced") {
  for (const bool force : {false, true}) {
    CHECK(CaptureWriter::create("/dev/null", force, run_info()).ok());
    struct stat file {};
    REQUIRE(::stat("/dev/null", &file) == 0);
    CHECK(S_ISCHR(file.st_mode));
  }
}

TEST_CASE("files that cannot be written are refused with a reason") {
  const TempFolder folder;
  const std::string path = folder.file("no/such/folder");
  CHECK(create_error(path, false) ==
        "cannot create " + path + ": No such file or directory; the folder must exist before");
  CHECK(create_error(folder.file(""), true) ==
        "cannot write the capture to " + folder.file("") + ": it is a folder; name a file in it");
  CHECK(create_error("/dev/full", false) ==
        "cannot write the capture to /dev/full: No space left on device");
}

TEST_CASE("what a stalled disk did not take is a gap, side by side") {
  const TempFolder folder;
  StalledCapture capture(500000);
  CaptureWriter& writer = capture.writer();
  writer.on_wire({1, at_ns(0), SessionOpened{"c", "l", "u", false}});
  const int written = fill(writer, 1, 1);
  const int last = written + 1;
  writer.on_wire(bytes_event(1, last + 1, Side::kClient, "lost, too"));
  writer.on_wire({1, at_ns(last + 2), Blocked{Side::kServer, at_ns(0), 1}});
  CHECK(writer.totals().lost_events == 3);
  CHECK(writer.totals().lost_octets == 1009);

  capture.read_until("\"t\":" + std::to_string(written) + ",");
  // The disk moves again; the next event goes in as soon as the thread has noted it.
  std::uint64_t lost = 3;
  int ns = last + 3;
  while (true) {
    writer.on_wire(bytes_event(1, ns, Side::kServer, "after"));
    if (writer.totals().lost_events == lost) break;
    ++lost;
    ++ns;
    std::this_thread::yield();
  }
  const std::vector<EventCopy> events = capture.read_all(folder.file("a"));
  // The opening, the reads, a gap for each side that lost octets, and what came after.
  std::uint64_t octets[2] = {0, 0};
  std::uint64_t missing[2] = {0, 0};
  std::uint64_t events_missing = 0;
  for (const EventCopy& each : events) {
    if (const auto* bytes = std::get_if<Bytes>(&each.event().body)) {
      octets[index(bytes->from)] += bytes->octets();
    } else if (const auto* gap = std::get_if<Gap>(&each.event().body)) {
      CHECK(each.event().session == 1);
      CHECK(gap->why == "the disk did not keep up");
      REQUIRE(gap->from);
      missing[index(*gap->from)] += gap->octets;
      events_missing += gap->events;
    }
  }
  CHECK(events_missing == lost);
  CHECK(octets[0] + missing[0] + octets[1] + missing[1] ==
        1000 * static_cast<std::uint64_t>(last) + 9 + (lost - 3) * 5 + 5);
  CHECK(std::holds_alternative<Bytes>(events.back().event().body));
  CHECK(ns_of(events.back().event().time) == ns);
}

TEST_CASE("sessions that began or ended in a hole are known all the same") {
  const TempFolder folder;
  StalledCapture capture(200000);
  CaptureWriter& writer = capture.writer();
  const int written = fill(writer, 1, 1);
  writer.on_wire({1, at_ns(5000), SessionEnded{}});
  writer.on_wire({2, at_ns(5001), SessionOpened{"client two", "l", "u", false}});
  writer.on_wire(bytes_event(2, 5002, Side::kServer, "220 mx\r\n"));
  writer.on_wire({2, at_ns(5003), Closed{Side::kClient, CloseKind::kFin, false, ""}});
  writer.on_wire({3, at_ns(5004), SessionOpened{"client three", "l", "u", false}});
  writer.on_wire({3, at_ns(5005), UpstreamFailed{"refused"}});
  writer.on_wire({3, at_ns(5006), SessionEnded{}});

  capture.read_until("\"t\":" + std::to_string(written) + ",");
  const std::vector<EventCopy> all = capture.read_all(folder.file("a"));
  REQUIRE(all.size() > static_cast<std::size_t>(written));
  const std::span events = std::span(all).subspan(static_cast<std::size_t>(written));
  REQUIRE(events.size() == 7);
  const auto session = [&](std::size_t i) { return events[i].event().session; };
  const auto time = [&](std::size_t i) { return ns_of(events[i].event().time); };
  const auto gap = [&](std::size_t i) { return std::get<Gap>(events[i].event().body); };

  CHECK((session(0) == 1 && time(0) == 5000));
  CHECK((gap(0).octets == 1000 && gap(0).events == 1));
  CHECK((session(1) == 1 && std::holds_alternative<SessionEnded>(events[1].event().body)));

  CHECK((session(2) == 2 && time(2) == 5001));
  CHECK(std::get<SessionOpened>(events[2].event().body).client == "client two");
  CHECK((session(3) == 2 && time(3) == 5003));
  CHECK((gap(3).from == Side::kServer && gap(3).octets == 8 && gap(3).events == 2));

  CHECK((session(4) == 3 && std::holds_alternative<SessionOpened>(events[4].event().body)));
  CHECK((session(5) == 3 && !gap(5).from && gap(5).events == 1));
  CHECK(!gap(5).of_unknown_octets());
  CHECK((session(6) == 3 && std::holds_alternative<SessionEnded>(events[6].event().body)));
}

TEST_CASE("losses of very many sessions are counted together") {
  const TempFolder folder;
  StalledCapture capture(200000);
  CaptureWriter& writer = capture.writer();
  const int written = fill(writer, 1, 1);
  for (SessionId id = 2; id < 3000; ++id) {
    writer.on_wire(bytes_event(id, 5000, Side::kServer, "220 mx\r\n"));
  }
  capture.read_until("\"t\":" + std::to_string(written) + ",");
  const std::vector<EventCopy> events = capture.read_all(folder.file("a"));
  std::uint64_t lost = 0;
  std::uint64_t of_unknown_sessions = 0;
  for (const EventCopy& each : events) {
    const auto* gap = std::get_if<Gap>(&each.event().body);
    if (!gap) continue;
    lost += gap->events;
    if (each.event().session == kWholeRun) of_unknown_sessions += gap->events;
  }
  CHECK(lost == writer.totals().lost_events);
  CHECK(of_unknown_sessions == 2999 - 1024);
}

TEST_CASE("a full disk is told as such") {
  const int full = ::open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  CaptureWriter writer(full, 300000);
  writer.on_wire(bytes_event(1, 0, Side::kServer, "220 mx\r\n"));
  writer.flush();
  fill(writer, 1, 1);
  CHECK(!writer.close(kLong));
  CHECK(writer.totals().lost_events > 0);
  CHECK(writer.totals().unwritten > 0);
  CHECK(writer.totals().trouble == "No space left on device");
}
