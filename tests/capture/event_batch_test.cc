// Events that wait keep all that they said, though what they pointed to is gone.

#include "capture/event_batch.h"

#include <string>
#include <vector>

#include "base/octets.h"
#include "capture/event_format.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

/// A text that is overwritten as soon as it has been handed over.
class Passing {
 public:
  std::string_view text(std::string_view text) {
    texts_.push_back(std::make_unique<std::string>(text));
    return *texts_.back();
  }
  std::span<const std::uint8_t> octets(std::string_view of) { return octets_of(text(of)); }
  void overwrite() {
    for (const auto& each : texts_) each->assign(each->size(), '?');
  }

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
};

std::string line_of(const WireEvent& event) {
  std::string line(most_event_line(event), '\0');
  line.resize(static_cast<std::size_t>(format_event(line.data(), event) - line.data()));
  return line;
}

WireEvent read(std::span<const std::uint8_t> octets) {
  Bytes bytes;
  bytes.head = octets;
  return {1, Time(Duration(7)), bytes};
}

}  // namespace

TEST_CASE("each kind of event outlives what its views pointed to") {
  Passing passing;
  std::vector<WireEvent> events;
  const auto add = [&](auto body) { events.push_back({3, Time(Duration(5)), std::move(body)}); };
  add(SessionOpened{.client = passing.text("192.0.2.10:50114"),
                    .listener = passing.text("192.0.2.1:2525"),
                    .upstream = passing.text("mx.example:25")});
  add(UpstreamConnected{.server = passing.text("192.0.2.25:25"), .took = Duration(9)});
  add(UpstreamFailed{.reason = passing.text("connection refused")});
  Bytes bytes;
  bytes.from = Side::kServer;
  bytes.head = passing.octets("250-mx.example\r\n250-STARTTLS\r\n250 SIZE\r\n");
  bytes.instead = passing.octets("250-mx.example\r\n250 SIZE\r\n");
  add(bytes);
  bytes.instead = std::span<const std::uint8_t>();
  bytes.by_proxy = bytes.undelivered = bytes.tls = true;
  add(bytes);
  add(Blocked{.since = Time(Duration(2)), .octets = 12});
  add(ProxyStalled{Time(Duration(2))});
  add(Gap{.from = Side::kClient, .octets = 3, .why = passing.text("the disk was full")});
  add(Closed{.kind = CloseKind::kError, .reason = passing.text("broken pipe")});
  add(SessionEnded{});
  add(TlsHandshake{.facts = std::make_shared<const TlsFacts>()});
  add(TlsAlerted{.description = 48});

  std::vector<std::string> expected;
  for (const WireEvent& event : events) expected.push_back(line_of(event));

  EventBatch batch;
  for (const WireEvent& event : events) REQUIRE(batch.add(event));
  passing.overwrite();
  std::vector<std::string> kept;
  for (const WireEvent& event : batch.events()) kept.push_back(line_of(event));
  CHECK(kept == expected);
}

TEST_CASE("a batch takes so many events and so many octets, and all of them again when cleared") {
  EventBatch batch;
  CHECK(batch.empty());
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < EventBatch::kMostEvents; ++i) REQUIRE(batch.add(read({})));
    CHECK(!batch.add(read({})));
    CHECK(batch.events().size() == EventBatch::kMostEvents);
    batch.clear();
    CHECK(batch.empty());

    const std::string half(EventBatch::kMostOctets / 2, 'x');
    REQUIRE(batch.add(read(octets_of(half))));
    CHECK(!batch.add(read(octets_of(half + "x"))));
    REQUIRE(batch.add(read(octets_of(half))));
    REQUIRE(batch.add(read({})));
    CHECK(!batch.add(read(octets_of("x"))));
    CHECK(batch.events().size() == 3);
    batch.clear();
  }
}
