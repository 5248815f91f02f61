#include "exporters/otlp/run_spans.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "capture/tls_facts.h"
#include "exporters/fnv_hash.h"
#include "exporters/records/run_id.h"
#include "timeline/state/transaction.h"

namespace smtpscope {
namespace {

constexpr std::string_view kSession = "smtpscope.session";

/// The names of spans: few, for engines group by them. Of exchanges: the verb, or what it is.
constexpr std::string_view kSessionSpan = "SMTP session";
constexpr std::string_view kTransactionSpan = "SMTP transaction";
constexpr std::string_view kTlsSpan = "TLS handshake";
constexpr std::string_view kSilenceEvent = "silence";
constexpr std::string_view kFindingEvent = "finding";

/// Names that live as long as the program, of what a row names.
std::string_view lasting(std::string_view verb, std::string_view kind) {
  if (!verb.empty() && kind == "command") return to_string(verb_of(verb));
  for (const std::string_view known :
       {"greeting", "command", "auth-response", "mail-data", "blob"}) {
    if (known == kind) return known;
  }
  return "unasked";
}

template <std::size_t N>
void put_id(std::array<std::uint8_t, N>& id, std::size_t at, std::uint64_t value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    id.at(at + i) = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  }
}

/// Never 0: ids of nothing but zeros are none.
std::uint64_t id_of(std::uint64_t seed, std::string_view run, SessionId session,
                    std::string_view kind, std::uint64_t number, std::uint64_t part) {
  const std::uint64_t hash =
      spread(with_part(with_part(kFnvBasis ^ seed, run), kind) ^ spread(session + 1)) ^
      spread((number + 1) * 0x9e3779b97f4a7c15ULL) ^ spread(~part);
  return std::max<std::uint64_t>(spread(hash), 1);
}

void add_text(std::vector<SpanAttribute>& attributes, std::string_view key, std::string_view text) {
  if (!text.empty()) attributes.push_back({key, span_text(text)});
}

/// The client did not end it of its own will.
bool broke_off(std::string_view aborted_by) {
  for (const AbortedBy cause : {AbortedBy::kClientClose, AbortedBy::kServerClose, AbortedBy::kReset,
                                AbortedBy::kTimeout, AbortedBy::k421, AbortedBy::kProxy}) {
    if (to_string(cause) == aborted_by) return true;
  }
  return false;
}

}  // namespace

RunSpans::RunSpans(const ExporterOptions& options, SpanTaker& taker)
    : host_(options.host),
      pseudonyms_(options.pseudonyms),
      given_(options.resource == nullptr ? SpanResource() : *options.resource),
      taker_(taker),
      row_{SpanRow(RecordTable::kSessions, pseudonyms_),
           SpanRow(RecordTable::kExchanges, pseudonyms_),
           SpanRow(RecordTable::kTransactions, pseudonyms_),
           SpanRow(RecordTable::kFindings, pseudonyms_)},
      rows_(*this) {}

void RunSpans::begin_run(const RunInfo& run) {
  run_ = run_id(run, host_);
  started_ = run.started;
  rows_.begin_run(run.started);
  open_.clear();
  resource_ = {{"service.name", "smtpscope"},
               {"service.version", SMTPSCOPE_VERSION},
               {"service.instance.id", run_},
               {"host.name", span_text(host_)}};
  if (!run.tap.empty()) resource_.emplace_back("smtpscope.tap", span_text(run.tap));
  for (const auto& [key, value] : given_) {
    const auto same = std::ranges::find(resource_, key, &SpanResource::value_type::first);
    if (same == resource_.end()) {
      resource_.emplace_back(key, value);
    } else {
      same->second = value;
    }
  }
}

void RunSpans::end_run() {
  rows_.end_run();
  open_.clear();
}

