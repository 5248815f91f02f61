#include "trace/run_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "parser/path.h"
#include "timeline/state/envelope_hash.h"

namespace smtpscope {
namespace {

/// Of each transaction so many recipients are kept by name; the hash has all.
constexpr std::size_t kNamedRecipients = Transaction::kKeptRecipients;

/// The lines of a reply as they stood on the wire, joined by LF.
std::string wire_text(const Reply& reply) {
  std::string text;
  for (std::size_t i = 0; i < reply.lines.size(); ++i) {
    const ReplyLine& line = reply.lines[i];
    if (i > 0) text += '\n';
    if (line.code == 0) {
      text += line.text;
      continue;
    }
    const bool last = i + 1 == reply.lines.size() && reply.line_count == reply.lines.size();
    fmt::format_to(std::back_inserter(text), "{:03}", line.code);
    if (!last || !line.text.empty()) text += last ? ' ' : '-';
    text += line.text;
  }
  return text;
}

bool carries_transaction(Verb verb) {
  switch (verb) {
    case Verb::kMail:
    case Verb::kRcpt:
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kBurl:
      return true;
    default:
      return false;
  }
}

ReplyRecord reply_of(const Entry& entry) {
  ReplyRecord record;
  record.by_proxy = entry.by_proxy;
  record.undelivered = entry.undelivered;
  record.first = entry.first;
  record.last = entry.last;
  record.entry = entry.number;
  record.reads = static_cast<std::uint32_t>(entry.read_count);
  return record;
}

}  // namespace

RunRecorder::RunRecorder(std::string name, const RunInfo& info) {
  run_.name = std::move(name);
  run_.info = info;
}

void RunRecorder::on_timeline(const TimelineEvent& event) {
  if (event.session == kWholeRun) {
    if (std::holds_alternative<TimelineGap>(event.body)) ++run_.holes;
    return;
  }
  Open& open = open_[event.session];
  SessionRecord& session = open.record;
  if (session.id == 0) {
    open.id = session.id = event.session;
    session.began = event.time;
  }
  session.finished = event.time;
  if (const auto* started = std::get_if<TimelineSessionStarted>(&event.body)) {
    session.client = started->client;
    session.listener = started->listener;
    session.upstream = started->upstream;
    session.mid_session = started->mid_session;
    session.fidelity = started->fidelity;
  } else if (const auto* connected = std::get_if<TimelineConnected>(&event.body)) {
    session.server = connected->server;
  } else if (const auto* failed = std::get_if<TimelineConnectFailed>(&event.body)) {
    session.connect_failed = failed->reason;
  } else if (const auto* entry = std::get_if<Entry>(&event.body)) {
    on_entry(event, *entry);
  } else if (const auto* annotation = std::get_if<Annotation>(&event.body)) {
    session.annotations.push_back(
        {annotation->rule, annotation->variant, annotation->severity, annotation->number,
         annotation->transaction, annotation->entries.empty() ? 0 : annotation->entries.front(),
         !annotation->folded_under.empty(), annotation->text, annotation->attributes});
  } else if (const auto* folded = std::get_if<AnnotationFolded>(&event.body)) {
    const auto known = std::ranges::lower_bound(session.annotations, folded->number, {},
                                                &AnnotationRecord::number);
    if (known != session.annotations.end() && known->number == folded->number) {
      known->folded = true;
    }
  } else if (const auto* ended = std::get_if<TransactionEnded>(&event.body)) {
    if (TransactionRecord* known = transaction(open, ended->transaction->number)) {
      known->outcome = ended->transaction->outcome;
      known->aborted_by = ended->transaction->aborted_by;
      known->final_code = ended->transaction->final_code;
    }
  } else if (const auto* closed = std::get_if<TimelineClosed>(&event.body)) {
    session.closes.push_back(
        {closed->closed.from, closed->closed.kind, closed->closed.by_proxy, event.time});
  } else if (std::holds_alternative<TimelineGap>(event.body)) {
    ++session.holes;
  } else if (const auto* over = std::get_if<TimelineSessionEnded>(&event.body)) {
    session.octets[0] = over->totals->octets[0];
    session.octets[1] = over->totals->octets[1];
    session.ended = !over->unfinished;
    session.ended_cleanly = over->totals->ended_cleanly;
    close(open);
    open_.erase(event.session);
  }
}

void RunRecorder::on_entry(const TimelineEvent& event, const Entry& entry) {
  Open& session = open_[event.session];
  const Item& item = *entry.item;
  std::visit([&](const auto& body) { on_item(session, entry, body); }, item.body);
  content_.forget(event.session, item.side, item.end);
}

ExchangeRecord& RunRecorder::add_exchange(Open& session, const Entry& entry, ExchangeKind kind,
                                          std::string_view text) {
  ExchangeRecord record;
  record.kind = kind;
  record.text = run_.commands.add(text);
  record.entry = entry.number;
  record.transaction = entry.transaction;
  record.first = entry.first;
  record.last = entry.last;
  if (entry.item->side == Side::kClient) {
    record.pause = entry.think;
    record.reads = static_cast<std::uint32_t>(entry.read_count);
    record.octets = entry.item->end - entry.item->begin;
  }
  session.record.exchanges.push_back(record);
  return session.record.exchanges.back();
}

void RunRecorder::on_item(Open& session, const Entry& entry, const Command& command) {
  const bool begins = command.verb == Verb::kMail && entry.transaction != 0 &&
                      transaction(session, entry.transaction) == nullptr;
  if (begins) {
    TransactionRecord record;
    record.number = entry.transaction;
    record.first = session.record.exchanges.size();
    record.reverse_path = parse_path(command.arguments, "FROM:").path;
    record.envelope_hash = sender_hash(record.reverse_path);
    session.record.transactions.push_back(std::move(record));
    session.content_ended = false;
  }
  ExchangeRecord& exchange = add_exchange(session, entry, ExchangeKind::kCommand, command.text);
  exchange.verb = command.verb;
  exchange.ending = command.ending;
  TransactionRecord* of = transaction(session, entry.transaction);
  if (of == nullptr) return;
  if (carries_transaction(command.verb)) of->last = session.record.exchanges.size() - 1;
  if (command.verb == Verb::kRcpt) {
    const std::string_view path = parse_path(command.arguments, "TO:").path;
    of->envelope_hash = with_recipient(of->envelope_hash, path);
    of->rcpt_sent += 1;
    if (of->recipients.size() < kNamedRecipients) of->recipients.emplace_back(path);
  }
}

void RunRecorder::on_item(Open& session, const Entry& entry, const AuthResponse& response) {
  const std::string text = response.quit ? "QUIT"
                           : response.cancelled
                               ? "*"
                               : fmt::format("(answer of {} octets)", response.octets);
  add_exchange(session, entry, ExchangeKind::kAuthResponse, text).ending = response.ending;
}

void RunRecorder::on_item(Open& session, const Entry& entry, const MailData& data) {
  add_exchange(session, entry, ExchangeKind::kMailData, {}).verb = Verb::kData;
  if (TransactionRecord* of = transaction(session, entry.transaction)) {
    of->last = session.record.exchanges.size() - 1;
  }
  // The terminator is no content (RFC 5321 4.1.1.4): "." CRLF, behind a CRLF that is.
  constexpr std::uint64_t kTerminator = 3;
  const Item& item = *entry.item;
  const bool strict = data.end == DataEnd::kStrict && item.end - item.begin >= kTerminator;
  add_content(session, entry, strict ? item.end - kTerminator : item.end, data.facts);
}

void RunRecorder::on_item(Open& session, const Entry& entry, const Chunk& chunk) {
  add_content(session, entry, entry.item->end, chunk.facts);
  // It belongs to the BDAT before it, of which the octets are told.
  std::vector<ExchangeRecord>& exchanges = session.record.exchanges;
  const auto bdat =
      std::find_if(exchanges.rbegin(), exchanges.rend(),
                   [](const ExchangeRecord& each) { return each.verb == Verb::kBdat; });
  if (bdat == exchanges.rend()) return;
  bdat->octets += entry.item->end - entry.item->begin;
  bdat->last = entry.last;
}

void RunRecorder::add_content(Open& session, const Entry& entry, std::uint64_t end,
                              const MessageFacts& facts) {
  TransactionRecord* of = transaction(session, entry.transaction);
  if (of == nullptr) return;
  of->has_data = true;
  of->facts = facts;
  if (session.content_ended) return;
  const Item& item = *entry.item;
  KeptContent more = content_.content(session.id, item.side, item.begin, end);
  const std::size_t room = std::min(
      kKeptOfMessage - std::min(kKeptOfMessage, of->content.octets.size()), kKeptOfAll - kept_);
  if (more.octets.size() > room) {
    more.octets.resize(room);
    more.whole = false;
  }
  kept_ += more.octets.size();
  of->content.octets += more.octets;
  of->content.whole = more.whole;
  session.content_ended = !more.whole;
}

void RunRecorder::on_item(Open& session, const Entry& entry, const Reply& reply) {
  ReplyRecord record = reply_of(entry);
  record.code = reply.code;
  record.complete = reply.complete;
  record.text = run_.replies.add(wire_text(reply));
  if (reply.answers == Answers::kGreeting) {
    add_exchange(session, entry, ExchangeKind::kGreeting, {});
  } else if (reply.answers == Answers::kOrphan || reply.answers == Answers::kUnsolicited ||
             entry.answers == 0) {
    add_exchange(session, entry, ExchangeKind::kUnasked, {});
  }
  add_reply(session, entry, record);
}

void RunRecorder::on_item(Open& session, const Entry& entry, const GarbageLine& line) {
  ReplyRecord record = reply_of(entry);
  record.text = run_.replies.add(line.text);
  add_exchange(session, entry, ExchangeKind::kUnasked, {});
  add_reply(session, entry, record);
}

void RunRecorder::add_reply(Open& session, const Entry& entry, ReplyRecord reply) {
  SessionRecord& known = session.record;
  const std::uint64_t answered = entry.answers == 0 ? entry.number : entry.answers;
  // A chunk has an entry of its own, behind that of its BDAT.
  auto exchange = std::ranges::upper_bound(known.exchanges, answered, {}, &ExchangeRecord::entry);
  const auto last_of = [&](const ExchangeRecord& each) {
    return each.first_reply + each.reply_count == known.replies.size();
  };
  if (exchange != known.exchanges.begin()) --exchange;
  if (exchange == known.exchanges.end() || (exchange->reply_count > 0 && !last_of(*exchange))) {
    // Counting never gives this; what cannot be placed is shown where it came.
    add_exchange(session, entry, ExchangeKind::kUnasked, {});
    exchange = std::prev(known.exchanges.end());
  }
  if (exchange->reply_count == 0) {
    exchange->first_reply = static_cast<std::uint32_t>(known.replies.size());
    exchange->think = entry.think;
  }
  ++exchange->reply_count;
  known.replies.push_back(reply);
}

void RunRecorder::on_item(Open& session, const Entry& entry, const Blob& blob) {
  add_exchange(session, entry, ExchangeKind::kOther,
               fmt::format("(binary, {} octets declared)", blob.declared));
}

void RunRecorder::on_item(Open& session, const Entry& entry, const ProxyHeader& header) {
  add_exchange(session, entry, ExchangeKind::kOther,
               header.text.empty() ? fmt::format("(PROXY header, version {})", header.version)
                                   : std::string(header.text));
}

void RunRecorder::on_item(Open& session, const Entry& entry, const TlsRecord&) {
  // How TLS cuts its octets into records says nothing to a reader of SMTP.
  std::vector<ExchangeRecord>& exchanges = session.record.exchanges;
  if (exchanges.empty() || exchanges.back().kind != ExchangeKind::kTls) {
    add_exchange(session, entry, ExchangeKind::kTls, "(TLS)");
    return;
  }
  exchanges.back().last = entry.last;
  if (entry.item->side == Side::kClient) {
    exchanges.back().octets += entry.item->end - entry.item->begin;
  }
}

void RunRecorder::on_item(Open& session, const Entry& entry, const Junk& junk) {
  add_exchange(
      session, entry, ExchangeKind::kOther,
      fmt::format("({}, {} octets)", to_string(junk.reason), entry.item->end - entry.item->begin));
}

TransactionRecord* RunRecorder::transaction(Open& session, std::uint64_t number) {
  std::vector<TransactionRecord>& known = session.record.transactions;
  if (number == 0) return nullptr;
  // Numbers rise, and the one asked for is nearly always the last.
  for (auto each = known.rbegin(); each != known.rend() && each->number >= number; ++each) {
    if (each->number == number) return &*each;
  }
  return nullptr;
}

void RunRecorder::close(Open& session) { run_.sessions.push_back(std::move(session.record)); }

RunRecord RunRecorder::take() {
  for (auto& [id, session] : open_) close(session);
  open_.clear();
  std::ranges::sort(run_.sessions, {}, &SessionRecord::id);
  return std::move(run_);
}

}  // namespace smtpscope
