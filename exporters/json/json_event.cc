#include "exporters/json/json_event.h"

#include <array>
#include <cstddef>
#include <utility>
#include <variant>

#include "capture/fidelity.h"
#include "exporters/json/json_item.h"
#include "exporters/json_writer.h"
#include "exporters/protocol_names.h"
#include "timeline/rule.h"
#include "timeline/state/refusal_notes.h"
#include "timeline/tcp_words.h"

namespace smtpscope {
namespace {

void write_transaction(JsonWriter& json, const Transaction& transaction) {
  json.number("number", transaction.number);
  json.string("outcome", to_string(transaction.outcome));
  if (transaction.aborted_by != AbortedBy::kNothing) {
    json.string("aborted_by", to_string(transaction.aborted_by));
  }
  json.time("began", transaction.began);
  json.time("ended", transaction.ended);
  json.number("first_entry", transaction.first_entry);
  json.number_if("last_entry", transaction.last_entry);
  json.wire("reverse_path", transaction.reverse_path);
  if (!transaction.parameters.empty()) json.wire("parameters", transaction.parameters);
  json.number_if("mail_code", transaction.mail_code);
  json.begin_array("recipients");
  for (const Recipient& recipient : transaction.recipients) {
    json.begin_object();
    json.wire("forward_path", recipient.path);
    json.number_if("code", recipient.code);
    json.number_if("final_code", recipient.final_code);
    json.number("entry", recipient.entry);
    json.end_object();
  }
  json.end_array();
  json.number("rcpt_sent", transaction.rcpt_sent);
  json.number("rcpt_accepted", transaction.rcpt_accepted);
  json.number("rcpt_refused", transaction.rcpt_refused);
  if (transaction.data_verb != Verb::kUnknown) {
    json.begin_object("message");
    json.string("verb", to_string(transaction.data_verb));
    json.number_if("code", transaction.data_code);
    json.boolean("end_sent", transaction.data_sent);
    if (transaction.data_sent) {
      json.time("began", transaction.data_began);
      json.time("ended", transaction.data_ended);
    }
    json.number("wire_octets", transaction.wire_octets);
    write_facts(json, transaction.facts);
    json.number_if("final_code", transaction.final_code);
    if (!transaction.final_text.empty()) json.wire("final_text", transaction.final_text);
    json.end_object();
  }
}

void write_tls(JsonWriter& json, const TlsTotals& tls) {
  json.begin_object("tls");
  if (tls.version != 0) {
    json.string("version", tls_version_text(tls.version));
    json.string("cipher", tls_cipher_text(tls.cipher_suite));
  }
  json.true_if("resumed", tls.resumed);
  if (tls.handshake) json.duration("handshake", *tls.handshake);
  if (tls.server_took) json.duration("server_took", *tls.server_took);
  if (tls.client_took) json.duration("client_took", *tls.client_took);
  for (const Side side : {Side::kClient, Side::kServer}) {
    json.begin_object(to_string(side));
    json.number("records", tls.records[index(side)]);
    json.number("octets", tls.octets[index(side)]);
    json.end_object();
  }
  json.end_object();
}

void write_totals(JsonWriter& json, const SessionTotals& totals) {
  json.begin_object("totals");
  json.time("began", totals.began);
  json.time("ended", totals.ended);
  json.begin_object("octets");
  json.number("client", totals.octets[index(Side::kClient)]);
  json.number("server", totals.octets[index(Side::kServer)]);
  json.end_object();
  json.begin_object("commands");
  for (const auto& [verb, counts] : totals.commands) {
    json.begin_object(verb);
    json.number("accepted", counts.first);
    json.number("sent", counts.second);
    json.end_object();
  }
  json.end_object();
  json.number("transactions", totals.transactions);
  json.begin_object("outcomes");
  for (std::size_t i = 0; i < totals.outcomes.size(); ++i) {
    json.number_if(to_string(static_cast<Outcome>(i)), totals.outcomes[i]);
  }
  json.end_object();
  json.begin_object("idle");
  json.duration("client", totals.idle_client);
  json.duration("server", totals.idle_server);
  json.duration("proxy", totals.idle_proxy);
  json.end_object();
  json.number("annotations", totals.annotations);
  if (totals.worst) json.string("worst", to_string(*totals.worst));
  json.boolean("ended_cleanly", totals.ended_cleanly);
  if (totals.tls) write_tls(json, *totals.tls);
  json.end_object();
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.begin_array(name);
  for (const std::string& text : texts) json.element(text);
  json.end_array();
}

std::string_view name_of(TlsCertificateOrigin origin) {
  constexpr std::array<std::string_view, 4> kNames = {"server", "made", "made_for_run", "user"};
  return kNames[static_cast<std::size_t>(origin)];
}

void write_tls_facts(JsonWriter& json, const TlsFacts& facts) {
  json.boolean("completed", facts.completed);
  if (facts.waited > Duration::zero()) json.duration("waited", facts.waited);
  const auto wire_if = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) json.wire(name, text);
  };
  wire_if("version", facts.version);
  wire_if("cipher", facts.cipher);
  wire_if("server_name", facts.server_name);
  wire_if("alpn", facts.alpn);
  wire_if("verification", facts.verification);
  wire_if("verified_name", facts.verified_name);
  wire_if("failure", facts.failure);
  if (!facts.failure.empty()) {
    json.string("failed_by", facts.failed_by ? to_string(*facts.failed_by) : "proxy");
  }
  if (facts.alert) {
    json.number("alert", *facts.alert);
    json.string("alert_name", tls_alert_name(*facts.alert));
  }
  json.true_if("resumed", facts.resumed);
  write_texts(json, "versions_offered", facts.versions_offered);
  write_texts(json, "alpn_offered", facts.alpn_offered);
  json.number_if("ciphers_offered", facts.ciphers_offered);
  if (!facts.certificates.empty()) {
    json.string("certificates_of", name_of(facts.origin));
    json.begin_array("certificates");
    for (const TlsCertificate& certificate : facts.certificates) {
      json.begin_object();
      write_certificate(json, certificate);
      json.end_object();
    }
    json.end_array();
  }
  json.true_if("client_certificate_asked", facts.client_certificate_asked);
  if (facts.client_certificate) {
    json.begin_object("client_certificate");
    write_certificate(json, *facts.client_certificate);
    json.end_object();
  }
  write_texts(json, "differences", facts.differences);
}