void RunSpans::on_timeline(const TimelineEvent& event) {
  if (const auto* tls = std::get_if<TimelineTls>(&event.body)) {
    on_tls(event.session, *tls, event.time);
  } else if (const auto* silence = std::get_if<Silence>(&event.body)) {
    on_silence(event.session, *silence);
  } else if (const auto* connected = std::get_if<TimelineConnected>(&event.body)) {
    open_[event.session].over_socket = connected->server.starts_with("unix:");
  } else if (std::holds_alternative<TimelineConnectFailed>(event.body)) {
    open_[event.session].connect_failed = true;
  }
  rows_.on_timeline(event);
  if (std::holds_alternative<TimelineSessionEnded>(event.body)) open_.erase(event.session);
}

RowWriter& RunSpans::begin_row(RecordTable table, SessionId /*session*/) {
  SpanRow& row = row_.at(static_cast<std::size_t>(table));
  row.begin();
  return row;
}

void RunSpans::end_row(RecordTable table, SessionId session) {
  SpanRow& row = row_.at(static_cast<std::size_t>(table));
  switch (table) {
    case RecordTable::kSessions:
      return on_session_row(session, row);
    case RecordTable::kExchanges:
      return on_exchange_row(session, row);
    case RecordTable::kTransactions:
      return on_transaction_row(session, row);
    case RecordTable::kFindings:
      return on_finding_row(session, row);
  }
}

Span RunSpans::span_of(SessionId session, std::string_view kind, std::uint64_t number,
                       std::uint64_t part) const {
  Span span;
  put_id(span.trace, 0, id_of(1, run_, session, "trace", 0, 0));
  put_id(span.trace, 8, id_of(2, run_, session, "trace", 0, 0));
  put_id(span.id, 0, id_of(0, run_, session, kind, number, part));
  if (kind != kSessionSpan) put_id(span.parent, 0, id_of(0, run_, session, kSessionSpan, 0, 0));
  return span;
}

void RunSpans::on_session_row(SessionId session, SpanRow& row) {
  Open& open = open_[session];
  Span span = span_of(session, kSessionSpan, 0);
  span.name = kSessionSpan;
  span.kind = SpanKind::kServer;
  span.began = row.times().front();
  span.ended = std::max(span.began, row.times().back());
  const bool delivered = row.number("accepted") + row.number("partial") > 0;
  // Why nothing could be sent at all, such as a login that was refused.
  const bool turned_away = !delivered && row.number("refusals") > 0 && !row.word("cause").empty();
  span.failed = open.connect_failed || open.failed_transactions > 0 || turned_away;
  if (span.failed) {
    // Where names are not to leave the machine the row has no sentence.
    for (const std::string_view column : {"connect_failed", "verdict", "cause"}) {
      if (span.failure.empty()) span.failure = row.word(column);
    }
  }
  take_events(open, 0, span);
  span.dropped_events = open.dropped_events;
  span.attributes = row.take();
  span.attributes.push_back({"network.transport", std::string(open.over_socket ? "unix" : "tcp")});
  span.attributes.push_back({"network.protocol.name", std::string(open.lmtp ? "lmtp" : "smtp")});
  span.attributes.push_back({kSession, static_cast<std::int64_t>(session)});
  taker_.on_span(session, span);
}

void RunSpans::on_exchange_row(SessionId session, SpanRow& row) {
  const std::string_view verb = row.word("verb");
  Open& open = open_[session];
  if (verb == to_string(Verb::kLhlo)) open.lmtp = true;
  Span span = span_of(session, "exchange", row.number("exchange"), row.number("reply"));
  const std::uint64_t transaction = row.number("transaction");
  if (transaction != 0) span.parent = span_of(session, kTransactionSpan, transaction).id;
  span.name = lasting(verb, row.word("kind"));
  span.began = row.times().front();
  span.ended = std::max(span.began, row.times().back());
  // Of mail: what a client asks besides may well be refused.
  if (row.is_set("refused") && transaction != 0) {
    span.failed = true;
    span.failure = fmt::format("{} {}", row.number("code"), row.word("reason"));
  }
  span.attributes = row.take();
  taker_.on_span(session, span);
}

