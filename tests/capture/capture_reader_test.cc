// Captures in every state in which a disk can hold them.

#include "capture/capture_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "capture/event_format.h"
#include "tests/capture/temp_folder.h"
#include "tests/capture/wire_script.h"
#include "tests/catch.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

const std::string kHeader =
    "{\"smtpcap\":1,\"started\":\"2026-11-23T12:00:00Z\",\"writer\":\"test\"}\n";

std::string end_line(int ns) {
  return "{\"t\":" + std::to_string(ns) + ",\"s\":1,\"e\":\"end\"}\n";
}

struct Read {
  std::vector<EventCopy> events;
  std::vector<SourceNotice> notices;
};

Read read_all(const std::string& path) {
  Result<std::unique_ptr<CaptureReader>> reader = CaptureReader::open(path);
  REQUIRE(reader.ok());
  EventKeeper keeper;
  while (true) {
    const Result<bool> more = reader.value()->next(keeper);
    REQUIRE(more.ok());
    if (!more.value()) break;
  }
  return {std::move(keeper.events), reader.value()->notices()};
}

std::string open_error(const std::string& path) {
  const Result<std::unique_ptr<CaptureReader>> reader = CaptureReader::open(path);
  REQUIRE(!reader.ok());
  return reader.error().message;
}

}  // namespace

TEST_CASE("a whole capture is read without notice") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  write_file(path, kHeader + end_line(1) + end_line(2));
  const Read read = read_all(path);
  CHECK(read.events.size() == 2);
  CHECK(ns_of(read.events[1].event().time) == 2);
  CHECK(read.notices.empty());
  const auto reader = CaptureReader::open(path);
  CHECK(reader.value()->run().writer == "test");
  CHECK(reader.value()->run().source == path);
}

TEST_CASE("a capture cut anywhere is read up to its last whole line") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  Bytes bytes;
  bytes.head = octets_of("EHLO \xff\r\n");
  std::string text(most_event_line({1, at_ns(1), bytes}), ' ');
  text.resize(
      static_cast<std::size_t>(format_event(text.data(), {1, at_ns(1), bytes}) - text.data()));
  const std::string whole = kHeader + text + end_line(2) + end_line(3);
  for (std::size_t size = kHeader.size(); size <= whole.size(); ++size) {
    write_file(path, whole.substr(0, size));
    INFO("cut after " << size << " octets");
    const Read read = read_all(path);
    const std::string events = whole.substr(kHeader.size(), size - kHeader.size());
    const auto lines = static_cast<std::size_t>(std::count(events.begin(), events.end(), '\n'));
    CHECK(read.events.size() == lines);
    const bool cut = !events.empty() && events.back() != '\n';
    REQUIRE(read.notices.size() == (cut ? 1 : 0));
    if (cut) {
      CHECK(read.notices[0].kind == SourceNotice::Kind::kCut);
      CHECK(read.notices[0].text == "it ends inside line " + std::to_string(lines + 2) +
                                        ": the trace was cut off there, and all whole lines "
                                        "before were read");
    }
  }
}

TEST_CASE("a corrupt line becomes a gap of the whole run") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  write_file(path, kHeader + end_line(1) + "{\"t\":2,\"s\":1,\"e\":\"en\x1b[31m\n" + end_line(3) +
                       "x\n\n" + end_line(4));
  const Read read = read_all(path);
  REQUIRE(read.events.size() == 5);
  const WireEvent& event = read.events[1].event();
  CHECK(event.session == kWholeRun);
  CHECK(ns_of(event.time) == 1);
  const Gap& gap = std::get<Gap>(event.body);
  CHECK(gap.of_unknown_octets());
  CHECK(gap.why == "the capture cannot be read at line 3: it is not a JSON object");
  REQUIRE(read.notices.size() == 1);
  CHECK(read.notices[0].kind == SourceNotice::Kind::kCorrupt);
  CHECK(read.notices[0].count == 2);
  CHECK(read.notices[0].text.find("line 3") != std::string::npos);
}

TEST_CASE("a line that is too long is skipped, and memory stays bounded") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  write_file(path, kHeader + end_line(1) + std::string(5 * CaptureReader::kMaxLine, 'x') + "\n" +
                       end_line(3));
  const Read read = read_all(path);
  REQUIRE(read.events.size() == 3);
  CHECK(std::get<Gap>(read.events[1].event().body).why ==
        "the capture cannot be read at line 3: it is too long");
  CHECK(ns_of(read.events[2].event().time) == 3);
}

