#include "exporters/records/run_rows.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "capture/fidelity.h"
#include "parser/path.h"
#include "parser/tls_messages.h"
#include "timeline/rule.h"
#include "timeline/rule_engine.h"
#include "timeline/state/refusal_notes.h"
#include "timeline/state/session_notes.h"

namespace smtpscope {
namespace {

/// Of what nobody looks at whole.
constexpr std::size_t kMostText = 2000;

/// The port of "192.0.2.1:25"; 0 if it has none.
std::uint16_t port_of(std::string_view endpoint) {
  std::uint16_t port = 0;
  if (endpoint.starts_with("unix:")) return port;
  const std::size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos) return port;
  std::from_chars(endpoint.data() + colon + 1, endpoint.data() + endpoint.size(), port);
  return port;
}

/// In lower case; "" where a path has none.
std::string domain_of(std::string_view path) {
  const std::size_t at = find_domain(path);
  return at == std::string_view::npos ? std::string() : in_lower_case(path.substr(at));
}

std::string unknown_words(const Fidelity& fidelity) {
  std::string words;
  for (std::size_t bit = 0; bit < kUnknowns; ++bit) {
    if ((fidelity.unknown >> bit & 1) == 0) continue;
    if (!words.empty()) words += ',';
    words += kUnknownNames[bit];
  }
  return words;
}

/// "EHLO mail.example  " says "mail.example".
std::string_view first_word(std::string_view arguments) {
  return arguments.substr(0, arguments.find_first_of(" \t"));
}

}  // namespace

/// What the client sent, until its reply comes.
struct RunRows::Exchange {
  std::uint64_t number = 0;
  std::uint64_t transaction = 0;
  std::string_view kind;
  std::string_view verb;
  std::string command;
  bool has_path = false;
  std::string path;
  Time first;
  std::uint64_t octets = 0;
  std::optional<Duration> pause;
  bool tls = false;
  std::uint64_t replies = 0;
};

struct RunRows::Finding {
  std::uint64_t number = 0;
  const Rule* rule = nullptr;
  std::string_view variant;
  Severity severity = Severity::kInfo;
  Fault fault = Fault::kUnknown;
  Certainty certainty = Certainty::kSeen;
  Time time;
  std::string text;
  std::uint64_t transaction = 0;
  std::uint64_t entry = 0;
  std::string_view folded_under;
};

struct RunRows::Session {
  explicit Session(SessionId number) : id(number) {}

  SessionId id;
  std::string client, announced_by, listener, upstream, route, server, connect_failed, unknown,
      hello;
  std::string tls_version, tls_cipher;
  std::string_view closed_by;
  std::optional<Duration> connect;
  bool mid_session = false;
  std::uint64_t refusals = 0;
  std::uint64_t holes = 0;
  std::uint64_t holes_of_run_before = 0;
  std::deque<Exchange> owed;     // by number
  std::deque<Finding> findings;  // that may yet be folded
  /// Why the server refused, for the transaction that the reply belongs to.
  struct Refused {
    std::uint64_t entry = 0;
    ReplyReason reason = ReplyReason::kUnknown;
  };
  std::deque<Refused> refused;  // the last few
};

RunRows::RunRows(RowTaker& taker) : taker_(taker) {}

RunRows::~RunRows() = default;

void RunRows::begin_run(WallTime started) {
  started_ = started;
  holes_ = 0;
  open_.clear();
}

void RunRows::end_run() { open_.clear(); }

RunRows::Session& RunRows::session_of(SessionId id) {
  std::unique_ptr<Session>& session = open_[id];
  if (!session) {
    session = std::make_unique<Session>(id);
    session->holes_of_run_before = holes_;
  }
  return *session;
}

