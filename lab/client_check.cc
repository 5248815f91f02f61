#include "lab/client_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/counted.h"

// What is asked of a client is in RFC 5321. The sections that judge here:
//   2.1        it has to transfer the mail, or report its failure to do so
//   4.2.1      4yz: try again; 5yz: the exact request should not be repeated
//   4.5.3.2    it has to give up waiting at some time, and how long it should wait at least
//   4.5.4.1    what could not be sent has to be tried again later, by it or by what called it
//   6.1        with the 250 to the message the server has taken the responsibility for it
// That a lost reply leads to a second copy is nobody's fault (RFC 1047).

namespace smtpscope {
namespace {

using std::chrono::minutes;

using Copies = std::map<std::string, std::uint64_t>;

constexpr std::string_view kReport = "RFC 5321 2.1";
constexpr std::string_view kPermanent = "RFC 5321 4.2.1";
constexpr std::string_view kResponsibility = "RFC 5321 6.1";
constexpr std::string_view kLostReply = "RFC 1047";

std::string in_seconds(Duration time) {
  const double seconds = std::chrono::duration<double>(time).count();
  return seconds < 1 ? fmt::format("{:.0f} ms", seconds * 1000) : fmt::format("{:.0f} s", seconds);
}

/// What an end of the dialogue has as taken. Mail from the null reverse-path, where the client has
/// none such to send, is a report that mail failed (RFC 5321 6.1), and no copy.
Copies copies_of(const ClientRun& run, bool by_server, bool with_null_sender) {
  Copies copies;
  for (const SessionNotes* session : run.sessions) {
    const DialogueNotes& notes = by_server ? session->server : session->client;
    for (const DialogueNotes::Message& message : notes.messages()) {
      if (message.sender.empty() && !with_null_sender) continue;
      for (const std::string& recipient : message.recipients) ++copies[recipient];
    }
  }
  return copies;
}

bool reported_by_mail(const ClientRun& run) {
  return std::ranges::any_of(run.sessions, [](const SessionNotes* session) {
    return std::ranges::any_of(session->server.messages(), [](const auto& message) {
      return message.sender.empty() && !message.recipients.empty();
    });
  });
}

/// A session for a report alone (RFC 5321 4.5.5) tries nothing again.
bool tries(const SessionNotes& session) {
  return session.client.transactions() > 0 || session.client.reports() == 0;
}

std::uint64_t attempts_of(const ClientRun& run) {
  std::uint64_t attempts = 0;
  for (const SessionNotes* session : run.sessions) {
    if (!tries(*session)) continue;
    attempts += std::max<std::uint64_t>(session->client.transactions(), 1);
  }
  return attempts;
}

std::uint64_t total(const Copies& copies) {
  std::uint64_t sum = 0;
  for (const auto& [recipient, count] : copies) sum += count;
  return sum;
}

/// How many of `wanted` are in `copies`.
std::uint64_t covered(const Copies& wanted, const Copies& copies) {
  std::uint64_t sum = 0;
  for (const auto& [recipient, count] : wanted) {
    const auto found = copies.find(recipient);
    if (found != copies.end()) sum += std::min(count, found->second);
  }
  return sum;
}

/// A wait that the client broke off.
struct BrokenWait {
  DialogueNotes::Awaited awaited;
  Duration time{};
};

/// The first time that the client left although the server had refused nothing, and owed it a
/// reply. What it does not wait for behind QUIT is not asked of it.
std::optional<BrokenWait> broken_wait(const ClientRun& run) {
  for (const SessionNotes* session : run.sessions) {
    const auto awaited = session->client.awaited();
    if (!session->left_first() || !awaited || awaited->verb == Verb::kQuit) continue;
    if (!session->client.refusals().empty()) continue;
    return BrokenWait{*awaited,
                      *session->client_left - std::max(awaited->since, session->last_told)};
  }
  return {};
}

/// The same for the end of a message that the server took.
std::optional<Duration> broken_wait_for_end(const ClientRun& run) {
  const auto wait = broken_wait(run);
  if (!wait || wait->awaited.answers != Answers::kEndOfData) return {};
  return wait->time;
}

/// What was refused for good, and then tried again all the same.
std::optional<DialogueNotes::Refusal> repeated_refusal(const ExpectedMail& expected,
                                                       const ClientRun& run) {
  if (attempts_of(run) <= expected.attempts) return {};
  for (std::size_t i = 0; i < run.sessions.size(); ++i) {
    const SessionNotes& session = *run.sessions[i];
    const auto& refusals = session.client.refusals();
    const auto found = std::ranges::find_if(
        refusals, [](const auto& refusal) { return refusal.for_good() && refusal.of_mail(); });
    if (found == refusals.end()) continue;
    const bool went_on = session.client.transactions() > 1 ||
                         std::ranges::any_of(run.sessions.subspan(i + 1),
                                             [](const auto* later) { return tries(*later); });
    if (went_on) return *found;
  }
  return {};
}

/// "452 to RCPT, 421 as greeting"; the first few.
std::string refusals_of(const ClientRun& run) {
  std::vector<std::string> words;
  for (const SessionNotes* session : run.sessions) {
    for (const DialogueNotes::Refusal& refusal : session->client.refusals()) {
      std::string said = refusal.words();
      if (std::ranges::find(words, said) == words.end()) words.push_back(std::move(said));
    }
  }
  if (words.size() > 3) words.resize(3);
  return fmt::format("{}", fmt::join(words, ", "));
}

bool was_cut(const ClientRun& run) {
  return std::ranges::any_of(run.sessions, [](const SessionNotes* session) {
    return session->client_cut && !session->left_first();
  });
}

/// Why the client was not to be content, in words: "452 to RCPT", "the connection was cut".
std::string trouble_of(const ClientRun& run) {
  std::string words = refusals_of(run);
  if (words.empty() && was_cut(run)) words = "the connection was cut";
  return words;
}

/// An extension that the mail needs, and that a session did not offer; "" if there is none.
std::string missing_extension(const ExpectedMail& expected, const ClientRun& run) {
  for (const std::string& keyword : expected.needed) {
    const bool missing = std::ranges::any_of(run.sessions, [&](const SessionNotes* session) {
      return !session->client.offered().has(keyword);
    });
    if (missing) return keyword;
  }
  return {};
}

void set(ClientVerdict& verdict, ClientMark mark, std::string why, std::string_view section) {
  verdict.mark = mark;
  verdict.why = std::move(why);
  verdict.section = section;
}

void judge_hung(ClientVerdict& verdict, const ClientRun& run) {
  if (run.sessions.empty()) {
    return set(verdict, ClientMark::kUndecided, "it did not end, and never connected", {});
  }
  const SessionNotes& last = *run.sessions.back();
  // The kill closes its connections, too.
  constexpr Duration kSlack = std::chrono::seconds(1);
  const auto before_the_kill = [&](const std::optional<Time>& time) {
    return time && *time + kSlack < run.ended;
  };
  const bool left = before_the_kill(last.client_left);
  const bool cut = before_the_kill(last.client_cut);
  const bool released = before_the_kill(last.client_released);
  if (cut && !left && !released) {
    return set(verdict, ClientMark::kNotOk,
               fmt::format("it did not notice that the server had closed, for {}",
                           in_seconds(run.ended - *last.client_cut)),
               "RFC 5321 4.5.3.2");
  }
  if (left || released) {
    const Time over = left ? *last.client_left : *last.client_cut;
    return set(verdict, ClientMark::kUndecided,
               fmt::format("it did not end for {} after the connection was over: it hangs, or "
                           "waits to try again, which a longer --timeout would tell",
                           in_seconds(run.ended - over)),
               "RFC 5321 4.5.4.1");
  }
  const auto awaited = last.client.awaited();
  if (!awaited) {
    return set(verdict, ClientMark::kNotOk,
               fmt::format("it said nothing more for {}, though it had every reply",
                           in_seconds(run.ended - last.last_told)),
               kReport);
  }
  const Duration waited = run.ended - std::max(awaited->since, last.last_told);
  const RfcPatience rfc = rfc_patience(*awaited);
  if (waited > rfc.time) {
    return set(verdict, ClientMark::kNotOk,
               fmt::format("it waited {} for {}", in_seconds(waited), awaited->words()),
               rfc.section);
  }
  set(verdict, ClientMark::kUndecided,
      fmt::format("it still waited for {} after {}; it may wait {} and more: a longer --timeout "
                  "would tell whether it ever gives up",
                  awaited->words(), in_seconds(waited), in_seconds(rfc.time)),
      rfc.section);
}

void judge_duplicates(ClientVerdict& verdict, const ClientRun& run, std::uint64_t told,
                      std::uint64_t all) {
  // Copies that the server took and the client was not told of.
  const std::uint64_t untold = all > told ? all - told : 0;
  if (verdict.surplus > untold) {
    return set(verdict, ClientMark::kNotOk,
               "it was told that the mail was taken, and sent it again", kResponsibility);
  }
  if (const auto wait = broken_wait_for_end(run)) {
    return set(verdict, ClientMark::kNotOk,
               fmt::format("it waited only {} for the reply to the end of the message, and sent it "
                           "again; it should wait 10 minutes",
                           in_seconds(*wait)),
               "RFC 5321 4.5.3.2.6");
  }
  set(verdict, ClientMark::kOk, "not to be avoided: the reply was lost", kLostReply);
}

void judge_may_duplicate(ClientVerdict& verdict, const ClientRun& run, std::uint64_t told) {
  if (told >= verdict.wanted) {
    return set(verdict, ClientMark::kNotOk,
               fmt::format("it was told that all was taken, and says that it failed (exit status "
                           "{}): who sends it again delivers it twice",
                           run.exit_code),
               kResponsibility);
  }
  if (const auto wait = broken_wait_for_end(run)) {
    return set(verdict, ClientMark::kNotOk,
               fmt::format("it waited only {} for the reply to the end of the message; it should "
                           "wait 10 minutes",
                           in_seconds(*wait)),
               "RFC 5321 4.5.3.2.6");
  }
  set(verdict, ClientMark::kOk, "it cannot know: the reply was lost", kLostReply);
}

void judge_gave_up(ClientVerdict& verdict, const ExpectedMail& expected, const ClientRun& run,
                   bool by_mail) {
  if (const auto refusal = repeated_refusal(expected, run)) {
    return set(verdict, ClientMark::kNotOk,
               fmt::format("it tried again what was refused for good ({})", refusal->words()),
               kPermanent);
  }
  const std::string trouble = trouble_of(run);
  const std::string missing = missing_extension(expected, run);
  if (const auto wait = broken_wait(run); wait && trouble.empty()) {
    const RfcPatience rfc = rfc_patience(wait->awaited);
    if (wait->time >= rfc.time) {
      return set(verdict, ClientMark::kOk,
                 fmt::format("it gave up after {} without {}", in_seconds(wait->time),
                             wait->awaited.words()),
                 rfc.section);
    }
    return set(verdict, ClientMark::kNotOk,
               fmt::format("it waited only {} for {}; it should wait {}", in_seconds(wait->time),
                           wait->awaited.words(), in_seconds(rfc.time)),
               rfc.section);
  }
  if (trouble.empty() && missing.empty()) {
    return set(verdict, ClientMark::kNotOk, "it gave up though nothing was refused", kReport);
  }
  if (trouble.empty()) {
    return set(verdict, ClientMark::kOk, fmt::format("its mail needs {}", missing),
               missing == "SMTPUTF8" ? "RFC 6531 3.2" : "RFC 6152 3");
  }
  set(verdict, ClientMark::kOk,
      fmt::format("{}, and it says so{}", trouble, by_mail ? " by a mail" : ""), kReport);
}

}  // namespace

std::string_view to_string(ClientResult result) {
  switch (result) {
    case ClientResult::kDelivered:
      return "delivered";
    case ClientResult::kRetried:
      return "retried";
    case ClientResult::kGaveUp:
      return "gave up";
    case ClientResult::kLostMail:
      return "lost mail";
    case ClientResult::kDuplicated:
      return "duplicated";
    case ClientResult::kMayDuplicate:
      return "may duplicate";
    case ClientResult::kHung:
      return "hung";
    case ClientResult::kNotTested:
      return "not tested";
  }
  return "";
}

std::string_view to_string(ClientMark mark) {
  switch (mark) {
    case ClientMark::kOk:
      return "ok";
    case ClientMark::kNotOk:
      return "not ok";
    case ClientMark::kUndecided:
      return "undecided";
  }
  return "";
}

RfcPatience rfc_patience(const DialogueNotes::Awaited& awaited) {
  if (awaited.answers == Answers::kGreeting) return {minutes(5), "RFC 5321 4.5.3.2.1"};
  if (awaited.answers == Answers::kEndOfData) return {minutes(10), "RFC 5321 4.5.3.2.6"};
  switch (awaited.verb) {
    case Verb::kMail:
      return {minutes(5), "RFC 5321 4.5.3.2.2"};
    case Verb::kRcpt:
      return {minutes(5), "RFC 5321 4.5.3.2.3"};
    case Verb::kData:
      return {minutes(2), "RFC 5321 4.5.3.2.4"};
    case Verb::kBdat:
      return {minutes(3), "RFC 5321 4.5.3.2.5"};
    default:
      // Of the others nothing is said; five minutes is what the section asks of most.
      return {minutes(5), "RFC 5321 4.5.3.2"};
  }
}

ExpectedMail expected_mail(const ClientRun& run) {
  ExpectedMail expected;
  expected.copies = copies_of(run, true, true);
  expected.attempts = attempts_of(run);
  for (const SessionNotes* session : run.sessions) {
    for (const std::string& keyword : session->client.needed()) {
      const bool is_new = std::ranges::find(expected.needed, keyword) == expected.needed.end();
      if (is_new) expected.needed.push_back(keyword);
    }
    expected.null_sender |= std::ranges::any_of(
        session->server.messages(),
        [](const auto& message) { return message.sender.empty() && !message.recipients.empty(); });
  }
  return expected;
}

ClientVerdict judge_client(const ExpectedMail& expected, const ClientRun& run) {
  ClientVerdict verdict;
  const Copies taken = copies_of(run, true, expected.null_sender);
  const Copies told = copies_of(run, false, expected.null_sender);
  verdict.wanted = total(expected.copies);
  verdict.taken = covered(expected.copies, taken);
  verdict.surplus = total(taken) - verdict.taken;
  verdict.attempts = attempts_of(run);
  const std::uint64_t told_of = covered(expected.copies, told);
  const bool all = verdict.taken == verdict.wanted;
  const bool says_so = run.exit_code == 0;
  const bool by_mail = !expected.null_sender && reported_by_mail(run);

  if (run.killed) {
    verdict.result = ClientResult::kHung;
    judge_hung(verdict, run);
    return verdict;
  }
  if (!run.altered) {
    verdict.result = ClientResult::kNotTested;
    set(verdict, ClientMark::kUndecided, "the client never came to what the scenario changes", {});
    return verdict;
  }
  const auto is_hidden = [](const SessionNotes* session) {
    return session->client.in_tls() || session->server.in_tls();
  };
  if (std::ranges::any_of(run.sessions, is_hidden)) {
    verdict.result = ClientResult::kNotTested;
    set(verdict, ClientMark::kUndecided,
        "the dialogue went on inside TLS; add --what-if 'hide STARTTLS'", {});
    return verdict;
  }

  if (verdict.surplus > 0) {
    verdict.result = ClientResult::kDuplicated;
    judge_duplicates(verdict, run, total(told), total(taken));
  } else if (!all && says_so && !by_mail) {
    verdict.result = ClientResult::kLostMail;
    const std::string trouble = trouble_of(run);
    set(verdict, ClientMark::kNotOk,
        fmt::format("it says that all went well, and {} of {} never arrived{}",
                    verdict.wanted - verdict.taken, counted(verdict.wanted, "copy"),
                    trouble.empty() ? "" : " (" + trouble + ")"),
        kReport);
  } else if (!all) {
    verdict.result = ClientResult::kGaveUp;
    judge_gave_up(verdict, expected, run, says_so);
  } else if (!says_so) {
    verdict.result = ClientResult::kMayDuplicate;
    judge_may_duplicate(verdict, run, told_of);
  } else {
    const bool again = verdict.attempts > expected.attempts;
    verdict.result = again ? ClientResult::kRetried : ClientResult::kDelivered;
    if (told_of < verdict.wanted) {
      set(verdict, ClientMark::kNotOk, "it says that all went well, though no reply had told it so",
          kResponsibility);
    } else if (const auto refusal = repeated_refusal(expected, run)) {
      set(verdict, ClientMark::kNotOk,
          fmt::format("it tried again what was refused for good ({})", refusal->words()),
          kPermanent);
    }
  }
  return verdict;
}

}  // namespace smtpscope
