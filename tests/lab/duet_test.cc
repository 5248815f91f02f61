// Both sides of a recording, played to each other: what is said is what was recorded.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/octets.h"
#include "lab/replay/client_player.h"
#include "lab/replay/filler.h"
#include "lab/replay/recipients.h"
#include "lab/replay/recorded_dialogue.h"
#include "lab/replay/script.h"
#include "lab/replay/server_player.h"
#include "tests/catch.h"
#include "tests/timeline/transcript.h"

namespace smtpscope::test {
namespace {

/// What both sides said and did, in a time of its own.
struct Duet {
  std::array<std::string, 2> said;
  std::vector<std::string> told;
  bool said_all = false;
  ServerPlayer::End server_end = ServerPlayer::End::kOpen;
};

Duet play(const RecordedDialogue& dialogue, ReplayPace pace) {
  Duet duet;
  const auto tell = [&](const std::string& what) { duet.told.push_back(what); };
  ServerPlayer server(dialogue, pace, ExtraAnswer::kFail, tell);
  ClientPlayer client(dialogue, pace, std::chrono::hours(10), tell);
  Time now = at_ns(1'000'000'000);
  server.begin(now);
  client.begin(now);
  bool heard_end = false, told_end = false;
  for (int turn = 0; turn < 100'000; ++turn) {
    const std::string asked = client.take();
    const std::string answered = server.take();
    const bool server_ended = server.end() != ServerPlayer::End::kOpen;
    const bool client_ended = client.end() != ClientPlayer::End::kOpen;
    duet.said[0] += asked;
    duet.said[1] += answered;
    if (!asked.empty()) server.receive(now, octets_of(asked));
    if (!answered.empty()) client.receive(now, octets_of(answered));
    if (server_ended && !heard_end) {
      heard_end = true;
      client.server_closed(
          now, server.end() == ServerPlayer::End::kFinish ? CloseKind::kFin : CloseKind::kReset);
      continue;
    }
    if (client_ended && !told_end) {
      told_end = true;
      server.client_closed(now);
      continue;
    }
    if (!asked.empty() || !answered.empty()) continue;
    if (client.end() == ClientPlayer::End::kGone || client.end() == ClientPlayer::End::kReset) {
      break;
    }
    // Nothing happens until an alarm rings.
    std::optional<Time> next = client.alarm();
    if (server.alarm()) next = std::min(next.value_or(*server.alarm()), *server.alarm());
    if (!next) break;
    now = std::max(now, *next);
    server.ring(now);
    client.ring(now);
  }
  duet.said_all = client.said_all();
  duet.server_end = server.end();
  return duet;
}

/// The octets of each side, as recorded.
std::array<std::string, 2> recorded(const Transcript& transcript, SessionId session) {
  std::array<std::string, 2> said;
  for (const OwnedEvent& each : transcript.events) {
    const auto* bytes = std::get_if<Bytes>(&each.event.body);
    if (bytes == nullptr || each.event.session != session) continue;
    said[index(bytes->from)] += text_of(bytes->head);
  }
  return said;
}

/// A side has broken the connection.
bool is_torn(const Transcript& transcript, SessionId session) {
  return std::ranges::any_of(transcript.events, [&](const OwnedEvent& each) {
    const auto* closed = std::get_if<Closed>(&each.event.body);
    return closed != nullptr && each.event.session == session && closed->kind != CloseKind::kFin;
  });
}

/// A server took something else for the end of the message. That shows by its replies only, and
/// their order with the client's octets is not kept where they come together.
constexpr std::array<std::string_view, 2> kOtherEnds = {"golden_33_smuggled_mail",
                                                        "eod-nonstandard-accepted_folds"};

RecordedDialogue dialogue_of(std::string_view script) {
  auto read = read_script(script, "script");
  INFO(script);
  REQUIRE(read);
  REQUIRE(read.value().size() == 1);
  return std::move(read.value().front());
}

}  // namespace

TEST_CASE("every transcript that can be played is said again by both sides") {
  std::size_t played = 0;
  std::map<std::string, int> refused;
  for (const std::string& path : transcript_files()) {
    Transcript transcript = read_transcript(path);
    REQUIRE(transcript.error.empty());
    if (std::ranges::find(kOtherEnds, transcript.name) != kOtherEnds.end()) continue;
    transcript.settle_views();
    DialogueRecorder recorder;
    for (const OwnedEvent& each : transcript.events) recorder.on_wire(each.event);
    for (const RecordedDialogue& dialogue : recorder.take()) {
      const std::string why = dialogue.unfit + dialogue.unfit_client + dialogue.unfit_server;
      if (!why.empty()) {
        ++refused[why];
        continue;
      }
      for (const double factor : {0.0, 1.0}) {
        const Duet duet = play(dialogue, {factor});
        INFO(transcript.name << " session " << dialogue.session << " pace " << factor);
        INFO(fmt::format("{}", fmt::join(duet.told, "\n")));
        const auto said = recorded(transcript, dialogue.session);
        if (is_torn(transcript, dialogue.session)) {
          // What was on its way then is lost, or not said at all.
          CHECK(said[0].starts_with(duet.said[0]));
          CHECK(said[1].starts_with(duet.said[1]));
        } else {
          CHECK(duet.said[0] == said[0]);
          CHECK(duet.said[1] == said[1]);
        }
        CHECK(duet.told.empty());
        CHECK(duet.said_all);
      }
      ++played;
    }
  }
  for (const auto& [why, count] : refused) UNSCOPED_INFO(count << " times: " << why);
  CHECK(played > 300);
}

namespace {

constexpr std::string_view kMail =
    "S: 220 mx ESMTP\nC: EHLO c\nS: 250 mx\nC: MAIL FROM:<a@example.com>\nS: 250 ok\n"
    "C: RCPT TO:<b@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\nC> raw \"Subject: "
    "x\\r\\n.\\r\\n\"\n"
    "S: 250 taken\nC: QUIT\nS: 221 bye\nclose server fin\nclose client fin\n";

/// A live client, at the played server.
class ServerStage {
 public:
  explicit ServerStage(std::string_view script, ExtraAnswer extra = ExtraAnswer::kFail)
      : dialogue_(dialogue_of(script)),
        player_(dialogue_, {0}, extra, [this](const std::string& what) { told.push_back(what); }) {
    player_.begin(now_);
  }
  /// What the server says when the client says that.
  std::string says(std::string_view octets) {
    player_.receive(now_, octets_of(octets));
    return player_.take();
  }
  std::string take() { return player_.take(); }
  ServerPlayer::End end() const { return player_.end(); }
  std::vector<std::string> left_out() const { return player_.left_out(); }