void RunSpans::on_transaction_row(SessionId session, SpanRow& row) {
  Open& open = open_[session];
  const std::uint64_t number = row.number("transaction");
  Span span = span_of(session, kTransactionSpan, number);
  span.name = kTransactionSpan;
  span.began = row.times().front();
  span.ended = std::max(span.began, row.times().back());
  const std::string_view outcome = row.word("outcome");
  if (outcome == to_string(Outcome::kRejected) || outcome == to_string(Outcome::kPartial)) {
    span.failed = true;
    span.failure =
        fmt::format("{}: {} {}", outcome, row.number("refusal_code"), row.word("reason"));
  } else if (outcome == to_string(Outcome::kAborted) && broke_off(row.word("aborted_by"))) {
    span.failed = true;
    span.failure = fmt::format("{}: {}", outcome, row.word("aborted_by"));
  }
  if (span.failed) ++open.failed_transactions;
  take_events(open, number, span);
  span.attributes = row.take();
  taker_.on_span(session, span);
}

void RunSpans::on_finding_row(SessionId session, SpanRow& row) {
  if (!row.word("folded_under").empty()) return;  // another one says it
  const WallTime time = row.times().front();
  // Rows of findings come when the session is over, and those of transactions are gone.
  add_event(session, 0, {kFindingEvent, time, row.take()});
}

void RunSpans::on_tls(SessionId session, const TimelineTls& tls, Time ended) {
  const TlsFacts& facts = *tls.handshake.facts;
  Span span = span_of(session, kTlsSpan, static_cast<std::uint64_t>(ns_of(ended)),
                      index(tls.handshake.with));
  span.name = kTlsSpan;
  span.ended = wall(ended);
  span.began = span.ended - tls.handshake.took;
  span.attributes.push_back({"smtpscope.with", std::string(to_string(tls.handshake.with))});
  add_text(span.attributes, "smtpscope.tls_version", facts.version);
  add_text(span.attributes, "smtpscope.tls_cipher", facts.cipher);
  if (!facts.server_name.empty()) {
    span.attributes.push_back({"smtpscope.server_name",
                               pseudonyms_ == nullptr ? span_text(facts.server_name)
                                                      : pseudonyms_->address(facts.server_name)});
  }
  if (facts.resumed) span.attributes.push_back({"smtpscope.resumed", true});
  if (!facts.completed) {
    span.attributes.push_back({"smtpscope.failed", true});
    if (pseudonyms_ == nullptr) add_text(span.attributes, "smtpscope.failure", facts.failure);
  }
  taker_.on_span(session, span);
}

void RunSpans::on_silence(SessionId session, const Silence& silence) {
  SpanEvent event{kSilenceEvent, wall(silence.from), {}};
  event.attributes.push_back({"smtpscope.silent", std::string(to_string(silence.silent))});
  add_text(event.attributes, "smtpscope.owed", silence.owed);
  event.attributes.push_back({"smtpscope.length_ns", silence.length().count()});
  add_event(session, silence.transaction, std::move(event));
}

void RunSpans::add_event(SessionId session, std::uint64_t transaction, SpanEvent event) {
  Open& open = open_[session];
  if (open.events.size() == kMostEvents) {
    ++open.dropped_events;
  } else {
    open.events.push_back({transaction, std::move(event)});
  }
}

/// Those of a transaction; of the session (0) all that are left.
void RunSpans::take_events(Open& open, std::uint64_t transaction, Span& span) {
  std::vector<Pending> kept;
  for (Pending& pending : open.events) {
    if (transaction == 0 || pending.transaction == transaction) {
      span.events.push_back(std::move(pending.event));
    } else {
      kept.push_back(std::move(pending));
    }
  }
  open.events = std::move(kept);
}

}  // namespace smtpscope
