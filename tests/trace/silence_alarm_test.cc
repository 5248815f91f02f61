#include "trace/silence_alarm.h"

#include <chrono>

#include "tests/catch.h"
#include "timeline/event.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;
using Sayings = std::vector<std::string>;

SilenceWatch::Wait wait_of(Duration length, Party party, std::string_view owed,
                           Duration from = 0s) {
  return {.from = Time{from},
          .to = Time{from + length},
          .party = party,
          .owed = owed,
          .message_octets = {}};
}

TEST_CASE("a silence is told once at each length") {
  SilenceAlarm alarm({5s, 30s, 60s});
  SilenceAlarm::Told told;
  const auto look = [&](Duration length) {
    alarm.look(3, wait_of(length, Party::kServer, kOwedGreeting), told);
    return alarm.take();
  };
  CHECK(look(4s).empty());
  CHECK(look(5s) == Sayings{"session 3: server silent for 5 s, owes the greeting"});
  CHECK(look(29s).empty());
  CHECK(look(30s) == Sayings{"session 3: server silent for 30 s, owes the greeting"});
  CHECK(look(61s) == Sayings{"session 3: server silent for 60 s, owes the greeting"});
  CHECK(look(3600s).empty());
}

TEST_CASE("lengths that were passed together are told once") {
  SilenceAlarm alarm({5s, 30s, 60s});
  SilenceAlarm::Told told;
  alarm.look(1, wait_of(100s, Party::kClient, kOwedCommand), told);
  CHECK(alarm.take() == Sayings{"session 1: client silent for 60 s, owes a command"});
}

TEST_CASE("the next silence is told anew") {
  SilenceAlarm alarm({250ms});
  SilenceAlarm::Told told;
  alarm.look(1, wait_of(1s, Party::kClient, kOwedMailData), told);
  CHECK(alarm.take() == Sayings{"session 1: client silent for 250 ms, owes mail data"});
  alarm.look(1, wait_of(100ms, Party::kServer, kOwedEndOfData, 1s), told);
  CHECK(alarm.take().empty());
  alarm.look(1, wait_of(1s, Party::kServer, kOwedEndOfData, 1s), told);
  CHECK(alarm.take() ==
        Sayings{"session 1: server silent for 250 ms, owes the reply to the end of data"});
}

TEST_CASE("a connection that does not come about, and silences of nobody in particular") {
  SilenceAlarm alarm({5s});
  SilenceAlarm::Told first, second;
  alarm.look(1, wait_of(6s, Party::kProxy, kOwedConnection), first);
  alarm.look(2, wait_of(6s, Party::kUnknown, "something inside TLS"), second);
  CHECK(alarm.take() ==
        Sayings{"session 1: no connection to the server for 5 s",
                "session 2: both sides silent for 5 s, awaited: something inside TLS"});
}

TEST_CASE("of many silent sessions a few are named") {
  SilenceAlarm alarm({5s});
  for (SessionId id = 1; id <= 7; ++id) {
    SilenceAlarm::Told told;
    alarm.look(id, wait_of(6s, Party::kClient, kOwedCommand), told);
  }
  const Sayings sayings = alarm.take();
  REQUIRE(sayings.size() == SilenceAlarm::kNamed + 1);
  CHECK(sayings.back() == "2 more sessions are silent");
  CHECK(alarm.take().empty());
}

}  // namespace
}  // namespace smtpscope