/// Adds the members of each kind of event.
class WriteEvent {
 public:
  explicit WriteEvent(JsonWriter& json) : json_(json) {}

  void operator()(const TimelineSessionStarted& started) const {
    json_.wire("client", started.client);
    json_.wire("listener", started.listener);
    json_.wire("upstream", started.upstream);
    if (!started.route.empty()) json_.wire("route", started.route);
    if (!started.announced_by.empty()) json_.wire("announced_by", started.announced_by);
    json_.true_if("mid_session", started.mid_session);
    write_fidelity(started.fidelity);
  }

  void write_fidelity(const Fidelity& fidelity) const {
    if (fidelity.unknown != 0) {
      json_.begin_array("unknown");
      for (std::size_t bit = 0; bit < kUnknowns; ++bit) {
        if ((fidelity.unknown >> bit & 1) != 0) json_.element(kUnknownNames[bit]);
      }
      json_.end_array();
    }
    if (fidelity.resolution != Duration::zero()) json_.duration("resolution", fidelity.resolution);
    json_.true_if("inside_tls", fidelity.inside_tls);
  }

  void operator()(const TimelineConnected& connected) const {
    json_.wire("server", connected.server);
    json_.duration("took", connected.took);
    json_.number_if("failed_attempts", connected.failed_attempts);
  }

  void operator()(const TimelineConnectFailed& failed) const {
    json_.wire("reason", failed.reason);
  }

