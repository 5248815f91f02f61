#include "exporters/comparison/taps_json.h"

#include <string_view>

#include "exporters/json/json_event.h"
#include "exporters/json/json_summary.h"
#include "exporters/json_writer.h"

namespace smtpscope {
namespace {

void add_tap(JsonWriter& json, std::string_view name, const RunRecord& run,
             std::string_view called) {
  json.begin_object(name);
  json.string("name", called);
  json.members_of(json_of(run.info));
  json.number("sessions", run.sessions.size());
  json.end_object();
}

void add_offset(JsonWriter& json, const ClockOffset& clock) {
  json.boolean("known", clock.known);
  if (!clock.known) return;
  json.duration("offset", clock.offset);
  json.duration("uncertainty", clock.uncertainty);
}

void add_wire(JsonWriter& json, std::string_view name, std::string_view octets) {
  if (!octets.empty()) json.wire(name, octets);
}

void add_step(JsonWriter& json, std::string_view name, const RunRecord& run, const TapsStep& step) {
  json.begin_object(name);
  json.number("session", step.session->id);
  json.number("entry", step.exchange->entry);
  json.time("first", step.exchange->first);
  json.time("last", step.exchange->last);
  if (step.exchange->kind == ExchangeKind::kMailData) {
    json.number("mail_data_octets", step.exchange->octets);
  } else {
    add_wire(json, "command", run.commands.text(step.exchange->text));
  }
  json.begin_array("replies");
  for (std::uint32_t i = 0; i < step.exchange->reply_count; ++i) {
    const ReplyRecord& reply = step.session->replies[step.exchange->first_reply + i];
    json.begin_object();
    json.number("code", reply.code);
    json.wire("text", run.replies.text(reply.text));
    json.time("first", reply.first);
    json.true_if("by_proxy", reply.by_proxy);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void add_row(JsonWriter& json, const TapsComparison& comparison, const TapsDialogue& dialogue,
             const TapsRow& row) {
  json.begin_object();
  if (row.near_client != TapsRow::kNone) {
    add_step(json, "near_client", *comparison.near_client,
             dialogue.steps_near_client[row.near_client]);
  }
  if (row.near_server != TapsRow::kNone) {
    add_step(json, "near_server", *comparison.near_server,
             dialogue.steps_near_server[row.near_server]);
  }
  json.true_if("moved", row.moved);
  json.true_if("unseen", row.unseen);
  if (row.added) json.duration("added", *row.added);
  if (row.forward) json.duration("forward", *row.forward);
  if (row.back) json.duration("back", *row.back);
  json.end_object();
}

void add_change(JsonWriter& json, const TapsChange& change) {
  json.begin_object();
  json.string("kind", to_string(change.kind));
  json.string_if("verb", to_string(change.verb));
  json.wire("subject", change.subject);
  add_wire(json, "near_client", change.near_client);
  add_wire(json, "near_server", change.near_server);
  add_wire(json, "answer", change.answer);
  json.number_if("session_near_client", change.session_near_client);
  json.number_if("session_near_server", change.session_near_server);
  json.number_if("entry_near_client", change.entry_near_client);
  json.number_if("entry_near_server", change.entry_near_server);
  if (change.time) json.duration("time", *change.time);
  json.true_if("on_the_way_back", change.on_the_way_back);
  json.true_if("again", change.again);
  json.true_if("usual", change.usual);
  json.end_object();
}

void add_raised(JsonWriter& json, const TapsDialogue::Raised& raised) {
  json.begin_object();
  json.string("rule", raised.rule->id);
  json.string("severity", to_string(raised.severity));
  json.string("fault", to_string(raised.rule->fault));
  json.string("certainty", to_string(raised.certainty));
  json.string("text", raised.text);
  json.begin_object("attributes");
  for (const auto& [name, value] : raised.attributes) json.string(name, value);
  json.end_object();
  json.end_object();
}

void add_session_ids(JsonWriter& json, std::string_view name,
                     const std::vector<const SessionRecord*>& sessions) {
  json.begin_array(name);
  for (const SessionRecord* session : sessions) json.element_number(session->id);
  json.end_array();
}

std::string dialogue_object(const TapsComparison& comparison, const TapsDialogue& dialogue) {
  JsonWriter json;
  json.begin_object();
  add_session_ids(json, "near_client", dialogue.near_client);
  add_session_ids(json, "near_server", dialogue.near_server);
  json.string("matched_by", to_string(dialogue.matched_by));
  json.begin_object("clock");
  add_offset(json, dialogue.clock);
  json.end_object();
  json.begin_array("exchanges");
  for (const TapsRow& each : dialogue.rows) add_row(json, comparison, dialogue, each);
  json.end_array();
  json.begin_array("changes");
  for (const TapsChange& each : dialogue.changes) add_change(json, each);
  json.end_array();
  json.number("messages", dialogue.messages);
  json.number("messages_in_part", dialogue.messages_in_part);
  json.begin_array("not_evaluated");
  for (const std::string& each : dialogue.not_evaluated) json.element(each);
  json.end_array();
  json.begin_array("annotations");
  for (const TapsDialogue::Raised& each : dialogue.raised) add_raised(json, each);
  json.end_array();
  json.end_object();
  return json.take();
}

void add_lone(JsonWriter& json, std::string_view name,
              const std::vector<TapsLoneSession>& sessions) {
  json.begin_array(name);
  for (const TapsLoneSession& each : sessions) {
    json.begin_object();
    json.number("session", each.session->id);
    json.wire("client", each.session->client);
    json.string("meaning", to_string(each.meaning));
    json.true_if("after_the_other_capture", each.after_the_other);
    add_wire(json, "connect_failed", each.session->connect_failed);
    json.end_object();
  }
  json.end_array();
}

void add_delays(JsonWriter& json, const TapsComparison& comparison) {
  const TapsDelays& delays = comparison.delays;
  json.begin_object("delays");
  json.number("exchanges", delays.exchanges);
  if (delays.exchanges > 0) {
    json.duration("median", delays.median);
    json.duration("most", delays.most);
    json.number("most_in_dialogue", delays.dialogue);
    json.number("most_in_exchange", delays.row);
  }
  json.end_object();
}

}  // namespace

std::string taps_document(const TapsComparison& comparison, const RuleSet& rules) {
  std::string text = "{\"smtpscope\": {\"version\": \"" SMTPSCOPE_VERSION "\", \"format\": 1},\n";
  text += "\"rules\": " + json_of(rules) + ",\n\"taps\": ";
  JsonWriter json;
  json.begin_object();
  add_tap(json, "near_client", *comparison.near_client, comparison.name_near_client);
  add_tap(json, "near_server", *comparison.near_server, comparison.name_near_server);
  json.begin_object("clock");
  add_offset(json, comparison.clock.whole());
  if (comparison.clock.drift()) json.duration("drift", *comparison.clock.drift());
  json.end_object();
  json.boolean("changed", comparison.changed());
  json.begin_object("counts");
  for (std::size_t i = 0; i < kTapsChangeKinds; ++i) {
    json.number_if(to_string(static_cast<TapsChangeKind>(i)), comparison.counts[i]);
  }
  json.end_object();
  add_delays(json, comparison);
  add_lone(json, "only_near_client", comparison.only_near_client);
  add_lone(json, "only_near_server", comparison.only_near_server);
  json.begin_array("verdict");
  for (const VerdictLine& each : comparison.verdict) {
    json.begin_object();
    json.string("kind", to_string(each.kind));
    json.string("text", each.text);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  text += json.take() + ",\n\"dialogues\": [";
  for (std::size_t i = 0; i < comparison.dialogues.size(); ++i) {
    text += i == 0 ? "\n  " : ",\n  ";
    text += dialogue_object(comparison, comparison.dialogues[i]);
  }
  return text + "]}\n";
}

}  // namespace smtpscope