void RunRows::on_timeline(const TimelineEvent& event) {
  if (event.session == kWholeRun) {
    if (std::holds_alternative<TimelineGap>(event.body)) ++holes_;
    return;
  }
  Session& session = session_of(event.session);
  if (const auto* entry = std::get_if<Entry>(&event.body)) {
    on_entry(session, *entry);
  } else if (const auto* started = std::get_if<TimelineSessionStarted>(&event.body)) {
    session.client = started->client;
    session.announced_by = started->announced_by;
    session.listener = started->listener;
    session.upstream = started->upstream;
    session.route = started->route;
    session.mid_session = started->mid_session;
    session.unknown = unknown_words(started->fidelity);
  } else if (const auto* connected = std::get_if<TimelineConnected>(&event.body)) {
    session.server = connected->server;
    session.connect = connected->took;
  } else if (const auto* failed = std::get_if<TimelineConnectFailed>(&event.body)) {
    session.connect_failed = failed->reason;
  } else if (const auto* annotation = std::get_if<Annotation>(&event.body)) {
    on_annotation(session, *annotation);
  } else if (const auto* folded = std::get_if<AnnotationFolded>(&event.body)) {
    const auto known = std::ranges::find(session.findings, folded->number, &Finding::number);
    if (known != session.findings.end()) known->folded_under = folded->under;
  } else if (const auto* ended = std::get_if<TransactionEnded>(&event.body)) {
    write_transaction(session, *ended->transaction);
  } else if (const auto* tls = std::get_if<TimelineTls>(&event.body)) {
    const TlsFacts& facts = *tls->handshake.facts;
    if (tls->handshake.with == Side::kClient && facts.completed) {
      session.tls_version = facts.version;
      session.tls_cipher = facts.cipher;
    }
  } else if (const auto* closed = std::get_if<TimelineClosed>(&event.body)) {
    if (session.closed_by.empty()) {
      session.closed_by = closed->closed.by_proxy ? "proxy" : to_string(closed->closed.from);
    }
  } else if (std::holds_alternative<TimelineGap>(event.body)) {
    ++session.holes;
  } else if (const auto* over = std::get_if<TimelineSessionEnded>(&event.body)) {
    on_ended(session, *over);
    open_.erase(event.session);
  }
}

void RunRows::on_entry(Session& session, const Entry& entry) {
  const ItemBody& body = entry.item->body;
  if (const auto* reply = std::get_if<Reply>(&body)) {
    on_reply(session, entry, *reply);
  } else if (const auto* chunk = std::get_if<Chunk>(&body)) {
    // It belongs to the BDAT before it.
    const auto bdat =
        std::find_if(session.owed.rbegin(), session.owed.rend(),
                     [](const Exchange& each) { return each.verb == to_string(Verb::kBdat); });
    if (bdat != session.owed.rend() && chunk->exchange != kNoExchange) {
      bdat->octets += entry.item->end - entry.item->begin;
    }
  } else if (std::holds_alternative<GarbageLine>(body)) {
    Exchange unasked;
    unasked.number = entry.number;
    unasked.kind = "unasked";
    unasked.first = entry.first;
    unasked.tls = entry.tls;
    unasked.transaction = entry.transaction;
    write_exchange(session, unasked, &entry);
  } else if (!std::holds_alternative<TlsRecord>(body) && !std::holds_alternative<Junk>(body) &&
             !std::holds_alternative<ProxyHeader>(body)) {
    on_sent(session, entry);
  }
}

void RunRows::on_sent(Session& session, const Entry& entry) {
  if (session.owed.size() == kMostOwed) {
    if (session.owed.front().replies == 0) write_exchange(session, session.owed.front(), nullptr);
    session.owed.pop_front();
  }
  Exchange& sent = session.owed.emplace_back();
  sent.number = entry.number;
  sent.transaction = entry.transaction;
  sent.first = entry.first;
  sent.octets = entry.item->end - entry.item->begin;
  sent.pause = entry.think;
  sent.tls = entry.tls;
  if (const auto* command = std::get_if<Command>(&entry.item->body)) {
    sent.kind = "command";
    sent.verb = to_string(command->verb);
    sent.command = command->text.substr(0, kMostText);
    if (command->verb == Verb::kMail || command->verb == Verb::kRcpt) {
      sent.has_path = true;
      sent.path =
          parse_path(command->arguments, command->verb == Verb::kMail ? "FROM:" : "TO:").path;
    } else if (command->verb == Verb::kEhlo || command->verb == Verb::kHelo ||
               command->verb == Verb::kLhlo) {
      session.hello = first_word(command->arguments);
    }
  } else if (std::holds_alternative<MailData>(entry.item->body)) {
    sent.kind = "mail-data";
  } else if (std::holds_alternative<AuthResponse>(entry.item->body)) {
    sent.kind = "auth-response";
    sent.verb = to_string(Verb::kAuth);
  } else {
    sent.kind = "blob";
  }
}