  void operator()(const Entry& entry) const {
    json_.number("number", entry.number);
    write_item(json_, *entry.item);
    json_.true_if("by_proxy", entry.by_proxy);
    json_.true_if("undelivered", entry.undelivered);
    json_.true_if("tls", entry.tls);
    json_.true_if("unsolicited", entry.unsolicited);
    json_.time("first", entry.first);
    json_.time("last", entry.last);
    json_.duration("since_previous", entry.since_previous);
    json_.number_if("answers_entry", entry.answers);
    if (entry.think) json_.duration("think", *entry.think);
    if (entry.refusal != nullptr) write_refusal(*entry.refusal);
    json_.number_if("transaction", entry.transaction);
    if (entry.mark != TxnMark::kOutside) json_.string("mark", to_string(entry.mark));
    json_.number("read_count", entry.read_count);
    json_.begin_array("reads");
    for (const ReadPiece& read : entry.reads) {
      json_.begin_object();
      json_.time("time", read.time);
      json_.number("octets", read.octets);
      json_.end_object();
    }
    json_.end_array();
  }

  void write_refusal(const RefusedReply& refusal) const {
    const ReasonVerdict& judged = refusal.judged;
    json_.begin_object("refusal");
    json_.string("reason", to_string(judged.reason));
    json_.string_if("stage", to_string(refusal.stage));
    json_.boolean("temporary", judged.temporary);
    json_.string("how_known", to_string(judged.how));
    if (judged.codes_say) json_.string("codes_say", to_string(*judged.codes_say));
    json_.end_object();
  }

  void operator()(const Silence& silence) const {
    json_.time("from", silence.from);
    json_.time("to", silence.to);
    json_.duration("length", silence.length());
    json_.string("silent", to_string(silence.silent));
    json_.string_if("owed", silence.owed);
    if (silence.message_octets) json_.number("message_octets", *silence.message_octets);
    json_.number_if("transaction", silence.transaction);
  }

  void operator()(const Annotation& annotation) const {
    json_.number("number", annotation.number);
    json_.string("rule", annotation.rule->id);
    json_.string_if("variant", annotation.variant);
    json_.string("severity", to_string(annotation.severity));
    json_.string("fault", to_string(annotation.fault));
    json_.string("certainty", to_string(annotation.certainty));
    json_.time("about", annotation.time);
    json_.wire("text", annotation.text);
    json_.begin_array("entries");
    for (const std::uint64_t entry : annotation.entries) json_.element_number(entry);
    json_.end_array();
    json_.number_if("transaction", annotation.transaction);
    json_.begin_object("attributes");
    for (const auto& [name, value] : annotation.attributes) json_.wire(name, value);
    json_.end_object();
    json_.string_if("folded_under", annotation.folded_under);
  }

  void operator()(const AnnotationFolded& folded) const {
    json_.number("number", folded.number);
    json_.string("folded_under", folded.under);
  }

  void operator()(const TransactionEnded& ended) const {
    write_transaction(json_, *ended.transaction);
  }

  void operator()(const TimelineClosed& event) const {
    json_.string("side", to_string(event.closed.from));
    json_.string("how", to_string(event.closed.kind));
    json_.true_if("by_proxy", event.closed.by_proxy);
    if (!event.closed.reason.empty()) json_.wire("reason", event.closed.reason);
    json_.duration("since_previous", event.since_previous);
  }

  void operator()(const TimelineGap& event) const {
    if (event.gap.from) json_.string("side", to_string(*event.gap.from));
    json_.number_if("octets", event.gap.octets);
    json_.number_if("events", event.gap.events);
    json_.wire("why", event.gap.why);
  }

  void operator()(const TimelineStalled& stalled) const {
    json_.time("from", stalled.from);
    json_.time("to", stalled.to);
  }

  void operator()(const TimelineBlocked& blocked) const {
    json_.string("side", to_string(blocked.to));
    json_.time("from", blocked.from);
    json_.time("to", blocked.until);
    json_.number("octets", blocked.octets);
  }

  void operator()(const TimelineTls& event) const {
    json_.string("with", to_string(event.handshake.with));
    json_.duration("took", event.handshake.took);
    write_tls_facts(json_, *event.handshake.facts);
    json_.duration("since_previous", event.since_previous);
  }

  void operator()(const TimelineTlsAlert& event) const {
    json_.string("side", to_string(event.alert.from));
    json_.true_if("by_proxy", event.alert.by_proxy);
    json_.number("level", event.alert.level);
    json_.number("description", event.alert.description);
    json_.string("name", tls_alert_name(event.alert.description));
  }