  std::vector<std::string> told;

 private:
  Time now_ = at_ns(1'000'000'000);
  RecordedDialogue dialogue_;
  ServerPlayer player_;
};

/// A live server, at the played client.
class ClientStage {
 public:
  explicit ClientStage(std::string_view script, double pace = 0)
      : dialogue_(dialogue_of(script)),
        player_(dialogue_, {pace}, std::chrono::seconds(60),
                [this](const std::string& what) { told.push_back(what); }) {
    player_.begin(now_);
  }
  std::string hears(std::string_view octets) {
    player_.receive(now_, octets_of(octets));
    return player_.take();
  }
  std::string after(Duration time) {
    now_ += time;
    player_.ring(now_);
    return player_.take();
  }
  void closes(CloseKind kind) { player_.server_closed(now_, kind); }
  ClientPlayer::End end() const { return player_.end(); }
  bool said_all() const { return player_.said_all(); }

  std::vector<std::string> told;

 private:
  Time now_ = at_ns(1'000'000'000);
  RecordedDialogue dialogue_;
  ClientPlayer player_;
};

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("a client that pipelines gets the replies of one that did not, in their order") {
  ServerStage server(kMail);
  CHECK(server.take() == "220 mx ESMTP\r\n");
  CHECK(server.says("EHLO other.example\r\n") == "250 mx\r\n");
  CHECK(server.says("MAIL FROM:<a@EXAMPLE.com> SIZE=5\r\nRCPT TO:<b@example.net>\r\nDATA\r\n") ==
        "250 ok\r\n250 ok\r\n354 go\r\n");
  CHECK(server.says("Subject: other\r\n\r\nMAIL FROM:<x>\r\n") == "");
  CHECK(server.says(".\r\n") == "250 taken\r\n");
  CHECK(server.says("QUIT\r\n") == "221 bye\r\n");
  CHECK(server.end() == ServerPlayer::End::kFinish);
  CHECK(server.told.empty());
  CHECK(server.left_out().empty());
}

TEST_CASE("what a client says otherwise is told, and answered as the same command was") {
  ServerStage server(kMail);
  server.says("EHLO c\r\n");
  CHECK(server.says("MAIL FROM:<a@example.com>\r\nRCPT TO:<c@example.net>\r\n") ==
        "250 ok\r\n250 ok\r\n");
  CHECK(server.told == Told{"the client said RCPT TO:<c@example.net>, and the recorded one RCPT "
                            "TO:<b@example.net>"});
  CHECK(server.left_out() == Told{"DATA", "the end of the message", "QUIT"});
}

TEST_CASE("what the recording does not have is answered as the user wants") {
  {
    ServerStage server(kMail);
    server.take();
    CHECK(server.says("RSET\r\n") == "");
    CHECK(server.end() == ServerPlayer::End::kFinish);
    CHECK(server.told == Told{"the client said RSET, which the recorded one did not"});
  }
  {
    ServerStage server(kMail, ExtraAnswer::k500);
    server.take();
    CHECK(server.says("RSET\r\nEHLO c\r\n") == "500 5.5.1 Not in the recording\r\n250 mx\r\n");
    CHECK(server.end() == ServerPlayer::End::kOpen);
  }
  {
    ServerStage server(kMail, ExtraAnswer::k421);
    server.take();
    CHECK(server.says("RSET\r\nEHLO c\r\n") == "421 4.3.0 Not in the recording\r\n");
    CHECK(server.end() == ServerPlayer::End::kFinish);
  }
}

TEST_CASE("a chunk is answered behind its octets") {
  ServerStage server(
      "S: 220 mx\nC: EHLO c\nS> raw \"250-mx\\r\\n250 CHUNKING\\r\\n\"\n"
      "pipelined: MAIL FROM:<a@b> | RCPT TO:<b@c>\nS: 250 m\nS: 250 r\n"
      "C> raw \"BDAT 3\\r\\nab\\n\"\nS: 250 first\nC> raw \"BDAT 0 LAST\\r\\n\"\nS: 250 last\n");
  server.says("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<b@c>\r\n");
  CHECK(server.says("BDAT 5\r\nabc") == "");
  CHECK(server.says("d\nBDAT 0 LAST\r\n") == "250 first\r\n250 last\r\n");
  CHECK(server.told.empty());
}

TEST_CASE("a server that closed in the midst of a message does so there again") {
  ServerStage server(
      "S: 220 mx\nC: MAIL FROM:<a@b>\nS: 250 m\nC: RCPT TO:<b@c>\nS: 250 r\nC: DATA\nS: 354 go\n"
      "C> raw \"0123456789\"\nclose server reset\n");
  server.says("MAIL FROM:<a@b>\r\nRCPT TO:<b@c>\r\nDATA\r\n");
  CHECK(server.end() == ServerPlayer::End::kOpen);
  server.says("01234");
  CHECK(server.end() == ServerPlayer::End::kOpen);
  server.says("56789");
  CHECK(server.end() == ServerPlayer::End::kReset);
}

TEST_CASE("half a reply stays half, and silence is silence") {
  ServerStage half("S: 220 mx\nC: NOOP\nS> raw \"250 o\"\nclose server fin\n");
  half.take();
  CHECK(half.says("NOOP\r\n") == "250 o");
  CHECK(half.end() == ServerPlayer::End::kFinish);
  ServerStage silent("S: 220 mx\nC: NOOP\n@ +60s\nclose client fin\n");
  silent.take();
  CHECK(silent.says("NOOP\r\n") == "");
  CHECK(silent.end() == ServerPlayer::End::kOpen);
}

TEST_CASE("the client waits for what the recorded one waited for, and for nothing else") {
  ClientStage lock_step(kMail);
  CHECK(lock_step.hears("220 other\r\n") == "EHLO c\r\n");
  CHECK(lock_step.hears("250-mx\r\n") == "");
  CHECK(lock_step.hears("250 mx\r\n") == "MAIL FROM:<a@example.com>\r\n");
  ClientStage pipelined(
      "S: 220 mx\npipelined: MAIL FROM:<a@b> | RCPT TO:<b@c> | DATA\nS: 250 m\nS: 250 r\nS: 354 g\n"
      "C> raw \"x\\r\\n.\\r\\n\"\nC: QUIT\nS: 250 d\nS: 221 b\n");
  CHECK(pipelined.hears("220 mx\r\n") == "MAIL FROM:<a@b>\r\nRCPT TO:<b@c>\r\nDATA\r\n");
  CHECK(pipelined.hears("250 m\r\n250 r\r\n") == "");
  CHECK(pipelined.hears("354 g\r\n") == "x\r\n.\r\nQUIT\r\n");
}

TEST_CASE("a message that is not asked for is left out, and the client goes on") {
  ClientStage client(kMail);
  client.hears("220 mx\r\n");
  client.hears("250 mx\r\n");
  client.hears("250 m\r\n");
  CHECK(client.hears("550 r\r\n") == "DATA\r\n");
  CHECK(client.hears("554 no\r\n") == "QUIT\r\n");
  CHECK(client.told == Told{"the server did not ask for the message: left out"});
}

TEST_CASE("a client whose commands would be taken for content ends") {
  ClientStage client(
      "S: 220 mx\nC: MAIL FROM:<a@b>\nS: 250 m\nC: RCPT TO:<b@c>\nS: 550 r\nC: DATA\nS: 554 no\n"
      "C: QUIT\nS: 221 b\n");
  client.hears("220 mx\r\n");
  client.hears("250 m\r\n");
  CHECK(client.hears("250 r\r\n") == "DATA\r\n");
  CHECK(client.hears("354 go\r\n") == "");
  CHECK(client.end() == ClientPlayer::End::kGone);
  CHECK(client.told == Told{"the server asks for something that the recorded one did not ask for"});
}

TEST_CASE("a client does not wait for ever, and keeps its waits if it shall") {
  ClientStage client(kMail);
  CHECK(client.after(std::chrono::seconds(59)) == "");
  CHECK(client.end() == ClientPlayer::End::kOpen);
  client.after(std::chrono::seconds(1));
  CHECK(client.end() == ClientPlayer::End::kGone);
  CHECK(client.told == Told{"the server did not answer within 60 s"});
  ClientStage slow("S: 220 mx\n@ +10s\nC: NOOP\nS: 250 ok\n", 0.5);
  CHECK(slow.hears("220 mx\r\n") == "");
  CHECK(slow.after(std::chrono::milliseconds(4999)) == "");
  CHECK(slow.after(std::chrono::milliseconds(1)) == "NOOP\r\n");
}

TEST_CASE("a server that closes early ends the session") {
  ClientStage client(kMail);
  client.hears("220 mx\r\n");
  client.closes(CloseKind::kFin);
  CHECK(client.end() == ClientPlayer::End::kGone);
  CHECK(client.told == Told{"the server closed before the client had said all"});
}

TEST_CASE("recipients are replaced in RCPT and nowhere else") {
  RecordedDialogue dialogue = dialogue_of(
      "S: 220 mx\npipelined: MAIL FROM:<b@c> | RCPT TO:<b@c> NOTIFY=NEVER\nC> raw \"RCPT \"\n"
      "C> raw \"TO:<d@e>\\r\\nDATA\\r\\n\"\nS: 250 m\nS: 250 r\nS: 250 r\nS: 354 g\n"
      "C> raw \"RCPT TO:<b@c>\\r\\n.\\r\\n\"\nS: 250 ok\n");
  std::vector<std::string> ignore;
  replace_recipients(dialogue, "t@example.com", ignore);
  CHECK(dialogue.client_octets ==
        "MAIL FROM:<b@c>\r\nRCPT TO:<t@example.com> NOTIFY=NEVER\r\nRCPT TO:<t@example.com>\r\n"
        "DATA\r\nRCPT TO:<b@c>\r\n.\r\n");
  CHECK(ignore == Told{"b\\@c", "d\\@e", "t\\@example\\.com"});
  const Duet duet = play(dialogue, {0});
  CHECK(duet.said[0] == dialogue.client_octets);
}

TEST_CASE("filler is as long as what it stands for, and leads to the same place") {
  const std::string text =
      "Subject: a\r\nX: y\r\n\r\nline\r\n..dot\r\n\r\nlast line, longer than the "
      "others\r\nend\r\n.\r\n";
  for (std::size_t from = 0; from < text.size(); ++from) {
    for (std::size_t to = from; to < text.size(); ++to) {
      MessageScanner before, after, filled;
      (void)before.scan(octets_of(text).first(from));
      (void)after.scan(octets_of(text).first(to));
      const std::string filler = make_filler(to - from, before, after);
      INFO(from << " to " << to << ": " << filler);
      REQUIRE(filler.size() == to - from);
      filled = before;
      REQUIRE(filled.scan(octets_of(filler)) == filler.size());
      REQUIRE_FALSE(filled.ended());
      // Behind it the message goes on to the same end.
      if (to - from >= 6) REQUIRE(filled.state() == after.state());
    }
  }
}

}  // namespace smtpscope::test
