// Where a session turns to TLS, and what STARTTLS looks like once it is hidden, at every cut.

#include "proxy/tls/starttls_watch.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/octets.h"
#include "proxy/tls/hello_rewriting.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

using Way = StarttlsWatch::Way;

/// What each side was given, what was kept back, and what the record says of it.
struct Ends : StarttlsWatchEvents {
  std::string to_server, to_client, kept, said[2];
  bool granted = false;

  void pass_on(Side from, std::span<const std::uint8_t> octets,
               std::optional<std::span<const std::uint8_t>> instead) override {
    said[index(from)] += text_of(octets);
    (from == Side::kClient ? to_server : to_client) += text_of(instead.value_or(octets));
  }
  void keep_back(Side from, std::span<const std::uint8_t> octets) override {
    kept += from == Side::kClient ? "C:" : "S:";
    kept += text_of(octets);
  }
  void answer_client(std::string_view reply) override { to_client += reply; }
  void on_granted() override { granted = true; }
};

struct Turn {
  Side from;
  std::string octets;
};
Turn C(std::string octets) { return {Side::kClient, std::move(octets)}; }
Turn S(std::string octets) { return {Side::kServer, std::move(octets)}; }

Ends play(Way way, const std::vector<Turn>& turns, std::size_t piece = 1 << 20) {
  Ends ends;
  StarttlsWatch watch(way, ends);
  for (const Turn& turn : turns) {
    for (std::size_t at = 0; at < turn.octets.size() && !ends.granted; at += piece) {
      watch.receive(turn.from, octets_of(turn.octets.substr(at, piece)));
    }
  }
  watch.end_of(Side::kClient);
  return ends;
}

const Turn kGreeting = S("220 mx ESMTP\r\n");
const Turn kOffer = S("250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n");

}  // namespace

TEST_CASE("nothing but a granted STARTTLS turns a session") {
  const Ends granted =
      play(Way::kTurn, {kGreeting, C("EHLO x\r\n"), kOffer, C("STARTTLS\r\n"), S("220 go\r\n")});
  CHECK(granted.granted);
  CHECK(granted.to_server == "EHLO x\r\nSTARTTLS\r\n");
  CHECK(granted.to_client.ends_with("250 STARTTLS\r\n220 go\r\n"));
  CHECK(granted.kept.empty());

  for (const char* reply : {"454 no\r\n", "502 what\r\n", "250 fine\r\n"}) {
    const Ends refused =
        play(Way::kTurn, {kGreeting, C("EHLO x\r\n"), kOffer, C("STARTTLS\r\n"), S(reply)});
    CHECK(!refused.granted);
    CHECK(refused.to_client.ends_with(reply));
  }
  // In a message, and in words of the server, it is a word.
  const Ends text = play(Way::kTurn, {kGreeting, C("EHLO x\r\n"), kOffer, C("DATA\r\n"),
                                      S("354 go\r\n"), C("STARTTLS\r\n.\r\n"), S("220 odd\r\n")});
  CHECK(!text.granted);
  CHECK(text.to_server.ends_with("DATA\r\nSTARTTLS\r\n.\r\n"));
}

TEST_CASE("what stands behind STARTTLS waits for the reply") {
  const std::vector<Turn> before = {kGreeting, C("EHLO x\r\n"), kOffer,
                                    C("STARTTLS\r\nMAIL FROM:<a@b>\r\n")};
  std::vector<Turn> turns = before;
  turns.push_back(S("220 go\r\n250 injected\r\n"));
  const Ends granted = play(Way::kTurn, turns);
  CHECK(granted.granted);
  CHECK(granted.to_server == "EHLO x\r\nSTARTTLS\r\n");
  CHECK(granted.kept == "C:MAIL FROM:<a@b>\r\nS:250 injected\r\n");
  CHECK(granted.to_client.ends_with("220 go\r\n"));

  turns = before;
  turns.push_back(S("454 not now\r\n"));
  turns.push_back(S("250 ok\r\n"));
  const Ends refused = play(Way::kTurn, turns);
  CHECK(refused.to_server == "EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n");
  CHECK(refused.to_client.ends_with("454 not now\r\n250 ok\r\n"));
  CHECK(refused.kept.empty());

  // One that is refused, and the next one behind it.
  const Ends twice = play(Way::kTurn, {kGreeting, C("STARTTLS\r\nSTARTTLS\r\nNOOP\r\n"),
                                       S("454 no\r\n"), S("220 go\r\n")});
  CHECK(twice.granted);
  CHECK(twice.to_server == "STARTTLS\r\nSTARTTLS\r\n");
  CHECK(twice.kept == "C:NOOP\r\n");
}

