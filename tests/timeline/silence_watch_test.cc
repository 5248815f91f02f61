#include "timeline/state/silence_watch.h"

#include "tests/catch.h"

namespace smtpscope {
namespace {

using std::chrono::seconds;

constexpr Time at(int s) { return Time{} + seconds(s); }
constexpr Owed kServerOwes{Party::kServer, "the greeting"};
constexpr Owed kClientOwes{Party::kClient, "a command"};

TEST_CASE("a wait belongs to who owed the next octet") {
  SilenceWatch watch;
  watch.end(at(1));
  watch.expect(kServerOwes, {});
  const auto wait = watch.end(at(4));
  CHECK(wait.from == at(1));
  CHECK(wait.to == at(4));
  CHECK(wait.party == Party::kServer);
  CHECK(wait.owed == "the greeting");
  watch.expect(kClientOwes, {});
  CHECK(watch.end(at(6)).length() == seconds(2));
  CHECK(watch.idle(Party::kServer) == seconds(3));
  CHECK(watch.idle(Party::kClient) == seconds(2));
}

TEST_CASE("nothing was waited for before the beginning") {
  SilenceWatch watch;
  CHECK(watch.end(at(100)).length() == Duration::zero());
}

TEST_CASE("time that goes back is no wait") {
  SilenceWatch watch;
  watch.end(at(10));
  watch.expect(kClientOwes, {});
  CHECK(watch.end(at(5)).length() == Duration::zero());
  watch.expect(kClientOwes, {});
  CHECK(watch.end(at(12)).length() == seconds(2));
}

TEST_CASE("a proxy that was stopped for most of the wait is to blame, not for less") {
  SilenceWatch watch;
  watch.end(at(0));
  watch.expect(kClientOwes, {});
  watch.proxy_stalled(at(4), at(10));
  CHECK(watch.end(at(10)).party == Party::kProxy);
  watch.expect(kClientOwes, {});
  watch.proxy_stalled(at(16), at(20));
  CHECK(watch.end(at(20)).party == Party::kClient);
}

TEST_CASE("who does not read what was sent to it is to blame") {
  SilenceWatch watch;
  watch.end(at(0));
  watch.expect(kClientOwes, {});
  watch.blocked(Side::kServer, at(0), at(9));
  CHECK(watch.end(at(10)).party == Party::kServer);
}

TEST_CASE("only what lies in the wait counts, and only for it") {
  SilenceWatch watch;
  watch.end(at(100));
  watch.expect(kClientOwes, {});
  watch.proxy_stalled(at(0), at(101));
  CHECK(watch.end(at(110)).party == Party::kClient);
  watch.expect(kClientOwes, {});
  CHECK(watch.end(at(111)).party == Party::kClient);
}

}  // namespace
}  // namespace smtpscope
