#include "web/record_ring.h"

#include <fmt/format.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>

#include "tests/catch.h"
#include "web/gathered_records.h"

namespace smtpscope::test {
namespace {

constexpr std::size_t kPlenty = std::size_t{1} << 20;

std::string record(int number) { return fmt::format("{{\"event\":\"entry\",\"n\":{}}}", number); }

TEST_CASE("a reader gets each record once, in order, with its number") {
  int changes = 0;
  RecordRing ring("e", kPlenty, [&] { ++changes; });
  CHECK(ring.read(0, kPlenty).events.empty());
  ring.write(record(1) + "\n" + record(2) + "\n");
  ring.write(record(3) + "\n");
  CHECK(changes == 2);

  const RecordRing::Piece first = ring.read(0, 1);
  CHECK(first.events == "id: e-1\ndata: " + record(1) + "\n\n");
  const RecordRing::Piece rest = ring.read(first.last, kPlenty);
  CHECK(rest.events == "id: e-2\ndata: " + record(2) + "\n\nid: e-3\ndata: " + record(3) + "\n\n");
  CHECK(rest.last == 3);
  CHECK(ring.read(rest.last, kPlenty).events.empty());
}

TEST_CASE("what is held stays within the limit, and who missed something is told") {
  constexpr std::size_t kLimit = 10'000;
  RecordRing ring("e", kLimit, [] {});
  ring.write("{\"event\":\"run\",\"source\":\"live\"}\n");
  for (int i = 1; i <= 1000; ++i) {
    ring.write(record(i) + "\n");
    REQUIRE(ring.held() <= kLimit);
  }
  const RecordRing::Piece piece = ring.read(5, kPlenty);
  // It begins anew, with what the run is.
  CHECK(
      piece.events.starts_with("event: resync\ndata: {\"run\":0,\"before\":0}\n\nid: e-1\ndata: "
                               "{\"event\":\"run\",\"source\":\"live\"}\n\nid: e-"));
  CHECK(piece.last == 1001);
  CHECK(piece.events.ends_with(record(1000) + "\n\n"));
  // One that kept up misses nothing.
  CHECK(ring.read(1000, kPlenty).events == "id: e-1001\ndata: " + record(1000) + "\n\n");
}

std::string of_session(int session, std::string_view event, std::size_t octets = 0) {
  return fmt::format("{{\"event\":\"{}\",\"session\":{},\"x\":\"{}\"}}\n", event, session,
                     std::string(octets, 'x'));
}

TEST_CASE("sessions go as a whole, the one that ended first first, and open ones stay") {
  RecordRing ring("e", 10'000, [] {});
  ring.write("{\"event\":\"run\"}\n");
  ring.write(of_session(1, "session-started", 10));  // goes on
  for (int i = 2; i <= 60; ++i) {
    ring.write(of_session(i, "session-started", 100));
    ring.write(of_session(i, "session-ended", 100));
    ring.write(of_session(i, "octets", 300));
    REQUIRE(ring.held() <= 10'000);
  }
  const RecordRing::Piece first = ring.read(0, 1);
  CHECK(first.events.starts_with("event: resync\ndata: {\"run\":1,\"before\":"));
  const std::string all = first.events + ring.read(first.last, kPlenty).events;
  CHECK(all.find("\"session-started\",\"session\":1,") != std::string::npos);
  CHECK(all.find("\"session\":2,") == std::string::npos);
  for (int i = 2; i <= 60; ++i) {
    INFO(i);
    const auto has = [&](std::string_view event) {
      return all.find(of_session(i, event).substr(0, 30 + event.size())) != std::string::npos;
    };
    CHECK(has("session-started") == has("session-ended"));
    CHECK(has("session-started") == has("octets"));
  }
  CHECK(all.find("\"session\":60,") != std::string::npos);
}

TEST_CASE("records of a session that are written together are one piece") {
  RecordRing ring("e", kPlenty, [] {});
  const std::string one = of_session(1, "session-started");
  const std::string end = of_session(1, "session-ended");
  ring.write("{\"event\":\"run\"}\n" + one + end + of_session(2, "session-started"));
  const auto data = [](std::string line) { return "data: " + line; };
  CHECK(ring.read(0, kPlenty).events == "id: e-1\ndata: {\"event\":\"run\"}\n\nid: e-2\n" +
                                            data(one) + data(end) + "\nid: e-3\n" +
                                            data(of_session(2, "session-started")) + "\n");
  // The end is seen wherever it stands: what ended goes first.
  RecordRing small("e", 1000, [] {});
  small.write(of_session(1, "session-started"));
  small.write(of_session(2, "session-started") + of_session(2, "session-ended", 300));
  small.write(of_session(3, "session-started", 500));
  const std::string left = small.read(0, kPlenty).events;
  CHECK(left.find("\"session\":1,") != std::string::npos);
  CHECK(left.find("\"session\":2,") == std::string::npos);
  CHECK(left.find("\"session\":3,") != std::string::npos);
}

TEST_CASE("gathered records of a session go on together, and those of a run in their place") {
  struct Written : Output {
    void write(std::string_view text) override {
      ++times;
      all += text;
    }
    int times = 0;
    std::string all;
  };
  Written written;
  GatheredRecords gathered(written);
  gathered.write("{\"event\":\"run\"}\n");
  CHECK(written.times == 1);
  const std::string one = of_session(1, "session-started");
  const std::string two = of_session(2, "session-started");
  const std::string end = of_session(1, "session-ended");
  gathered.write(one);
  gathered.write(two);
  gathered.write(end);
  CHECK(written.times == 1);
  gathered.flush();
  CHECK(written.times == 2);
  gathered.flush();
  CHECK(written.times == 2);
  CHECK(written.all == "{\"event\":\"run\"}\n" + one + end + two);
  written.all.clear();
  gathered.write(two);
  gathered.write("{\"event\":\"run-ended\"}\n");
  CHECK(written.all == two + "{\"event\":\"run-ended\"}\n");
  // What is held is bounded.
  const std::string large = of_session(4, "octets", GatheredRecords::kMost);
  written.all.clear();
  gathered.write(large);
  CHECK(written.all == large);
}

TEST_CASE("a reader that begins in the middle of much writing gets ahead") {
  RecordRing ring("e", 5'000, [] {});
  int session = 0;
  const auto some = [&] {
    ++session;
    ring.write(of_session(session, "session-started", 50) + of_session(session, "session-ended"));
  };
  for (int i = 0; i < 50; ++i) some();
  RecordRing::Piece piece = ring.read(0, 1);
  int restarts = 0;
  for (int i = 0; i < 200; ++i) {
    if (i % 4 == 0) some();
    piece = ring.read(piece.last, 1);
    restarts += piece.events.starts_with("event: resync") ? 1 : 0;
  }
  CHECK(restarts <= 1);  // what it was about to read may have gone
  CHECK(ring.read(piece.last, 1).events.empty());
}

TEST_CASE("a record larger than the limit is there until the next one") {
  RecordRing ring("e", 100, [] {});
  ring.write(std::string(1000, 'x') + "\n");
  CHECK(ring.read(0, 1).last == 1);
  ring.write("y\n");
  CHECK(ring.read(1, 1).events == "id: e-2\ndata: y\n\n");
}

TEST_CASE("numbers of another run begin anew") {
  RecordRing ring("new", kPlenty, [] {});
  ring.write(record(1) + "\n");
  CHECK(ring.number_of("new-1") == 1);
  for (const char* id :
       {"old-1", "new", "new-", "new-x", "", "newer-1", "new-99999999999999999999"}) {
    INFO(id);
    CHECK(ring.read(ring.number_of(id), kPlenty).events.starts_with("event: resync"));
  }
}

TEST_CASE("readers and a writer at once") {
  constexpr int kRecords = 20'000;
  RecordRing ring("e", 200'000, [] {});
  std::atomic<bool> done{false};
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (true) {
      const bool was_done = done;
      const RecordRing::Piece piece = ring.read(last, 4096);
      if (piece.last < last) std::abort();
      last = piece.last;
      if (was_done && piece.events.empty()) break;
    }
    if (last != kRecords) std::abort();
  });
  for (int i = 1; i <= kRecords; ++i) ring.write(record(i) + "\n");
  done = true;
  reader.join();
  CHECK(ring.held() <= 200'000);
}

}  // namespace
}  // namespace smtpscope::test