void RunRows::on_reply(Session& session, const Entry& entry, const Reply& reply) {
  if (entry.refusal != nullptr) {
    ++session.refusals;
    constexpr std::size_t kMostRefused = 64;
    if (session.refused.size() == kMostRefused) session.refused.pop_front();
    session.refused.push_back({entry.number, entry.refusal->judged.reason});
  }
  const auto answered = std::ranges::find(session.owed, entry.answers, &Exchange::number);
  if (entry.answers == 0 || answered == session.owed.end()) {
    Exchange alone;
    alone.number = entry.answers == 0 ? entry.number : entry.answers;
    alone.transaction = entry.transaction;
    alone.kind = reply.answers == Answers::kGreeting                  ? "greeting"
                 : entry.answers == 0 || reply.verb == Verb::kUnknown ? "unasked"
                                                                      : "command";
    alone.verb = entry.answers == 0 ? std::string_view() : to_string(reply.verb);
    alone.first = entry.first;
    alone.tls = entry.tls;
    alone.replies = reply.ordinal + 1;
    write_exchange(session, alone, &entry);
    return;
  }
  // Replies come in the order of what they answer: nothing before it gets one any more.
  for (auto before = session.owed.begin(); before != answered; ++before) {
    if (before->replies == 0) write_exchange(session, *before, nullptr);
  }
  session.owed.erase(session.owed.begin(), answered);
  Exchange& exchange = session.owed.front();
  ++exchange.replies;
  write_exchange(session, exchange, &entry);
}

void RunRows::on_annotation(Session& session, const Annotation& annotation) {
  // Later headlines reach no further back than the engine remembers.
  if (session.findings.size() == RuleEngine::kRemembered) {
    write_finding(session, session.findings.front());
    session.findings.pop_front();
  }
  Finding& finding = session.findings.emplace_back();
  finding.number = annotation.number;
  finding.rule = annotation.rule;
  finding.variant = annotation.variant;
  finding.severity = annotation.severity;
  finding.fault = annotation.fault;
  finding.certainty = annotation.certainty;
  finding.time = annotation.time;
  finding.text = annotation.text;
  finding.transaction = annotation.transaction;
  finding.entry = annotation.entries.empty() ? 0 : annotation.entries.front();
  finding.folded_under = annotation.folded_under;
}

void RunRows::on_ended(Session& session, const TimelineSessionEnded& ended) {
  for (const Exchange& exchange : session.owed) {
    if (exchange.replies == 0) write_exchange(session, exchange, nullptr);
  }
  session.owed.clear();
  for (const Finding& finding : session.findings) write_finding(session, finding);
  session.findings.clear();
  write_session(session, ended);
}

/// `answer`: the entry of the reply, or of the line that is none; nullptr if there is none.
void RunRows::write_exchange(Session& session, const Exchange& exchange, const Entry* answer) {
  RowWriter& row = taker_.begin_row(RecordTable::kExchanges, session.id);
  const Reply* reply = answer == nullptr ? nullptr : std::get_if<Reply>(&answer->item->body);
  const RefusedReply* refusal = answer == nullptr ? nullptr : answer->refusal;
  row.time("time", wall(exchange.first));
  row.count("exchange", exchange.number);
  row.count("reply", answer == nullptr ? 0 : std::max<std::uint64_t>(exchange.replies, 1));
  row.count_if("transaction", exchange.transaction);
  row.text("kind", exchange.kind);
  row.text_if("verb", exchange.verb);
  row.text_if("command", exchange.command);
  exchange.has_path ? row.text("mailbox", exchange.path) : row.null("mailbox");
  row.text_if("mailbox_domain", exchange.has_path ? domain_of(exchange.path) : std::string());
  row.count("octets", exchange.octets);
  row.duration("pause_ns", exchange.pause);
  row.flag("tls", exchange.tls);
  answer == nullptr ? row.null("replied") : row.time("replied", wall(answer->last));
  row.duration("wait_ns", answer == nullptr ? std::nullopt : answer->think);
  row.count_if("code", reply == nullptr ? 0 : reply->code);
  std::string enhanced;
  std::string text;
  if (reply != nullptr) {
    std::string_view last = reply->last_text();
    enhanced = take_enhanced_code(last);
    for (const ReplyLine& line : reply->lines) {
      if (&line != &reply->lines.front()) text += '\n';
      text += line.text;
    }
  } else if (answer != nullptr) {
    if (const auto* line = std::get_if<GarbageLine>(&answer->item->body)) text = line->text;
  }
  row.text_if("enhanced", enhanced);
  row.text_if("reply_text", text);
  row.count("reply_lines", reply != nullptr ? reply->line_count : answer != nullptr ? 1 : 0);
  row.count("reply_octets", answer == nullptr ? 0 : answer->item->end - answer->item->begin);
  row.flag("by_proxy", answer != nullptr && answer->by_proxy);
  row.flag("refused", refusal != nullptr);
  row.text_if("stage", refusal == nullptr ? std::string_view() : to_string(refusal->stage));
  row.text_if("reason",
              refusal == nullptr ? std::string_view() : to_string(refusal->judged.reason));
  refusal == nullptr ? row.null("temporary") : row.flag("temporary", refusal->judged.temporary);
  taker_.end_row(RecordTable::kExchanges, session.id);
}