TEST_CASE("a capture that ends in a line that is too long is cut") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  write_file(path, kHeader + end_line(1) + std::string(3 * CaptureReader::kMaxLine, 'x'));
  const Read read = read_all(path);
  CHECK(read.events.size() == 1);
  REQUIRE(read.notices.size() == 1);
  CHECK(read.notices[0].kind == SourceNotice::Kind::kCut);
}

TEST_CASE("events of unknown kinds are counted by name") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  const std::string odd = "{\"t\":1,\"s\":1,\"e\":\"odd\"}\n";
  write_file(path, kHeader + odd + "{\"t\":1,\"s\":1,\"e\":\"new\"}\n" + end_line(2) + odd);
  const Read read = read_all(path);
  CHECK(read.events.size() == 1);
  REQUIRE(read.notices.size() == 1);
  CHECK(read.notices[0].kind == SourceNotice::Kind::kUnknown);
  CHECK(read.notices[0].count == 3);
  CHECK(read.notices[0].text ==
        "3 events are of kinds that this version does not know (1 \"new\", 2 \"odd\") and were "
        "skipped");
}

TEST_CASE("a growing capture is followed") {
  const TempFolder folder;
  const std::string path = folder.file("a.smtpcap");
  write_file(path, kHeader);
  Result<std::unique_ptr<CaptureReader>> reader = CaptureReader::open(path);
  REQUIRE(reader.ok());
  EventKeeper keeper;
  const auto next = [&] { return reader.value()->next(keeper).value(); };
  CHECK(!next());
  std::string all;
  for (int i = 1; i < 50; ++i) {
    const std::string line = end_line(i);
    const std::size_t half = static_cast<std::size_t>(i) % line.size();
    std::ofstream(path, std::ios::app) << line.substr(0, half);
    CHECK(!next());
    std::ofstream(path, std::ios::app) << line.substr(half);
    CHECK(next());
    CHECK(!next());
    REQUIRE(keeper.events.size() == static_cast<std::size_t>(i));
    CHECK(ns_of(keeper.events.back().event().time) == i);
  }
  CHECK(reader.value()->notices().empty());
}

TEST_CASE("what is no capture is refused with a reason") {
  const TempFolder folder;
  const std::string path = folder.file("a");
  CHECK(open_error(path) == "cannot open " + path + ": No such file or directory");
  CHECK(open_error(folder.file("")) == folder.file("") + " is a folder; name a capture in it");
  write_file(path, "");
  CHECK(open_error(path) == path + " is empty: nothing was captured into it");
  const std::string no_capture =
      "cannot read " + path +
      ": its first line is not {\"smtpcap\":1,...}, so it is no capture of smtpscope";
  for (const std::string content :
       {"Nov 23 postfix/smtpd[1]: connect\n", "{\"a\":1}\n", "{\"smtpcap\":\"1\"}\n", "[]\n",
        "{\"smtpcap\":0}\n", "\n", "{\"smtpcap\""}) {
    write_file(path, content);
    INFO(content);
    CHECK(open_error(path) == no_capture);
  }
  write_file(path, std::string(2 * CaptureReader::kMaxLine, 'x'));
  CHECK(open_error(path) == no_capture);
  write_file(path, "{\"smtpcap\":1,\"started\":\"yesterday\"}\n");
  CHECK(open_error(path) ==
        "cannot read " + path + ": its first line does not say when it was started");
}

TEST_CASE("a later version is refused with a reason") {
  const TempFolder folder;
  const std::string path = folder.file("a");
  write_file(path, "{\"smtpcap\":2,\"writer\":\"smtpscope 7\"}\n");
  CHECK(open_error(path) ==
        "cannot read " + path +
            ": it is in version 2 of the capture format, written by smtpscope 7; this smtpscope "
            "reads up to version 1, so use a newer one");
}

TEST_CASE("the example in the documentation is a capture") {
  const std::string page = content_of(SMTPSCOPE_SOURCE_DIR "/docs/capture-format.md");
  const std::string fence = "```\n";
  const std::size_t begin = page.find(fence) + fence.size();
  const std::string example = page.substr(begin, page.find(fence, begin) - begin);
  const TempFolder folder;
  write_file(folder.file("a"), example);
  const Read read = read_all(folder.file("a"));
  CHECK(read.notices.empty());
  CHECK(read.events.size() == 12);
  // It is as the writer would write it, but for the header.
  std::string written = example.substr(0, example.find('\n') + 1);
  for (const EventCopy& each : read.events) {
    std::string line(most_event_line(each.event()), ' ');
    line.resize(static_cast<std::size_t>(format_event(line.data(), each.event()) - line.data()));
    written += line;
  }
  CHECK(written == example);
}
