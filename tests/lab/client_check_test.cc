#include "lab/client_check.h"

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

using std::chrono::seconds;

/// A run told as a script. Lines "C:" and "S:" are heard at both ends; "S>" only by the client,
/// "S<" only by smtpscope (the server said it, the client was not told), "C>" only by smtpscope
/// (the client said it, the server was not told).
class Script {
 public:
  /// What a client is told that sends one message to b@y and c@y.
  static constexpr std::string_view kEnvelope =
      "S: 220 mx\nC: EHLO c\nS: 250 mx\nC: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 250 "
      "ok\n"
      "C: RCPT TO:<c@y>\nS: 250 ok\nC: DATA\nS: 354 go\nC: hi\nC: .\n";

  Script& session(std::string_view script) {
    SessionNotes& notes = sessions_.emplace_back();
    notes.began = notes.last_told = now_;
    while (!script.empty()) {
      const std::string_view line = script.substr(0, script.find('\n'));
      script.remove_prefix(std::min(script.size(), line.size() + 1));
      const std::string text = std::string(line.substr(3)) + "\r\n";
      const Side side = line[0] == 'C' ? Side::kClient : Side::kServer;
      const bool at_client = line[1] != '<';
      const bool at_server = line[1] == ':' || line[1] == '<';
      if (at_client) notes.client.said(side, octets_of(text), now_);
      if (at_server) notes.server.said(side, octets_of(text), now_);
      if (at_client && side == Side::kServer) notes.last_told = now_;
    }
    return *this;
  }
  Script& after(Duration time) {
    now_ += time;
    return *this;
  }
  Script& client_leaves() {
    sessions_.back().client_left = now_;
    return *this;
  }
  Script& is_cut() {
    sessions_.back().client_cut = now_;
    sessions_.back().client_released = now_;
    return *this;
  }
  Script& server_closes() {
    sessions_.back().client_cut = now_;
    return *this;
  }
  ClientVerdict judged(const ExpectedMail& expected, int exit_code, bool killed = false) const {
    const std::vector<const SessionNotes*> notes = this->notes();
    return judge_client(expected, ClientRun{notes, exit_code, killed, now_, true});
  }
  ExpectedMail as_expected() const {
    const std::vector<const SessionNotes*> notes = this->notes();
    return expected_mail(ClientRun{notes, 0, false, now_, true});
  }

 private:
  std::vector<const SessionNotes*> notes() const {
    std::vector<const SessionNotes*> notes;
    notes.reserve(sessions_.size());
    for (const SessionNotes& session : sessions_) notes.push_back(&session);
    return notes;
  }

  std::deque<SessionNotes> sessions_;
  Time now_ = at_ns(0);
};

std::string whole(std::string_view end) {
  return std::string(Script::kEnvelope) + std::string(end);
}

ExpectedMail two_copies() {
  return Script().session(whole("S: 250 taken\nC: QUIT\nS: 221 bye")).client_leaves().as_expected();
}

void check(const ClientVerdict& verdict, ClientResult result, ClientMark mark,
           std::string_view section) {
  INFO(verdict.why);
  CHECK(to_string(verdict.result) == to_string(result));
  CHECK(to_string(verdict.mark) == to_string(mark));
  CHECK(verdict.section == section);
}

constexpr std::string_view kRefusedRcpt =
    "S: 220 mx\nC: EHLO c\nS: 250 mx\nC: MAIL FROM:<a@x>\nS: 250 ok\nC> RCPT TO:<b@y>\n"
    "S> 450 later\nC> QUIT\nS> 221 bye";

}  // namespace

TEST_CASE("mail that arrives once, and a client that says so") {
  Script run;
  run.session(whole("S: 250 taken\nC: QUIT\nS: 221 bye")).client_leaves();
  check(run.judged(two_copies(), 0), ClientResult::kDelivered, ClientMark::kOk, "");
  CHECK(run.judged(two_copies(), 0).taken == 2);
  check(run.judged(two_copies(), 1), ClientResult::kMayDuplicate, ClientMark::kNotOk,
        "RFC 5321 6.1");
}

TEST_CASE("what was put off, and then") {
  Script run;
  run.session(kRefusedRcpt).client_leaves();
  check(run.judged(two_copies(), 75), ClientResult::kGaveUp, ClientMark::kOk, "RFC 5321 2.1");
  check(run.judged(two_copies(), 0), ClientResult::kLostMail, ClientMark::kNotOk, "RFC 5321 2.1");
  run.session(whole("S: 250 taken")).client_leaves();
  check(run.judged(two_copies(), 0), ClientResult::kRetried, ClientMark::kOk, "");
}

TEST_CASE("a chunk without recipients is refused because they were") {
  Script run;
  run.session(
         "S: 220 mx\nC: EHLO c\nS: 250 mx\nC> MAIL FROM:<a@x>\nC> RCPT TO:<b@y>\nC> BDAT 4 LAST\n"
         "C> hi\nC> QUIT\nS> 250 ok\nS> 450 later\nS> 503 no recipients\nS> 221 bye")
      .client_leaves();
  run.session(whole("S: 250 taken")).client_leaves();
  check(run.judged(two_copies(), 0), ClientResult::kRetried, ClientMark::kOk, "");
}

TEST_CASE("a notice of failure that the client mails is a report") {
  // Of a mail that was put off, and of one that was refused for good.
  for (const std::string& mail : {std::string(kRefusedRcpt), whole("S> 550 no")}) {
    Script run;
    run.session(mail).client_leaves();
    run.session(
           "S: 220 mx\nC: HELO c\nS: 250 mx\nC: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<a@x>\n"
           "S: 250 ok\nC: DATA\nS: 354 go\nC: sorry\nC: .\nS: 250 taken")
        .client_leaves();
    check(run.judged(two_copies(), 0), ClientResult::kGaveUp, ClientMark::kOk, "RFC 5321 2.1");
    CHECK(run.judged(two_copies(), 0).surplus == 0);
  }
}