void RunRows::write_transaction(Session& session, const Transaction& transaction) {
  RowWriter& row = taker_.begin_row(RecordTable::kTransactions, session.id);
  const bool has_data = transaction.data_verb != Verb::kUnknown;
  const bool seen = has_data && !transaction.facts.unseen;
  const std::string_view first =
      transaction.recipients.empty() ? std::string_view() : transaction.recipients.front().path;
  row.time("time", wall(transaction.began));
  row.count("transaction", transaction.number);
  row.time("ended", wall(transaction.ended));
  row.duration("duration_ns", transaction.ended - transaction.began);
  row.text("outcome", to_string(transaction.outcome));
  row.text_if("aborted_by", transaction.aborted_by == AbortedBy::kNothing
                                ? std::string_view()
                                : to_string(transaction.aborted_by));
  row.text("sender", transaction.reverse_path);
  row.text_if("sender_domain", domain_of(transaction.reverse_path));
  row.text_if("first_recipient", first);
  row.text_if("recipient_domain", domain_of(first));
  row.count("recipients", transaction.rcpt_sent);
  row.count("recipients_accepted", transaction.rcpt_accepted);
  row.count("recipients_refused", transaction.rcpt_refused);
  row.digest("envelope", transaction.envelope_hash);
  row.count_if("mail_code", transaction.mail_code);
  row.text_if("data_verb", to_string(transaction.data_verb));
  row.duration("data_ns", transaction.data_sent
                              ? std::optional(transaction.data_ended - transaction.data_began)
                              : std::nullopt);
  seen ? row.count("octets", transaction.octets()) : row.null("octets");
  seen ? row.count("lines", transaction.facts.lines) : row.null("lines");
  seen&& transaction.facts.digest != 0 ? row.digest("digest", transaction.facts.digest)
                                       : row.null("digest");
  transaction.facts.header.message_id != 0
      ? row.digest("message_id", transaction.facts.header.message_id)
      : row.null("message_id");
  row.count_if("final_code", transaction.final_code);
  row.text_if("final_text", transaction.final_text);
  row.count_if("refusal_code", transaction.refusal_code);
  row.text_if("refusal_text", transaction.refusal_text);
  const bool refused = transaction.refusal_code != 0;
  const auto why =
      std::ranges::find(session.refused, transaction.refusal_entry, &Session::Refused::entry);
  const bool known = refused && why != session.refused.end();
  row.text_if("reason", known ? to_string(why->reason) : std::string_view());
  refused ? row.flag("temporary", transaction.temporary_only) : row.null("temporary");
  taker_.end_row(RecordTable::kTransactions, session.id);
}

