// The layers that tell the server who the client is.

#include "base/octets.h"
#include "proxy/identity/proxy_announcement.h"
#include "proxy/identity/xclient.h"
#include "tests/catch.h"
#include "tests/proxy/playbook.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

ConnectionEnds ends() {
  return {*SocketAddress::from_numeric("192.0.2.10", 40000),
          *SocketAddress::from_numeric("203.0.113.25", 25)};
}

LayerStack alone(std::unique_ptr<Layer> layer) {
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(std::move(layer));
  return LayerStack(std::move(layers));
}

LayerStack proxy_header() {
  return alone(std::make_unique<ProxyAnnouncement>(1, "PROXY UNKNOWN\r\n", nullptr));
}
LayerStack xclient() { return alone(std::make_unique<XclientAnnouncement>(1, ends(), nullptr)); }

constexpr std::string_view kOffer = "250-mx\r\n250-XCLIENT NAME ADDR PORT\r\n250 SIZE\r\n";
constexpr std::string_view kXclient = "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.10 PORT=40000\r\n";

/// The server has greeted, and was asked what it offers.
struct Asked : Playbook {
  Asked() : Playbook(xclient()) {
    given(UpstreamReady{"192.0.2.25:25", 4ms, 0});
    on(from(kS, "220 mx ESMTP\r\n"));
    expect(SendTo{kS, "EHLO [192.0.2.1]\r\n"});
  }
};

}  // namespace

TEST_CASE("the PROXY header goes before all else") {
  Playbook play(proxy_header());
  play.on(UpstreamReady{"192.0.2.25:25", 4ms, 0})
      .expect(SendTo{kS, "PROXY UNKNOWN\r\n"})
      .expect(Recorded{"connected to 192.0.2.25:25 in 4 ms"});
  play.on(from(kC, "EHLO a\r\n")).expect(SendTo{kS, "EHLO a\r\n"}).expect(Fed{kC, "EHLO a\r\n"});
}

TEST_CASE("the PROXY header goes before what a client says while the server is connected to") {
  Playbook play(proxy_header());
  play.on(from(kC, "EHLO a\r\n"))
      .expect(SendTo{kS, "PROXY UNKNOWN\r\n"})
      .expect(SendTo{kS, "EHLO a\r\n"})
      .expect(Fed{kC, "EHLO a\r\n"});
  play.on(UpstreamReady{"192.0.2.25:25", 4ms, 0})
      .expect(Recorded{"connected to 192.0.2.25:25 in 4 ms"});
}

TEST_CASE("XCLIENT comes before the client's first command, and the client gets the new greeting") {
  Asked play;
  play.on(from(kS, kOffer)).expect(SendTo{kS, kXclient});
  play.on(from(kS, "220 mx again\r\n"))
      .expect(SendTo{kC, "220 mx again\r\n"})
      .expect(Fed{kS, "220 mx again\r\n"});
  play.on(from(kC, "EHLO a\r\n")).expect(SendTo{kS, "EHLO a\r\n"}).expect(Fed{kC, "EHLO a\r\n"});
  play.on(from(kS, "250 mx\r\n")).expect(SendTo{kC, "250 mx\r\n"}).expect(Fed{kS, "250 mx\r\n"});
}

TEST_CASE("replies come in pieces, and two in one") {
  Asked play;
  play.on(from(kS, "250-mx\r\n250-XCLI"));
  play.on(from(kS, "ENT NAME ADDR PORT\r\n250 SIZE\r")).on(from(kS, "\n"));
  play.expect(SendTo{kS, kXclient});
  play.on(from(kS, "220 mx again\r\n421 bye\r\n"))
      .expect(SendTo{kC, "220 mx again\r\n"})
      .expect(Fed{kS, "220 mx again\r\n"})
      .expect(SendTo{kC, "421 bye\r\n"})
      .expect(Fed{kS, "421 bye\r\n"});
}

