// Captures on disks that are slow, full, or hold something already.

#include "capture/capture_writer.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
            " exists, and is not overwritten; choose another name, or say --force to replace it");
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
  CHECK(create_error(folder.file("a"), false).find("is not overwritten") != std::string::npos);
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

TEST_CASE("what is no regular file is refused, and nobody waits for its reader") {
  const TempFolder folder;
  const std::string path = folder.file("fifo");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  // With a reader, so that opening would succeed.
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  REQUIRE(::symlink(path.c_str(), folder.file("link").c_str()) == 0);
  for (const bool force : {false, true}) {
    for (const char* name : {"fifo", "link"}) {
      const std::string complaint = create_error(folder.file(name), force);
      INFO(complaint);
      CHECK(complaint.find("it is a FIFO, and only regular files are written to") !=
            std::string::npos);
    }
  }
  char octet = 0;
  CHECK(::read(reader, &octet, 1) == 0);
  ::close(reader);
  struct stat there {};
  REQUIRE(::lstat(path.c_str(), &there) == 0);
  CHECK(S_ISFIFO(there.st_mode));
}

TEST_CASE("a link to a device is followed only where nobody else can have put it") {
  const TempFolder folder;
  REQUIRE(::symlink("/dev/null", folder.file("link").c_str()) == 0);
  CHECK(CaptureWriter::create(folder.file("link"), false, run_info()).ok());
  REQUIRE(::chmod(folder.file("").c_str(), 01777) == 0);
  CHECK(create_error(folder.file("link"), false).find("a link in a folder that others may write") !=
        std::string::npos);
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

namespace {

/// What a writer says of its capture.
struct Heard {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> sentences;

  CaptureWriter::Tell tell() {
    return [this](std::string_view text) {
      const std::lock_guard lock(mutex);
      sentences.emplace_back(text);
      changed.notify_all();
    };
  }
  /// Waits for one that holds `words`.
  void wait_for(std::string_view words) {
    std::unique_lock lock(mutex);
    const bool came = changed.wait_for(lock, kLong, [&] {
      return std::any_of(sentences.begin(), sentences.end(), [&](const std::string& each) {
        return each.find(words) != std::string::npos;
      });
    });
    INFO(words);
    CHECK(came);
  }
};

/// Forbids files to grow beyond a size, as a full disk does, until it is lifted.
class FullDisk {
 public:
  explicit FullDisk(rlim_t octets) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{octets, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { make_room(); }
  void make_room() const { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

/// Events of the wire in a capture, and those that its gaps tell of.
std::pair<std::uint64_t, std::uint64_t> events_and_gaps(const std::vector<EventCopy>& events) {
  std::pair<std::uint64_t, std::uint64_t> sum;
  for (const EventCopy& each : events) {
    const auto* gap = std::get_if<Gap>(&each.event().body);
    gap ? sum.second += gap->events : ++sum.first;
  }
  return sum;
}

}  // namespace

TEST_CASE("a capture goes on after the disk was full, and says what it lost") {
  const TempFolder folder;
  const std::string path = folder.file("a");
  Heard heard;
  // So little that the queue stays full, however quick or slow the thread is.
  const FullDisk disk(50000);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  const std::string header = format_header(run_info());
  REQUIRE(::write(descriptor, header.data(), header.size()) > 0);
  CaptureWriter writer(descriptor, 300000, heard.tell());
  writer.on_wire({1, at_ns(0), SessionOpened{"c", "l", "u", false}});
  std::uint64_t told = 1 + static_cast<std::uint64_t>(fill(writer, 1, 1)) + 1;
  writer.on_wire({2, at_ns(9000), SessionOpened{"c", "l", "u", false}});
  writer.on_wire({2, at_ns(9001), SessionEnded{}});
  told += 2;
  heard.wait_for("the capture cannot be written: File too large");
  heard.wait_for("the capture loses events");
  disk.make_room();
  SECTION("and something comes") {
    heard.wait_for("the capture is written again");
    writer.on_wire(bytes_event(3, 9002, Side::kServer, "220 mx\r\n"));
    ++told;
    heard.wait_for("the capture takes events again: 1 of them are missing, with 1000 octets");
  }
  SECTION("and nothing comes: at the next flush") {
    heard.wait_for("the capture is written again");
    writer.flush();
    heard.wait_for("the capture takes events again");
  }
  SECTION("and the run is over") {}
  const bool whole = writer.close(kLong);
  CHECK(!whole);
  CHECK(writer.totals().lost_events == 1);
  CHECK(writer.totals().lost_octets == 1000);
  CHECK(writer.totals().unwritten == 0);
  const auto [there, missing] = events_and_gaps(events_in(path));
  CHECK(missing == 1);
  CHECK(there + missing == told);
}

TEST_CASE("a disk that is full to the end delays nobody, and all that is missing is counted") {
  const TempFolder folder;
  const std::string path = folder.file("a");
  const FullDisk disk(100000);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  const std::string header = format_header(run_info());
  REQUIRE(::write(descriptor, header.data(), header.size()) > 0);
  CaptureWriter writer(descriptor, 300000);
  const auto handed_in = static_cast<std::uint64_t>(fill(writer, 1, 1)) + 1;
  CHECK(!writer.close(std::chrono::hours(1)));
  disk.make_room();
  const CaptureWriter::Totals totals = writer.totals();
  std::uint64_t there = 0;
  const auto reader = CaptureReader::open(path);
  REQUIRE(reader.ok());
  EventKeeper keeper;
  while (reader.value()->next(keeper).value()) ++there;
  CHECK(there > 10);
  CHECK(totals.lost_events == handed_in - there);
  CHECK(totals.lost_octets == 1000 * (handed_in - there));
  CHECK(totals.trouble == "File too large");
}
