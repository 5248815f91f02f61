#include "tests/timeline/timeline_dump.h"

#include <fmt/format.h>

#include "timeline/rule.h"
#include "timeline/tcp_words.h"

namespace smtpscope::test {
namespace {

using Line = TimelineDump::Line;

std::string at(Time time) { return fmt::format("{:.6f}", static_cast<double>(ns_of(time)) / 1e9); }
std::string in_seconds(Duration duration) {
  return fmt::format("{:.6f}", static_cast<double>(duration.count()) / 1e9);
}

std::string visible(std::string_view text) {
  std::string all;
  for (const char c : text) {
    if (c >= ' ' && c <= '~') {
      all += c;
    } else {
      all += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return all;
}

std::string name_of(const ItemBody& body) {
  if (const auto* command = std::get_if<Command>(&body)) {
    return fmt::format("command [{}] flags {}", visible(command->text), command->flags);
  }
  if (const auto* reply = std::get_if<Reply>(&body)) {
    std::string text = fmt::format("reply {} x{}", reply->code, reply->line_count);
    for (const ReplyLine& line : reply->lines) text += fmt::format(" [{}]", visible(line.text));
    return text;
  }
  if (const auto* data = std::get_if<MailData>(&body)) {
    return fmt::format("mail data {} octets {} lines", data->facts.octets, data->facts.lines);
  }
  if (const auto* chunk = std::get_if<Chunk>(&body)) {
    return fmt::format("chunk {} last {}", chunk->declared, chunk->last);
  }
  if (const auto* junk = std::get_if<Junk>(&body)) {
    return fmt::format("junk {} [{}]", to_string(junk->reason), visible(junk->text));
  }
  constexpr std::string_view kNames[] = {"command",    "AUTH response", "reply", "garbage",
                                         "mail data",  "chunk",         "blob",  "PROXY header",
                                         "TLS record", "junk"};
  return std::string(kNames[body.index()]);
}

std::string_view name_of(TxnMark mark) {
  constexpr std::string_view kNames[] = {"outside", "begins", "inside", "ends well", "ends badly"};
  return kNames[static_cast<std::size_t>(mark)];
}

struct Describe {
  Line& line;
  bool reads = true;

  void operator()(const TimelineSessionStarted& e) const {
    line.text =
        fmt::format("started {} {} {} mid {}", e.client, e.listener, e.upstream, e.mid_session);
  }
  void operator()(const TimelineConnected& e) const {
    line.text = fmt::format("connected {} took {}", e.server, in_seconds(e.took));
  }
  void operator()(const TimelineConnectFailed& e) const {
    line.text = fmt::format("connect failed {}", e.reason);
  }
  void operator()(const Entry& e) const {
    line.text = fmt::format(
        "#{} {} {} {}..{} since {} {} txn {} {} answers {} think {}{}{}{}", e.number,
        e.item->side == Side::kClient ? 'C' : 'S', name_of(e.item->body), at(e.first), at(e.last),
        in_seconds(e.since_previous), e.item->end - e.item->begin, e.transaction, name_of(e.mark),
        e.answers, e.think ? in_seconds(*e.think) : "-", e.by_proxy ? " by proxy" : "",
        e.undelivered ? " undelivered" : "", e.unsolicited ? " unsolicited" : "");
    if (!reads) return;
    line.text += fmt::format(" in {} reads", e.read_count);
    for (const ReadPiece& piece : e.reads) {
      line.text += fmt::format(" {}@{}", piece.octets, at(piece.time));
    }
  }
  void operator()(const Silence& e) const {
    line.text = fmt::format("silence {} {}..{} owed {} txn {}", to_string(e.silent), at(e.from),
                            at(e.to), e.owed, e.transaction);
    line.party = to_string(e.silent);
    line.milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(e.length()).count();
  }
  void operator()(const Annotation& e) const {
    line.annotation = true;
    line.number = e.number;
    line.rule = e.rule->id;
    line.severity = to_string(e.severity);
    line.variant = e.variant;
    line.folded_under = e.folded_under;
    line.text =
        fmt::format("!{} {} {} {} fault {} at {} txn {}: {}", e.number, to_string(e.severity),
                    e.rule->id, e.variant, to_string(e.fault), at(e.time), e.transaction, e.text);
    for (const std::uint64_t entry : e.entries) line.text += fmt::format(" #{}", entry);
    line.text += fmt::format(" {}", to_string(e.certainty));
    for (const auto& [name, value] : e.attributes) line.text += fmt::format(" {}={}", name, value);
    if (!e.folded_under.empty()) line.text += fmt::format(" (under {})", e.folded_under);
  }
  void operator()(const AnnotationFolded& e) const {
    line.number = e.number;
    line.folded_under = e.under;
    line.text = fmt::format("!{} goes under {}", e.number, e.under);
  }
  void operator()(const TransactionEnded& e) const {
    const Transaction& t = *e.transaction;
    line.number = t.number;
    line.outcome = to_string(t.outcome);
    line.cause = to_string(t.aborted_by);
    line.text = fmt::format(
        "transaction {} {} by {} #{}..#{} from <{}> [{}] mail {} rcpt {}+{}/{} data {} sent {} "
        "octets {} wire {} final {} [{}] refusal {} [{}]",
        t.number, line.outcome, line.cause, t.first_entry, t.last_entry, visible(t.reverse_path),
        visible(t.parameters), t.mail_code, t.rcpt_accepted, t.rcpt_refused, t.rcpt_sent,
        t.data_code, t.data_sent, t.facts.octets, t.wire_octets, t.final_code,
        visible(t.final_text), t.refusal_code, visible(t.refusal_text));
    for (const Recipient& r : t.recipients) {
      line.text += fmt::format(" <{}>={}/{}", visible(r.path), r.code, r.final_code);
    }
  }
  void operator()(const TimelineClosed& e) const {
    line.text =
        fmt::format("closed {} {} by proxy {} since {}", to_string(e.closed.from),
                    to_string(e.closed.kind), e.closed.by_proxy, in_seconds(e.since_previous));
  }
  void operator()(const TimelineGap& e) const {
    line.text = fmt::format("gap {} octets", e.gap.octets);
  }
  void operator()(const TimelineStalled& e) const {
    line.text = fmt::format("stalled {}..{}", at(e.from), at(e.to));
  }
  void operator()(const TimelineBlocked& e) const {
    line.text =
        fmt::format("blocked {} {}..{} {}", to_string(e.to), at(e.from), at(e.until), e.octets);
  }
  void operator()(const TimelineTls& e) const {
    const TlsFacts& facts = *e.handshake.facts;
    line.text = fmt::format("tls with {} {} {} {}{}", to_string(e.handshake.with),
                            facts.completed ? "completed" : "failed", facts.version, facts.failure,
                            facts.resumed ? " resumed" : "");
  }
  void operator()(const TimelineTlsAlert& e) const {
    line.text = fmt::format("alert {} {} by proxy {}", to_string(e.alert.from), e.alert.description,
                            e.alert.by_proxy);
  }
  void operator()(const TimelineAside& e) const {
    line.text = fmt::format("aside {} {}", to_string(e.from), visible(e.text));
  }
  void operator()(const TimelineRewritten& e) const {
    line.text = fmt::format("rewritten {} {}", to_string(e.from), visible(e.instead));
  }
  void operator()(const TimelineRemark& e) const {
    line.text = fmt::format("remark {} by {} length {} {}", to_string(e.remark.kind),
                            e.remark.by ? to_string(*e.remark.by) : "nobody known",
                            e.remark.length ? in_seconds(*e.remark.length) : "none",
                            visible(e.remark.text));
  }
  void operator()(const TimelineTcp& e) const {
    line.text = fmt::format("tcp: {}", tcp_words(e.report));
  }
  void operator()(const TimelineSessionEnded& e) const {
    const SessionTotals& t = *e.totals;
    line.text = fmt::format(
        "ended {}..{} octets {}/{} transactions {} idle {} {} {} "
        "annotations {} clean {}",
        at(t.began), at(t.ended), t.octets[0], t.octets[1], t.transactions,
        in_seconds(t.idle_client), in_seconds(t.idle_server), in_seconds(t.idle_proxy),
        t.annotations, t.ended_cleanly);
    for (const auto& [name, count] : t.commands) {
      line.text += fmt::format(" {}={}/{}", name, count.first, count.second);
    }
    for (const VerdictLine& each : e.verdict) {
      line.verdict.push_back(each.text);
      line.text += fmt::format("\n      | {}: {}", to_string(each.kind), each.text);
      if (each.kind != VerdictKind::kLead) continue;
      line.lead_cause = each.cause == "server-refused" ? each.reason : each.cause;
      line.lead_side = each.cause.empty() ? std::string_view() : to_string(each.side);
    }
    for (const NotEvaluated& each : e.not_evaluated) {
      line.not_evaluated.emplace_back(each.rule->id);
      line.text += fmt::format("\n      ? {}: {}", each.rule->id, each.why);
    }
  }
};

}  // namespace

void TimelineDump::on_timeline(const TimelineEvent& event) {
  Line line;
  line.session = event.session;
  line.after = events_;
  std::visit(Describe{line, reads_}, event.body);
  lines_.push_back(std::move(line));
}

std::string TimelineDump::text() const {
  std::string all;
  for (const Line& line : lines_) {
    all += line.text;
    all += '\n';
  }
  return all;
}

}  // namespace smtpscope::test