TEST_CASE("what a client says early waits until the server knows who it is") {
  Asked play;
  play.on(from(kC, "EHLO a\r\n")).expect(PauseReading{kC}).expect(Fed{kC, "EHLO a\r\n"});
  play.on(from(kS, kOffer)).expect(SendTo{kS, kXclient});
  play.on(from(kS, "220 mx\r\n"))
      .expect(SendTo{kC, "220 mx\r\n"})
      .expect(Fed{kS, "220 mx\r\n"})
      .expect(SendTo{kS, "EHLO a\r\n"})
      .expect(ResumeReading{kC});
}

TEST_CASE("a client that closes meanwhile has closed for the server once it knows who that was") {
  Asked play;
  play.given(PeerClosed{kC, CloseKind::kFin, {}});
  play.on(from(kS, kOffer)).expect(SendTo{kS, kXclient});
  play.given(from(kS, "220 mx\r\n"));
  play.on(from(kS, "221 bye\r\n"))
      .expect(SendTo{kC, "221 bye\r\n"})
      .expect(Fed{kS, "221 bye\r\n"})
      .expect(SetDeadline{600s});
}

TEST_CASE("a server that turns everybody away is heard") {
  Playbook play(xclient());
  play.given(UpstreamReady{"192.0.2.25:25", 4ms, 0});
  play.on(from(kS, "554 go away\r\n"))
      .expect(SendTo{kC, "554 go away\r\n"})
      .expect(Fed{kS, "554 go away\r\n"});
}

TEST_CASE("a server that does not take XCLIENT gets no mail") {
  const auto turned_away = [](Playbook& play, const std::string& why) -> Playbook& {
    const std::string closed =
        "closed server fin by proxy: the server cannot be told who the client is: " + why;
    const std::string_view refusal =
        "421 4.3.0 smtpscope: the mail server behind this tracing proxy does not let it tell who "
        "you are\r\n";
    return play.expect(SendTo{kC, refusal})
        .expect(Fed{kS, refusal, "by proxy"})
        .expect(Recorded{closed})
        .expect(SetDeadline{10s})
        .expect(Finish{kC})
        .expect(Finish{kS});
  };
  Asked play;
  SECTION("it offers none") {
    play.on(from(kS, "250-mx\r\n250 SIZE\r\n"));
    turned_away(play, "it does not offer XCLIENT to smtpscope");
  }
  SECTION("it offers no address with it") {
    play.on(from(kS, "250-mx\r\n250 XCLIENT NAME PROTO\r\n"));
    turned_away(play, "it does not offer XCLIENT to smtpscope");
  }
  SECTION("it refuses it, and what it says behind that is nobody's") {
    play.on(from(kS, kOffer)).expect(SendTo{kS, kXclient});
    play.on(from(kS, "550 5.7.0 no\r\n421 bye\r\n"));
    turned_away(play, "it refused XCLIENT: 550 5.7.0 no");
    play.on(from(kS, "more\r\n"));
  }
  SECTION("it closes") {
    play.on(from(kS, kOffer)).expect(SendTo{kS, kXclient});
    play.on(PeerClosed{kS, CloseKind::kFin, {}});
    turned_away(play, "it closed instead of answering").expect(Recorded{"closed server fin"});
  }
}

TEST_CASE("the attributes that are offered") {
  const ConnectionEnds six{*SocketAddress::from_numeric("2001:db8::1", 4),
                           *SocketAddress::from_numeric("2001:db8::25", 25)};
  CHECK(xclient_command("250-mx\r\n250-xclient addr Port DESTADDR DESTPORT LOGIN\r\n250 OK\r\n",
                        six) ==
        "XCLIENT ADDR=IPV6:2001:db8::1 PORT=4 DESTADDR=IPV6:2001:db8::25 DESTPORT=25\r\n");
  CHECK(xclient_command("250 XCLIENTS ADDR\r\n", six).empty());
  CHECK(xclient_command("250 mx XCLIENT ADDR\r\n", six).empty());
}

}  // namespace smtpscope
