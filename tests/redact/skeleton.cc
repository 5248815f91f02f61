#include "tests/redact/skeleton.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "timeline/rule.h"

namespace smtpscope::test {
namespace {

/// Attributes that are read inside handshake messages, of which a redaction leaves zeros
/// (docs/redaction.md): the finding stays, these go.
bool read_in_handshake(std::string_view name) {
  constexpr std::string_view kNames[] = {"client_versions", "server_name", "certificate_subject",
                                         "certificate_names", "certificate_until"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

std::string of(const ItemBody& body) {
  if (const auto* command = std::get_if<Command>(&body)) {
    // Whether all octets of a line are kept for display depends on its length.
    return fmt::format("command {} flags {} ending {} exchange {}", to_string(command->verb),
                       command->flags, static_cast<int>(command->ending), command->exchange);
  }
  if (const auto* reply = std::get_if<Reply>(&body)) {
    std::string text = fmt::format("reply {} x{} flags {} complete {} differ {} ordinal {}",
                                   reply->code, reply->line_count, reply->flags, reply->complete,
                                   reply->codes_differ, reply->ordinal);
    for (const ReplyLine& line : reply->lines) {
      text += fmt::format(" {}/{}/{}", line.code, line.flags, static_cast<int>(line.ending));
    }
    return text;
  }
  if (const auto* data = std::get_if<MailData>(&body)) {
    const MessageFacts& facts = data->facts;
    return fmt::format(
        "mail data end {} early {} missing {} lines {} bare {}/{} nul {} eight bit {}/{} dots "
        "{}/{} "
        "long {} scanner fields {} id {} candidate {}",
        static_cast<int>(data->end), data->early_octets, data->missing_octets, facts.lines,
        facts.bare_cr, facts.bare_lf, facts.nul, facts.eight_bit, facts.header.eight_bit,
        facts.dot_lines, facts.unstuffed_dots, facts.long_lines, facts.header.scanner_fields,
        facts.header.message_id != 0, facts.first_candidate_end);
  }
  if (const auto* chunk = std::get_if<Chunk>(&body)) {
    return fmt::format("chunk {} last {} complete {} missing {} octets {}", chunk->declared,
                       chunk->last, chunk->complete, chunk->missing_octets, chunk->facts.octets);
  }
  if (const auto* junk = std::get_if<Junk>(&body)) {
    return fmt::format("junk {} flags {}", to_string(junk->reason), junk->flags);
  }
  if (const auto* record = std::get_if<TlsRecord>(&body)) {
    return fmt::format("TLS {} {:x} {} handshake {} alert {}/{}", record->type, record->version,
                       record->length, record->handshake_type, record->alert_level,
                       record->alert_description);
  }
  if (const auto* response = std::get_if<AuthResponse>(&body)) {
    return fmt::format("response {} {} {}", response->octets, response->cancelled, response->quit);
  }
  constexpr std::string_view kNames[] = {"command",    "AUTH response", "reply", "garbage",
                                         "mail data",  "chunk",         "blob",  "PROXY header",
                                         "TLS record", "junk"};
  return std::string(kNames[body.index()]);
}

struct Bones {
  std::string operator()(const TimelineSessionStarted& e) const {
    return fmt::format("started mid {}", e.mid_session);
  }
  std::string operator()(const TimelineConnected& e) const {
    return fmt::format("connected {} {}", e.took.count(), e.failed_attempts);
  }
  std::string operator()(const TimelineConnectFailed&) const { return "connect failed"; }
  std::string operator()(const Entry& e) const {
    std::string text = fmt::format(
        "#{} {} {} {}..{} since {} answers {} think {} txn {} mark {} reads {} flags {}{}{}",
        e.number, to_string(e.item->side), of(e.item->body), ns_of(e.first), ns_of(e.last),
        e.since_previous.count(), e.answers, e.think ? e.think->count() : -1, e.transaction,
        static_cast<int>(e.mark), e.read_count, e.by_proxy, e.undelivered, e.unsolicited);
    for (const ReadPiece& read : e.reads) text += fmt::format(" @{}", ns_of(read.time));
    return text;
  }
  std::string operator()(const Silence& e) const {
    return fmt::format("silence {} {}..{} owed {} txn {}", to_string(e.silent), ns_of(e.from),
                       ns_of(e.to), e.owed, e.transaction);
  }
  std::string operator()(const Annotation& e) const {
    std::string text =
        fmt::format("!{} {} {} {} {} {} at {} txn {} under {}", e.number, e.rule->id, e.variant,
                    to_string(e.severity), to_string(e.fault), to_string(e.certainty),
                    ns_of(e.time), e.transaction, e.folded_under);
    for (const std::uint64_t entry : e.entries) text += fmt::format(" #{}", entry);
    for (const auto& [name, value] : e.attributes) {
      if (!read_in_handshake(name)) text += " " + name;
    }
    return text;
  }
  std::string operator()(const AnnotationFolded& e) const {
    return fmt::format("!{} goes under {}", e.number, e.under);
  }
  std::string operator()(const TransactionEnded& e) const {
    const Transaction& t = *e.transaction;
    std::string text =
        fmt::format("transaction {} {} by {} #{}..#{} rcpt {}+{}/{} data {} final {}", t.number,
                    to_string(t.outcome), to_string(t.aborted_by), t.first_entry, t.last_entry,
                    t.rcpt_accepted, t.rcpt_refused, t.rcpt_sent, t.data_code, t.final_code);
    for (const Recipient& each : t.recipients) {
      text += fmt::format(" {}/{}", each.code, each.final_code);
    }
    return text;
  }
  std::string operator()(const TimelineClosed& e) const {
    return fmt::format("closed {} {} {} since {}", to_string(e.closed.from),
                       to_string(e.closed.kind), e.closed.by_proxy, e.since_previous.count());
  }
  std::string operator()(const TimelineGap& e) const {
    return fmt::format("gap {} {}", e.gap.octets, e.gap.events);
  }
  std::string operator()(const TimelineStalled& e) const {
    return fmt::format("stalled {}..{}", ns_of(e.from), ns_of(e.to));
  }
  std::string operator()(const TimelineBlocked& e) const {
    return fmt::format("blocked {} {}..{} {}", to_string(e.to), ns_of(e.from), ns_of(e.until),
                       e.octets);
  }
  std::string operator()(const TimelineTls& e) const {
    return fmt::format("tls {} {} {} {}", to_string(e.handshake.with), e.handshake.took.count(),
                       e.handshake.facts->completed, e.handshake.facts->version);
  }
  std::string operator()(const TimelineTlsAlert& e) const {
    return fmt::format("alert {} {}", to_string(e.alert.from), e.alert.description);
  }
  std::string operator()(const TimelineAside& e) const {
    return fmt::format("aside {}", to_string(e.from));
  }
  std::string operator()(const TimelineRewritten& e) const {
    return fmt::format("rewritten {}", to_string(e.from));
  }
  std::string operator()(const TimelineRemark& e) const {
    return fmt::format("remark {} {}", static_cast<int>(e.remark.kind),
                       e.remark.length ? e.remark.length->count() : -1);
  }
  std::string operator()(const TimelineTcp& e) const {
    const TcpFigures& f = e.report.figures;
    return fmt::format("tcp {} {} {} {}", to_string(e.report.with), f.unconfirmed, f.sent_again,
                       f.unheard.count());
  }
  std::string operator()(const TimelineSessionEnded& e) const {
    const SessionTotals& t = *e.totals;
    std::string text =
        fmt::format("ended {}..{} transactions {} idle {} {} {} annotations {} clean {}",
                    ns_of(t.began), ns_of(t.ended), t.transactions, t.idle_client.count(),
                    t.idle_server.count(), t.idle_proxy.count(), t.annotations, t.ended_cleanly);
    std::uint64_t commands = 0;
    for (const auto& [name, count] : t.commands) commands += count.second;
    text += fmt::format(" commands {}", commands);
    for (const VerdictLine& each : e.verdict) {
      // Why a server refused stands in its words, which are replaced; the rest hangs on that.
      using enum VerdictKind;
      const bool kept = each.kind == kLead || each.kind == kMessage || each.kind == kNotEvaluated ||
                        each.kind == kWaiting;
      if (kept) text += fmt::format(" | {}", to_string(each.kind));
    }
    for (const NotEvaluated& each : e.not_evaluated) text += fmt::format(" ? {}", each.rule->id);
    return text;
  }
};

}  // namespace

void Skeleton::on_timeline(const TimelineEvent& event) {
  lines_.push_back(fmt::format("{} {} ", event.session, ns_of(event.time)) +
                   std::visit(Bones{}, event.body));
}

std::string Skeleton::text() const {
  std::string all;
  for (const std::string& line : lines_) all += line + "\n";
  return all;
}

}  // namespace smtpscope::test