TEST_CASE("STARTTLS goes out of a reply to EHLO and nothing else does") {
  CHECK(without_starttls("250-mx\r\n250-STARTTLS\r\n250 X\r\n") == "250-mx\r\n250 X\r\n");
  CHECK(without_starttls("250-mx\r\n250-X\r\n250 STARTTLS\r\n") == "250-mx\r\n250 X\r\n");
  CHECK(without_starttls("250-mx\r\n250 STARTTLS\r\n") == "250 mx\r\n");
  CHECK(without_starttls("250-mx\r\n250 starttls required\n") == "250 mx\r\n");
  CHECK(without_starttls("250-mx\r\n250-StartTLS\r\n250-STARTTLS\r\n250 STARTTLS\r\n") ==
        "250 mx\r\n");
  for (const char* other : {"250 STARTTLS\r\n", "250-mx\r\n250 XSTARTTLS\r\n",
                            "250-mx\r\n250 AUTH STARTTLS\r\n", "250-STARTTLS\r\n250 X\r\n"}) {
    CHECK(without_starttls(other) == other);
  }
}

TEST_CASE("hidden, it is gone for the client and never asked of the server, at every cut") {
  const std::vector<Turn> turns = {kGreeting,
                                   C("EHLO x\r\n"),
                                   kOffer,
                                   C("NOOP\r\nstarttls\r\nSTATUS\r\nRSET\r\n"),
                                   S("250 noop\r\n"),
                                   S("500 status\r\n"),
                                   S("250 rset\r\n")};
  for (std::size_t piece = 1; piece < 60; ++piece) {
    INFO(piece);
    const Ends ends = play(Way::kHide, turns, piece);
    CHECK(!ends.granted);
    CHECK(ends.to_server == "EHLO x\r\nNOOP\r\nSTATUS\r\nRSET\r\n");
    CHECK(ends.to_client ==
          "220 mx ESMTP\r\n250-mx\r\n250 PIPELINING\r\n250 noop\r\n"
          "502 5.5.1 smtpscope hides STARTTLS here, and the server was not asked\r\n"
          "500 status\r\n250 rset\r\n");
    CHECK(ends.kept.empty());
    // The record has what each side said, every octet once.
    CHECK(ends.said[0] == "EHLO x\r\nNOOP\r\nstarttls\r\nSTATUS\r\nRSET\r\n");
    CHECK(ends.said[1] ==
          kGreeting.octets + kOffer.octets + "250 noop\r\n500 status\r\n250 rset\r\n");
  }
}

TEST_CASE("a reply to EHLO that the server breaks off is not lost") {
  Ends ends;
  StarttlsWatch watch(Way::kHide, ends);
  watch.receive(Side::kServer, octets_of(kGreeting.octets));
  watch.receive(Side::kClient, octets_of(std::string_view("EHLO x\r\n")));
  watch.receive(Side::kServer, octets_of(std::string_view("250-mx\r\n250-PIPE")));
  CHECK(ends.to_client == kGreeting.octets);
  watch.end_of(Side::kServer);
  CHECK(ends.to_client == kGreeting.octets + "250-mx\r\n250-PIPE");
  CHECK(ends.said[1] == kGreeting.octets + "250-mx\r\n250-PIPE");
  watch.end_of(Side::kServer);
  CHECK(ends.to_client == kGreeting.octets + "250-mx\r\n250-PIPE");
}

TEST_CASE("a reply to EHLO without an end does not wait for it") {
  std::string reply = "250-mx\r\n";
  while (reply.size() < 5 * StarttlsWatch::kMostHeld) {
    reply += "250-X" + std::string(100, 'x') + "\r\n250-STARTTLS\r\n";
  }
  reply += "250 LAST\r\n";
  for (const std::size_t piece : {std::size_t{1000}, StarttlsWatch::kMostHeld, reply.size()}) {
    INFO(piece);
    Ends ends;
    StarttlsWatch watch(Way::kHide, ends);
    watch.receive(Side::kServer, octets_of(kGreeting.octets));
    watch.receive(Side::kClient, octets_of(std::string_view("EHLO x\r\n")));
    ends.to_client.clear();
    std::size_t most = 0;
    for (std::size_t at = 0; at < reply.size(); at += piece) {
      const std::string now = reply.substr(at, piece);
      watch.receive(Side::kServer, octets_of(now));
      most = std::max(most, std::min(at + piece, reply.size()) - ends.to_client.size());
    }
    CHECK(most <= StarttlsWatch::kMostHeld + piece);
    if (piece < reply.size()) CHECK(ends.to_client == reply);
    // The next one is short, and rewritten again.
    ends.to_client.clear();
    watch.receive(Side::kClient, octets_of(std::string_view("EHLO x\r\n")));
    watch.receive(Side::kServer, octets_of(kOffer.octets));
    CHECK(ends.to_client == "250-mx\r\n250 PIPELINING\r\n");
  }
}

TEST_CASE("a line that only begins like STARTTLS is not lost when the client goes") {
  const Ends ends = play(Way::kHide, {kGreeting, C("EHLO x\r\n"), kOffer, C("START")});
  CHECK(ends.to_server == "EHLO x\r\nSTART");
}
