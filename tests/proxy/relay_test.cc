#include "proxy/relay.h"

#include <string>

#include "tests/catch.h"
#include "tests/proxy/playbook.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRefusal =
    "421 4.4.1 smtpscope: the mail server behind this tracing proxy does not answer\r\n";

}  // namespace

TEST_CASE("octets go to the other side first and to the observer after") {
  Connected play;
  play.on(from(kS, "220 mx\r\n")).expect(SendTo{kC, "220 mx\r\n"}).expect(Fed{kS, "220 mx\r\n"});
  play.on(from(kC, "EHLO a\r\n")).expect(SendTo{kS, "EHLO a\r\n"}).expect(Fed{kC, "EHLO a\r\n"});
}

TEST_CASE("each read stays one write, whatever it holds") {
  Connected play;
  const std::string odd("\0\r\xff.\n", 5);
  for (const std::string_view piece : {std::string_view(odd), std::string_view("R")}) {
    play.on(from(kC, piece)).expect(SendTo{kS, piece}).expect(Fed{kC, piece});
  }
}

TEST_CASE("QUIT, 221, then the server and the client close") {
  Connected play;
  play.given(from(kC, "QUIT\r\n")).given(from(kS, "221 bye\r\n"));
  play.fin_is_passed_on(kS);
  play.fin_is_passed_on(kC).expect_both_closed();
}

TEST_CASE("a client's half-close is passed on and the server is heard to its end") {
  Connected play;
  play.fin_is_passed_on(kC);
  play.on(from(kS, "250 ok\r\n"))
      .expect(SendTo{kC, "250 ok\r\n"})
      .expect(Fed{kS, "250 ok\r\n"})
      .expect(SetDeadline{10min});
  play.fin_is_passed_on(kS).expect_both_closed();
}

