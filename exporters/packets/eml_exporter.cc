#include "exporters/packets/eml_exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "exporters/json_writer.h"
#include "timeline/state/transaction.h"

namespace smtpscope {

EmlExporter::EmlExporter(const ExporterOptions& options, OutputFolder& folder,
                         std::size_t max_in_all)
    : folder_(folder),
      options_(options),
      asked_for_(options),
      max_in_all_(max_in_all),
      content_(kMaxMessage, max_in_all) {}

void EmlExporter::begin_run(const RunInfo& run) {
  ++run_;
  asked_for_.begin_run(run.started);
  source_ = run.source;
}

void EmlExporter::on_timeline(const TimelineEvent& event) {
  if (asked_for_.on_timeline(event)) {
    wanted_.insert(event.session);
    write_undecided(event.session);
  }
  if (const auto* entry = std::get_if<Entry>(&event.body)) {
    on_entry(event.session, *entry);
  } else if (const auto* ended = std::get_if<TransactionEnded>(&event.body)) {
    const auto found = open_.find({event.session, ended->transaction->number});
    if (found == open_.end()) return;
    Message message = std::move(found->second);
    open_.erase(found);
    open_octets_ -= message.content.octets.size();
    end(event.session, *ended->transaction, message);
  } else if (std::holds_alternative<TimelineSessionEnded>(event.body)) {
    undecided_.erase(event.session);
    wanted_.erase(event.session);
  }
}

void EmlExporter::on_entry(SessionId session, const Entry& entry) {
  const Item& item = *entry.item;
  if (entry.transaction != 0) {
    if (const auto* data = std::get_if<MailData>(&item.body)) {
      // The terminator is no content: "." CRLF, behind a CRLF that is (RFC 5321 4.1.1.4).
      constexpr std::uint64_t kTerminator = 3;
      const bool strict = data->end == DataEnd::kStrict && item.end - item.begin >= kTerminator;
      KeptContent content = content_.content(session, item.side, item.begin,
                                             strict ? item.end - kTerminator : item.end);
      content.whole = content.whole && strict;
      content.octets = without_dot_stuffing(content.octets);
      add(open_[{session, entry.transaction}], std::move(content));
    } else if (const auto* chunk = std::get_if<Chunk>(&item.body)) {
      KeptContent content = content_.content(session, item.side, item.begin, item.end);
      content.whole = content.whole && chunk->complete;
      add(open_[{session, entry.transaction}], std::move(content));
    }
  }
  content_.forget(session, item.side, item.end);
}

void EmlExporter::add(Message& message, KeptContent more) {
  // Behind a hole nothing fits any more.
  if (message.has_data && !message.content.whole) return;
  message.has_data = true;
  const std::size_t room =
      std::min(kMaxMessage - message.content.octets.size(), max_in_all_ - open_octets_);
  if (more.octets.size() > room) {
    more.octets.resize(room);
    more.whole = false;
  }
  open_octets_ += more.octets.size();
  message.content.octets += more.octets;
  message.content.whole = more.whole;
}

void EmlExporter::end(SessionId session, const Transaction& transaction, const Message& message) {
  std::string name = options_.name_runs ? fmt::format("run-{}-", run_) : std::string();
  name += fmt::format("session-{}-message-{}{}.eml", session, transaction.number,
                      message.content.whole ? "" : ".partial");
  JsonWriter json;
  json.begin_object();
  json.string("file", name);
  json.wire("source", source_);
  json.number("session", session);
  json.number("transaction", transaction.number);
  json.boolean("whole", message.content.whole);
  json.number("octets", transaction.facts.octets);
  json.wire("from", transaction.reverse_path);
  json.begin_array("to");
  for (const Recipient& each : transaction.recipients) json.element(each.path);
  json.end_array();
  json.string("outcome", to_string(transaction.outcome));
  json.number_if("code", transaction.final_code);
  json.end_object();
  const std::string line = json.take() + "\n";
  if (!asked_for_.all() && !wanted_.contains(session)) {
    auto content = std::make_unique<SpooledText>(spool_);
    content->add(message.content.octets);
    undecided_[session].push_back({std::move(name), line, std::move(content)});
  } else {
    write(name, message.content.octets, line);
  }
}

void EmlExporter::write(const std::string& name, std::string_view content, std::string_view line) {
  folder_.write_file(name, content);
  list_ += line;
}

void EmlExporter::write_undecided(SessionId session) {
  const auto found = undecided_.find(session);
  if (found == undecided_.end()) return;
  for (const Ended& message : found->second) {
    std::string content;
    message.content->read([&](std::string_view piece) { content += piece; });
    write(message.name, content, message.line);
  }
  undecided_.erase(found);
}

void EmlExporter::end_run() {
  for (const SessionId session : asked_for_.end_run()) write_undecided(session);
  // Of what had not ended nobody knows what became of it, nor whether it is whole.
  open_.clear();
  open_octets_ = 0;
  undecided_.clear();
  wanted_.clear();
}

void EmlExporter::finish() { folder_.write_file("messages.jsonl", list_); }

std::string without_dot_stuffing(std::string_view content) {
  std::string out;
  out.reserve(content.size());
  while (!content.empty()) {
    const std::size_t end = content.find("\r\n");
    const std::size_t length = end == std::string_view::npos ? content.size() : end + 2;
    std::string_view line = content.substr(0, length);
    content.remove_prefix(length);
    if (line.front() == '.') line.remove_prefix(1);
    out += line;
  }
  return out;
}

}  // namespace smtpscope
