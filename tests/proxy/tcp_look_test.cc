// When the relay asks the kernel how the connections do, and what it records of that.

#include <string>

#include "tests/catch.h"
#include "tests/proxy/playbook.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

constexpr TcpFigures kLost = {.unconfirmed = 8, .sent_again = 4, .unheard = 5s};
constexpr std::string_view kServerLost = "tcp server: 8 octets unconfirmed, sent again 4 times";
constexpr std::string_view kServerWell = "tcp server: 0 octets unconfirmed, sent again 0 times";
constexpr std::string_view kClientWell = "tcp client: 0 octets unconfirmed, sent again 0 times";

/// A playbook whose client has just said something, with connections that do well.
struct SpokenTo : Connected {
  SpokenTo() {
    kernel_tells(kC, {});
    kernel_tells(kS, {});
    given(from(kS, "220 mx\r\n"));
    given(from(kC, "EHLO a\r\n"));
  }
};

}  // namespace

TEST_CASE("octets that are lost are told at 5, 30 and 60 s of silence") {
  SpokenTo play;
  play.kernel_tells(kS, kLost);
  play.after(4999ms).on(TimePassed{});
  play.after(1ms).on(TimePassed{}).expect(Recorded{kServerLost});
  play.after(24s).on(TimePassed{});
  play.after(1s).on(TimePassed{}).expect(Recorded{kServerLost});
  // A beat that comes late tells once.
  play.after(100s).on(TimePassed{}).expect(Recorded{kServerLost});
  play.after(1000s).on(TimePassed{});
}

TEST_CASE("octets that come begin a new silence") {
  SpokenTo play;
  play.kernel_tells(kS, kLost);
  play.after(5s).on(TimePassed{}).expect(Recorded{kServerLost});
  play.kernel_tells(kS, {}).given(from(kS, "250 ok\r\n"));
  play.after(4s).on(TimePassed{});
  play.after(1s).on(TimePassed{}).expect(Recorded{kClientWell});
}

TEST_CASE("that all was confirmed is told once a silence, of who was spoken to last") {
  SpokenTo play;
  play.after(5s).on(TimePassed{}).expect(Recorded{kServerWell});
  play.after(25s).on(TimePassed{});
  SECTION("and what is lost later all the same") {
    play.kernel_tells(kS, kLost);
    play.after(30s).on(TimePassed{}).expect(Recorded{kServerLost});
  }
  SECTION("or of nobody, where nobody has said anything") {
    Connected silent;
    silent.kernel_tells(kC, {}).kernel_tells(kS, {});
    silent.after(5s).on(TimePassed{});
  }
}

TEST_CASE("at an end it is told how the other side does") {
  SpokenTo play;
  SECTION("behind a silence") {
    play.kernel_tells(kS, kLost);
    play.after(1s)
        .on(PeerClosed{kC, CloseKind::kFin, ""})
        .expect(Recorded{kServerLost})
        .expect(Recorded{"closed client fin"})
        .expect(SetDeadline{10min})
        .expect(Finish{kS});
    // And when nothing more has come of it.
    play.after(10min)
        .on(DeadlinePassed{})
        .expect(Recorded{kServerLost})
        .expect(Recorded{"closed server timeout by proxy: nothing came for 600 s after the other "
                         "side had closed"})
        .expect_both_closed();
  }
  SECTION("also that it has confirmed all") {
    play.after(1s)
        .on(PeerClosed{kC, CloseKind::kFin, ""})
        .expect(Recorded{kServerWell})
        .expect(Recorded{"closed client fin"})
        .expect(SetDeadline{10min})
        .expect(Finish{kS});
  }
  SECTION("not in the middle of a dialogue") { play.after(999ms).fin_is_passed_on(kC); }
  SECTION("of both sides, when smtpscope is stopped") {
    play.kernel_tells(kS, kLost);
    play.kernel_tells(kC, kLost);
    play.after(2s)
        .on(StopRequested{"it was stopped"})
        .expect(Recorded{"tcp client: 8 octets unconfirmed, sent again 4 times"})
        .expect(Recorded{kServerLost})
        .expect(Recorded{"closed client fin by proxy: it was stopped"})
        .expect(Recorded{"closed server fin by proxy: it was stopped"})
        .expect_both_closed();
  }
}

TEST_CASE("a transport without such figures is not told of") {
  Connected play;
  play.given(from(kC, "EHLO a\r\n"));
  play.after(60s).on(TimePassed{});
  play.fin_is_passed_on(kC);
}

}  // namespace smtpscope