void RunRows::write_finding(Session& session, const Finding& finding) {
  RowWriter& row = taker_.begin_row(RecordTable::kFindings, session.id);
  row.time("time", wall(finding.time));
  row.count("finding", finding.number);
  row.text("rule", finding.rule->id);
  row.text_if("variant", finding.variant);
  row.text("category", to_string(finding.rule->category));
  row.text("severity", to_string(finding.severity));
  row.text("fault", to_string(finding.fault));
  row.text("certainty", to_string(finding.certainty));
  row.count_if("transaction", finding.transaction);
  row.count_if("exchange", finding.entry);
  row.text_if("text", finding.text);
  row.text_if("folded_under", finding.folded_under);
  taker_.end_row(RecordTable::kFindings, session.id);
}

void RunRows::write_session(const Session& session, const TimelineSessionEnded& ended) {
  RowWriter& row = taker_.begin_row(RecordTable::kSessions, session.id);
  const SessionTotals& totals = *ended.totals;
  const auto outcome = [&](Outcome one) { return totals.outcomes[static_cast<std::size_t>(one)]; };
  std::uint64_t commands = 0;
  std::uint64_t rsets = 0;
  bool authenticated = false;
  for (const auto& [verb, counts] : totals.commands) {
    commands += counts.second;
    if (verb == "rset") rsets = counts.second;
    if (verb == "auth") authenticated = counts.first > 0;
  }
  std::string version = session.tls_version;
  std::string cipher = session.tls_cipher;
  if (version.empty() && totals.tls && totals.tls->version != 0) {
    version = tls_version_text(totals.tls->version);
    cipher = tls_cipher_text(totals.tls->cipher_suite);
  }
  const VerdictLine* lead = nullptr;
  for (const VerdictLine& line : ended.verdict) {
    if (line.kind == VerdictKind::kLead) lead = &line;
  }
  row.time("time", wall(totals.began));
  row.time("ended", wall(totals.ended));
  row.duration("duration_ns", totals.ended - totals.began);
  row.text_if("client_address", host_of(session.client));
  row.count_if("client_port", port_of(session.client));
  row.text_if("announced_by", session.announced_by);
  row.text_if("listener", session.listener);
  row.text_if("upstream", session.upstream);
  row.text_if("route", session.route);
  row.text_if("server_address", host_of(session.server));
  row.count_if("server_port", port_of(session.server));
  row.duration("connect_ns", session.connect);
  row.text_if("connect_failed", session.connect_failed);
  row.flag("mid_session", session.mid_session);
  row.text_if("unknown", session.unknown);
  row.text_if("hello", session.hello);
  row.text_if("tls_version", version);
  row.text_if("tls_cipher", cipher);
  row.flag("authenticated", authenticated);
  row.flag("unfinished", ended.unfinished);
  row.flag("ended_cleanly", totals.ended_cleanly);
  row.text_if("closed_by", session.closed_by);
  row.count("client_octets", totals.octets[index(Side::kClient)]);
  row.count("server_octets", totals.octets[index(Side::kServer)]);
  row.count("commands", commands);
  row.count("rsets", rsets);
  row.count("refusals", session.refusals);
  row.count("transactions", totals.transactions);
  row.count("accepted", outcome(Outcome::kAccepted));
  row.count("partial", outcome(Outcome::kPartial));
  row.count("rejected", outcome(Outcome::kRejected));
  row.count("aborted", outcome(Outcome::kAborted));
  row.count("unsettled", outcome(Outcome::kUnknown) + outcome(Outcome::kOpen));
  row.duration("idle_client_ns", totals.idle_client);
  row.duration("idle_server_ns", totals.idle_server);
  row.duration("idle_proxy_ns", totals.idle_proxy);
  row.count("findings", totals.annotations);
  row.text_if("worst", totals.worst ? to_string(*totals.worst) : std::string_view());
  row.count("holes", session.holes + holes_ - session.holes_of_run_before);
  row.count("rows_lost", taker_.lost_rows());
  row.text_if("verdict", lead == nullptr ? std::string_view() : std::string_view(lead->text));
  const bool has_cause = lead != nullptr && !lead->cause.empty();
  row.text_if("cause", has_cause ? lead->cause : std::string_view());
  row.text_if("reason", has_cause ? lead->reason : std::string_view());
  row.text_if("fault", has_cause ? to_string(lead->side) : std::string_view());
  taker_.end_row(RecordTable::kSessions, session.id);
}

}  // namespace smtpscope