TEST_CASE("a server's half-close is passed on and the client may go on") {
  Connected play;
  play.fin_is_passed_on(kS);
  play.after(9min)
      .on(from(kC, "QUIT\r\n"))
      .expect(SendTo{kS, "QUIT\r\n"})
      .expect(Fed{kC, "QUIT\r\n"})
      .expect(SetDeadline{10min});

  SECTION("but not be idle for ever") {
    play.after(10min)
        .on(DeadlinePassed{})
        .expect(Recorded{"closed client timeout by proxy: nothing came for 600 s after the other "
                         "side had closed"})
        .expect_both_closed();
  }
  SECTION("and a reset of the server behind its FIN is passed on behind it") {
    play.on(PeerClosed{kS, CloseKind::kReset, ""})
        .expect(Recorded{"closed server reset"})
        .expect(Close{kS})
        .expect(SetDeadline{10min})
        .expect(Reset{kC})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
}

TEST_CASE("a client's reset behind its FIN is passed on behind it") {
  Connected play;
  play.given(PeerClosed{kC, CloseKind::kFin, ""});
  play.on(PeerClosed{kC, CloseKind::kReset, ""})
      .expect(Recorded{"closed client reset"})
      .expect(Close{kC})
      .expect(AskFate{})
      .expect(SetDeadline{10min});
  play.on(FateSettled{}).expect(Reset{kS}).expect(Recorded{"session ended"}).expect(Ended{});
}

TEST_CASE("a FIN that cuts TLS short is passed on as one") {
  Connected play;
  PeerClosed cut{kS, CloseKind::kFin, "cut short"};
  cut.truncated = true;
  play.on(cut)
      .expect(Recorded{"closed server fin: cut short"})
      .expect(SetDeadline{10min})
      .expect(Finish{kC, true});
}

TEST_CASE("a reset by the client is passed on once no message is unanswered") {
  Connected play;
  play.on(PeerClosed{kC, CloseKind::kReset, ""})
      .expect(Recorded{"closed client reset"})
      .expect(Close{kC})
      .expect(AskFate{})
      .expect(SetDeadline{10min});
  play.on(FateSettled{}).expect(Reset{kS}).expect(Recorded{"session ended"}).expect(Ended{});
}

TEST_CASE("a reset by the server is passed on at once") {
  Connected play;
  play.on(PeerClosed{kS, CloseKind::kReset, ""})
      .expect(Recorded{"closed server reset"})
      .expect(Close{kS})
      .expect(SetDeadline{10min})
      .expect(Reset{kC})
      .expect(Recorded{"session ended"})
      .expect(Ended{});
}

TEST_CASE("an error says which") {
  Connected play;
  play.on(PeerClosed{kS, CloseKind::kError, "no route to host"})
      .expect(Recorded{"closed server error: no route to host"})
      .expect(Close{kS})
      .expect(SetDeadline{10min})
      .expect(Reset{kC})
      .expect(Recorded{"session ended"})
      .expect(Ended{});
}

TEST_CASE("a client reset while a message is unanswered waits for the answer") {
  Connected play;
  play.given(from(kC, ".\r\n"));
  play.on(PeerClosed{kC, CloseKind::kReset, ""})
      .expect(Recorded{"closed client reset"})
      .expect(Close{kC})
      .expect(AskFate{})
      .expect(SetDeadline{10min});

  SECTION("which comes, and then the reset goes on") {
    play.after(90s);
    play.on(from(kS, "250-2.0"))
        .expect(Fed{kS, "250-2.0", "undelivered"})
        .expect(SetDeadline{10min});
    play.on(from(kS, ".0 queued\r\n"))
        .expect(Fed{kS, ".0 queued\r\n", "undelivered"})
        .expect(SetDeadline{10min});
    play.on(FateSettled{}).expect(Reset{kS}).expect(Recorded{"session ended"}).expect(Ended{});
  }
  SECTION("or the server closes, and an answer after that changes nothing") {
    play.on(PeerClosed{kS, CloseKind::kFin, ""})
        .expect(Recorded{"closed server fin"})
        .expect(SetDeadline{10min})
        .expect(Close{kS})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
    play.on(FateSettled{});
  }
  SECTION("or the server resets") {
    play.on(PeerClosed{kS, CloseKind::kReset, ""})
        .expect(Recorded{"closed server reset"})
        .expect(Close{kS})
        .expect(SetDeadline{10min})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
  SECTION("or the patience ends") {
    play.after(600s);
    play.on(DeadlinePassed{})
        .expect(Recorded{"closed server timeout by proxy: nothing came for 600 s after the other "
                         "side had closed"})
        .expect(Close{kS})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
}

TEST_CASE("a client that closed without reading on is found out by the reply it does not take") {
  Connected play;
  play.given(from(kC, ".\r\n"));
  play.given(PeerClosed{kC, CloseKind::kFin, ""});

  SECTION("when the kernel knows at once") {
    play.breaks(kC);
    play.on(from(kS, "250 queued\r\n"))
        .expect(SendTo{kC, "250 queued\r\n"})
        .expect(Fed{kS, "250 queued\r\n", "undelivered"})
        .expect(SetDeadline{10min})
        .expect(Recorded{"closed client reset"})
        .expect(Close{kC})
        .expect(AskFate{})
        .expect(SetDeadline{10min});
    play.on(FateSettled{}).expect(Reset{kS}).expect(Recorded{"session ended"}).expect(Ended{});
  }
  SECTION("when it learns of it before the server closes") {
    play.on(from(kS, "250 queued\r\n"))
        .expect(SendTo{kC, "250 queued\r\n"})
        .expect(Fed{kS, "250 queued\r\n"})
        .expect(SetDeadline{10min});
    play.breaks(kC);
    play.on(PeerClosed{kS, CloseKind::kFin, ""})
        .expect(Recorded{"closed client reset"})
        .expect(Close{kC})
        .expect(Recorded{"closed server fin"})
        .expect(SetDeadline{10min})
        .expect(Close{kS})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
}

TEST_CASE("back-pressure: the source rests until its octets are out") {
  Connected play;
  play.kernel_takes(kS, 3);
  play.on(from(kC, "0123456789"))
      .expect(SendTo{kS, "0123456789"})
      .expect(PauseReading{kC})
      .expect(Fed{kC, "0123456789"});
  play.kernel_takes_all(kS);

  SECTION("a short wait is not told") {
    play.after(99ms).on(WriteDrained{kS}).expect(ResumeReading{kC});
  }
  SECTION("a long one is") {
    play.after(100ms)
        .on(WriteDrained{kS})
        .expect(Recorded{"blocked server for 100 ms, 7 octets"})
        .expect(ResumeReading{kC});
  }
  SECTION("the other direction goes on") {
    play.on(from(kS, "452 full\r\n"))
        .expect(SendTo{kC, "452 full\r\n"})
        .expect(Fed{kS, "452 full\r\n"});
  }
  SECTION("an end from the source waits behind its octets") {
    play.on(PeerClosed{kC, CloseKind::kFin, ""})
        .expect(Recorded{"closed client fin"})
        .expect(SetDeadline{10min});
    play.on(WriteDrained{kS}).expect(Finish{kS});
  }
  SECTION("so does a reset") {
    play.on(PeerClosed{kC, CloseKind::kReset, ""})
        .expect(Recorded{"closed client reset"})
        .expect(Close{kC})
        .expect(AskFate{})
        .expect(SetDeadline{10min});
    play.on(from(kS, "451 no\r\n"))
        .expect(Fed{kS, "451 no\r\n", "undelivered"})
        .expect(SetDeadline{10min});
    play.on(FateSettled{});
    play.on(WriteDrained{kS}).expect(Reset{kS}).expect(Recorded{"session ended"}).expect(Ended{});
  }
  SECTION("a failed write leaves the peer's last words readable") {
    play.on(WriteFailed{kS}).expect(ResumeReading{kC});
    play.on(from(kC, "more")).expect(Fed{kC, "more", "undelivered"});
    play.on(from(kS, "421 bye\r\n"))
        .expect(SendTo{kC, "421 bye\r\n"})
        .expect(Fed{kS, "421 bye\r\n"});
    play.on(PeerClosed{kS, CloseKind::kReset, ""})
        .expect(Recorded{"closed server reset"})
        .expect(Close{kS})
        .expect(SetDeadline{10min})
        .expect(Reset{kC})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
}

TEST_CASE("a write that fails at once is marked undelivered") {
  Connected play;
  play.writes_fail(kS);
  play.on(from(kC, "MAIL")).expect(SendTo{kS, "MAIL"}).expect(Fed{kC, "MAIL", "undelivered"});
  play.on(from(kC, " FROM")).expect(Fed{kC, " FROM", "undelivered"});
  play.on(from(kS, "421 \r\n")).expect(SendTo{kC, "421 \r\n"}).expect(Fed{kS, "421 \r\n"});
}

TEST_CASE("while the server is being connected to, client octets are held") {
  Playbook play;
  play.kernel_takes(kS, 0);
  play.on(from(kC, "EHLO early\r\n"))
      .expect(SendTo{kS, "EHLO early\r\n"})
      .expect(Fed{kC, "EHLO early\r\n"});

  SECTION("and delivered when it stands, with no word of a peer that did not read") {
    play.after(5s)
        .on(UpstreamReady{"192.0.2.25:25", 5s, 1})
        .expect(Recorded{"connected to 192.0.2.25:25 in 5000 ms"});
    play.kernel_takes_all(kS).on(WriteDrained{kS});
    play.on(from(kC, "x")).expect(SendTo{kS, "x"}).expect(Fed{kC, "x"});
  }
  SECTION("the client's FIN follows them") {
    play.on(PeerClosed{kC, CloseKind::kFin, ""})
        .expect(Recorded{"closed client fin"})
        .expect(SetDeadline{10min});
    play.on(UpstreamReady{"192.0.2.25:25", 4ms, 0})
        .expect(Recorded{"connected to 192.0.2.25:25 in 4 ms"});
    play.on(WriteDrained{kS}).expect(Finish{kS});
  }
  SECTION("so does its reset") {
    play.on(PeerClosed{kC, CloseKind::kReset, ""})
        .expect(Recorded{"closed client reset"})
        .expect(Close{kC})
        .expect(SetDeadline{10min});
    play.on(UpstreamReady{"192.0.2.25:25", 4ms, 0})
        .expect(Recorded{"connected to 192.0.2.25:25 in 4 ms"});
    play.on(WriteDrained{kS}).expect(Reset{kS}).expect(Recorded{"session ended"}).expect(Ended{});
  }
}

TEST_CASE("a client that resets before the server has accepted") {
  Playbook play;
  play.given(PeerClosed{kC, CloseKind::kReset, ""});
  SECTION("the server sees the same") {
    play.on(UpstreamReady{"192.0.2.25:25", 4ms, 0})
        .expect(Recorded{"connected to 192.0.2.25:25 in 4 ms"})
        .expect(Reset{kS})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
  SECTION("nobody is left to be told that there is no server") {
    play.on(UpstreamUnreachable{"no"})
        .expect(Recorded{"upstream failed: no"})
        .expect(Recorded{"closed server fin by proxy: the server could not be reached"})
        .expect(SetDeadline{10s})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
}

TEST_CASE("held octets are bounded") {
  Playbook play;
  play.kernel_takes(kS, 0);
  const std::string most(Relay::kMaxHeld - 1, 'x');
  play.on(from(kC, most)).expect(SendTo{kS, most}).expect(Fed{kC, most});
  play.on(from(kC, "y")).expect(SendTo{kS, "y"}).expect(PauseReading{kC}).expect(Fed{kC, "y"});
  play.after(1s)
      .on(UpstreamReady{"192.0.2.25:25", 4ms, 0})
      .expect(Recorded{"connected to 192.0.2.25:25 in 4 ms"});
  play.on(WriteDrained{kS}).expect(ResumeReading{kC});
}

TEST_CASE("an unreachable server is told to the client, as the proxy's own words") {
  Playbook play;
  play.on(UpstreamUnreachable{"mx.example:25: connection refused"})
      .expect(Recorded{"upstream failed: mx.example:25: connection refused"})
      .expect(SendTo{kC, kRefusal})
      .expect(Fed{kS, kRefusal, "by proxy"})
      .expect(Recorded{"closed server fin by proxy: the server could not be reached"})
      .expect(SetDeadline{10s})
      .expect(Finish{kC});

  SECTION("and its answer is read but goes nowhere") {
    play.on(from(kC, "QUIT\r\n")).expect(Fed{kC, "QUIT\r\n", "undelivered"});
    play.on(PeerClosed{kC, CloseKind::kFin, ""})
        .expect(Recorded{"closed client fin"})
        .expect(Close{kC})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
  SECTION("a client that does not close is not waited for") {
    play.after(10s)
        .on(DeadlinePassed{})
        .expect(
            Recorded{"closed client timeout by proxy: it did not close after having been refused"})
        .expect(Close{kC})
        .expect(Recorded{"session ended"})
        .expect(Ended{});
  }
}

TEST_CASE("the refusal of a client that had sent its FIN ends the session") {
  Playbook play;
  play.given(PeerClosed{kC, CloseKind::kFin, ""});
  play.on(UpstreamUnreachable{"no"})
      .expect(Recorded{"upstream failed: no"})
      .expect(SendTo{kC, kRefusal})
      .expect(Fed{kS, kRefusal, "by proxy"})
      .expect(Recorded{"closed server fin by proxy: the server could not be reached"})
      .expect(SetDeadline{10s})
      .expect(Finish{kC})
      .expect(Close{kC})
      .expect(Recorded{"session ended"})
      .expect(Ended{});
}

TEST_CASE("a stop ends a session in any state") {
  Playbook play;
  SECTION("while connecting") {
    play.on(StopRequested{"stopped"})
        .expect(Recorded{"closed client fin by proxy: stopped"})
        .expect_both_closed();
  }
  SECTION("while relaying") {
    play.given(UpstreamReady{"192.0.2.25:25", 4ms, 0});
    play.on(StopRequested{"stopped"})
        .expect(Recorded{"closed client fin by proxy: stopped"})
        .expect(Recorded{"closed server fin by proxy: stopped"})
        .expect_both_closed();
  }
  SECTION("with a peer that does not read") {
    play.given(UpstreamReady{"192.0.2.25:25", 4ms, 0});
    play.kernel_takes(kC, 0).given(from(kS, "250 ok\r\n"));
    play.given(PeerClosed{kS, CloseKind::kFin, ""});
    play.after(2s)
        .on(StopRequested{"stopped"})
        .expect(Recorded{"closed client fin by proxy: stopped"})
        .expect(Recorded{"blocked client for 2000 ms, 8 octets"})
        .expect_both_closed();
  }
}

TEST_CASE("a stall of the proxy itself is recorded") {
  Connected play;
  play.after(3s)
      .on(ProxyWasStalled{at_ns(2'000'000'000)})
      .expect(Recorded{"proxy stalled for 2000 ms"});
}

TEST_CASE("a playbook with an unexpected command fails", "[!shouldfail]") {
  Connected play;
  play.on(from(kC, "x")).expect(SendTo{kS, "x"});
}

TEST_CASE("a playbook with a missing command fails", "[!shouldfail]") {
  Connected play;
  play.on(from(kC, "x")).expect(SendTo{kS, "x"}).expect(Fed{kC, "x"}).expect(Finish{kS});
}

}  // namespace smtpscope