TEST_CASE("what is refused for good is not to be tried again") {
  constexpr std::string_view kNo = "S> 554 go away";
  Script run;
  run.session(kNo).client_leaves();
  check(run.judged(two_copies(), 1), ClientResult::kGaveUp, ClientMark::kOk, "RFC 5321 2.1");
  run.session(kNo).client_leaves();
  check(run.judged(two_copies(), 1), ClientResult::kGaveUp, ClientMark::kNotOk, "RFC 5321 4.2.1");
  run.session(whole("S: 250 taken")).client_leaves();
  check(run.judged(two_copies(), 0), ClientResult::kRetried, ClientMark::kNotOk, "RFC 5321 4.2.1");
}

TEST_CASE("a lost reply") {
  Script run;
  run.session(whole("S< 250 taken")).is_cut();
  check(run.judged(two_copies(), 75), ClientResult::kMayDuplicate, ClientMark::kOk, "RFC 1047");
  // It cannot know.
  check(run.judged(two_copies(), 0), ClientResult::kDelivered, ClientMark::kNotOk, "RFC 5321 6.1");
  run.session(whole("S: 250 taken")).client_leaves();
  check(run.judged(two_copies(), 0), ClientResult::kDuplicated, ClientMark::kOk, "RFC 1047");
  CHECK(run.judged(two_copies(), 0).surplus == 2);
}

TEST_CASE("impatience at the end of the message") {
  Script run;
  run.session(whole("S< 250 taken")).after(seconds(20)).client_leaves();
  check(run.judged(two_copies(), 75), ClientResult::kMayDuplicate, ClientMark::kNotOk,
        "RFC 5321 4.5.3.2.6");
  run.session(whole("S: 250 taken")).client_leaves();
  check(run.judged(two_copies(), 0), ClientResult::kDuplicated, ClientMark::kNotOk,
        "RFC 5321 4.5.3.2.6");
}

TEST_CASE("mail that was taken, and is sent again") {
  Script run;
  run.session(whole("S: 250 taken")).client_leaves();
  run.session(whole("S: 250 taken")).client_leaves();
  check(run.judged(two_copies(), 0), ClientResult::kDuplicated, ClientMark::kNotOk, "RFC 5321 6.1");
}

TEST_CASE("giving up for no reason, for an extension, or too early") {
  Script idle;
  idle.session("S: 220 mx\nC: EHLO c\nS: 250 mx\nC: QUIT").client_leaves();
  check(idle.judged(two_copies(), 1), ClientResult::kGaveUp, ClientMark::kNotOk, "RFC 5321 2.1");
  ExpectedMail wide = two_copies();
  wide.needed = {"SMTPUTF8"};
  check(idle.judged(wide, 1), ClientResult::kGaveUp, ClientMark::kOk, "RFC 6531 3.2");
  Script early;
  early.session("").after(seconds(10)).client_leaves();
  check(early.judged(two_copies(), 1), ClientResult::kGaveUp, ClientMark::kNotOk,
        "RFC 5321 4.5.3.2.1");
  Script late;
  late.session("").after(seconds(301)).client_leaves();
  check(late.judged(two_copies(), 1), ClientResult::kGaveUp, ClientMark::kOk, "RFC 5321 4.5.3.2.1");
}

TEST_CASE("a client that does not end") {
  const ExpectedMail two = two_copies();
  const auto at_rcpt =
      "S: 220 mx\nC: EHLO c\nS: 250 mx\nC: MAIL FROM:<a@x>\nS: 250 ok\nC> RCPT TO:<b@y>";
  Script patient;
  patient.session(at_rcpt).after(seconds(60));
  check(patient.judged(two, 137, true), ClientResult::kHung, ClientMark::kUndecided,
        "RFC 5321 4.5.3.2.3");
  Script endless;
  endless.session(at_rcpt).after(seconds(360));
  check(endless.judged(two, 137, true), ClientResult::kHung, ClientMark::kNotOk,
        "RFC 5321 4.5.3.2.3");
  Script idle;
  idle.session("S: 220 mx\nC: EHLO c\nS: 250 mx").after(seconds(60));
  check(idle.judged(two, 137, true), ClientResult::kHung, ClientMark::kNotOk, "RFC 5321 2.1");
  Script deaf;
  deaf.session("S: 421 no").server_closes().after(seconds(60));
  check(deaf.judged(two, 137, true), ClientResult::kHung, ClientMark::kNotOk, "RFC 5321 4.5.3.2");
  // The connections that the kill closes tell nothing.
  Script killed;
  killed.session("S: 220 mx\nC: EHLO c\nS: 250 mx").after(seconds(60)).client_leaves().is_cut();
  check(killed.judged(two, 137, true), ClientResult::kHung, ClientMark::kNotOk, "RFC 5321 2.1");
  Script waits;
  waits.session("S: 421 no").is_cut().after(seconds(60));
  check(waits.judged(two, 137, true), ClientResult::kHung, ClientMark::kUndecided,
        "RFC 5321 4.5.4.1");
}

TEST_CASE("a scenario that changed nothing has tested nothing") {
  const ExpectedMail two = two_copies();
  SessionNotes notes;
  const SessionNotes* const all[] = {&notes};
  check(judge_client(two, ClientRun{all, 0, false, at_ns(0), false}), ClientResult::kNotTested,
        ClientMark::kUndecided, "");
}

}  // namespace smtpscope