  void operator()(const TimelineAside& aside) const {
    json_.string("side", to_string(aside.from));
    json_.wire("text", aside.text);
    json_.duration("since_previous", aside.since_previous);
  }

  void operator()(const TimelineRewritten& rewritten) const {
    json_.string("side", to_string(rewritten.from));
    json_.wire("instead", rewritten.instead);
    if (!rewritten.scenario.empty()) json_.string("scenario", rewritten.scenario);
  }

  void operator()(const TimelineRemark& event) const {
    json_.string("kind", to_string(event.remark.kind));
    if (event.remark.by) json_.string("by", to_string(*event.remark.by));
    if (event.remark.length) json_.duration("length", *event.remark.length);
    json_.wire("text", event.remark.text);
    json_.duration("since_previous", event.since_previous);
  }

  void operator()(const TimelineTcp& event) const {
    const TcpFigures& figures = event.report.figures;
    json_.string("side", to_string(event.report.with));
    json_.boolean("confirmed", figures.confirmed());
    json_.true_if("lost", figures.lost());
    json_.number("unconfirmed", figures.unconfirmed);
    json_.number_if("unsent", figures.unsent);
    json_.number_if("sent_again", figures.sent_again);
    json_.number_if("probes", figures.probes);
    json_.number_if("segment", figures.segment);
    json_.number_if("out_of_order", figures.out_of_order);
    json_.duration("unheard", figures.unheard);
    json_.string("text", tcp_words(event.report));
  }

  void operator()(const TimelineSessionEnded& ended) const {
    json_.true_if("unfinished", ended.unfinished);
    write_totals(json_, *ended.totals);
    json_.begin_array("verdict");
    for (const VerdictLine& line : ended.verdict) {
      json_.begin_object();
      json_.string("kind", to_string(line.kind));
      json_.wire("text", line.text);
      if (!line.cause.empty()) {
        json_.string("cause", line.cause);
        json_.string_if("reason", line.reason);
        json_.string("side", to_string(line.side));
        json_.string("certainty", to_string(line.certainty));
      }
      json_.end_object();
    }
    json_.end_array();
    json_.begin_array("not_evaluated");
    for (const NotEvaluated& one : ended.not_evaluated) {
      json_.begin_object();
      json_.string("rule", one.rule->id);
      json_.string("why", one.why);
      json_.end_object();
    }
    json_.end_array();
  }

 private:
  JsonWriter& json_;
};

/// In the order of TimelineEvent's variant.
constexpr std::array<std::string_view, 19> kKinds = {
    "session-started", "connected",         "connect-failed", "entry",  "silence",
    "annotation",      "annotation-folded", "transaction",    "closed", "gap",
    "stalled",         "blocked",           "session-ended",  "tls",    "tls-alert",
    "aside",           "rewritten",         "remark",         "tcp",
};
static_assert(kKinds.size() == std::variant_size_v<decltype(TimelineEvent::body)>);

}  // namespace

std::string_view kind_of(const TimelineEvent& event) { return kKinds[event.body.index()]; }

std::string json_of(const TimelineEvent& event, WallTime run_started) {
  JsonWriter json;
  json.begin_object();
  write_members(json, event, run_started);
  json.end_object();
  return json.take();
}

void write_members(JsonWriter& json, const TimelineEvent& event, WallTime run_started) {
  json.time("time", event.time);
  json.wall_time("wall", run_started + event.time.time_since_epoch());
  std::visit(WriteEvent(json), event.body);
}

std::string json_of(const RunInfo& run) {
  JsonWriter json;
  json.begin_object();
  json.wire("source", run.source);
  json.wall_time("started", run.started);
  json.string("writer", run.writer);
  json.string_if("tap", run.tap);
  json.boolean("credentials_kept", run.credentials_kept);
  json.string_if("message_kept", run.message_kept);
  json.string_if("redacted", run.redacted);
  json.end_object();
  return json.take();
}

}  // namespace smtpscope
