#include "exporters/text/brief_exporter.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "exporters/text/text_item.h"
#include "exporters/text/text_width.h"
#include "exporters/time_words.h"
#include "timeline/state/refusal_notes.h"

namespace smtpscope {
namespace {

/// Of less than this nobody knows a message.
constexpr std::size_t kLeastHeadline = 8;

}  // namespace

BriefExporter::BriefExporter(const ExporterOptions& options, Output& output)
    : style_(options),
      output_(output),
      wanted_(options),
      everything_(std::move(SessionFilter::parse("").value())) {}

void BriefExporter::begin_run(const RunInfo& run) {
  run_started_ = run.started;
  wanted_.begin_run(run.started);
}

void BriefExporter::on_timeline(const TimelineEvent& event) {
  const bool is_news = wanted_.on_timeline(event);
  if (event.session == kWholeRun) return;
  const auto at = open_.try_emplace(event.session, everything_, run_started_).first;
  Session& session = at->second;
  if (is_news || wanted_.all()) session.wanted = true;
  note(session, event);
  if (!std::holds_alternative<TimelineSessionEnded>(event.body)) return;
  if (session.wanted) write(event.session, session);
  open_.erase(at);
}

void BriefExporter::note(Session& session, const TimelineEvent& event) const {
  session.so_far.feed(event);
  if (const auto* started = std::get_if<TimelineSessionStarted>(&event.body)) {
    session.client = started->client;
  } else if (const auto* failed = std::get_if<TimelineConnectFailed>(&event.body)) {
    session.refusal = failed->reason;
  } else if (const auto* entry = std::get_if<Entry>(&event.body)) {
    note_headline(session, *entry);
    const auto* reply = std::get_if<Reply>(&entry->item->body);
    if (reply != nullptr && entry->refusal != nullptr && session.refusal.empty()) {
      session.refusal = fmt::format(
          "{} {}", reply->code, reply->lines.empty() ? std::string_view() : reply->lines[0].text);
    }
  } else if (const auto* ended = std::get_if<TransactionEnded>(&event.body)) {
    const Transaction& transaction = *ended->transaction;
    session.code = transaction.final_code;
    if (std::exchange(session.has_envelope, true)) return;
    session.from = transaction.reverse_path.empty() ? "<>" : transaction.reverse_path;
    if (transaction.recipients.empty()) return;
    session.to = transaction.recipients.front().path;
    session.more = transaction.rcpt_sent - 1;
  }
}

void BriefExporter::note_headline(Session& session, const Entry& entry) const {
  if (!session.headline.empty()) return;
  if (const auto* data = std::get_if<MailData>(&entry.item->body)) {
    session.headline = headline_words(data->headline, style_);
  } else if (const auto* chunk = std::get_if<Chunk>(&entry.item->body)) {
    session.headline = headline_words(chunk->headline, style_);
  }
}

void BriefExporter::write(SessionId id, const Session& session) {
  const SessionSoFar& so_far = session.so_far.so_far();
  std::string line = fmt::format("s{:<4} {}", id, style_.wire(session.client));
  if (session.has_envelope) {
    line += fmt::format(" {}{}{}", style_.wire(session.from), style_.glyphs().arrow,
                        session.to.empty() ? "no recipient" : style_.wire(session.to));
    if (session.more > 0) line += fmt::format(" +{}", session.more);
  }
  const SessionOutcome outcome = so_far.outcome();
  const bool well = outcome == SessionOutcome::kDelivered || outcome == SessionOutcome::kNoMail;
  std::string became(to_string(outcome));
  if (outcome == SessionOutcome::kDelivered) {
    if (session.code != 0) became += fmt::format(" {}", session.code);
  } else if (!session.refusal.empty() && outcome != SessionOutcome::kNoMail) {
    became += fmt::format(" {}", style_.wire(session.refusal));
  }
  const std::string took = short_duration(so_far.last - so_far.began);
  // Who it was and how long it took are not to be lost for the server's words.
  if (style_.width() != 0) {
    const std::size_t taken = display_width(line) + display_width(took) + 2;
    const std::size_t room = style_.width() > taken ? style_.width() - taken : 1;
    if (display_width(became) > room) became = cut_to_width(became, room, style_.glyphs().more);
  }
  // The message gets the room that is left.
  std::string message = session.headline;
  if (style_.width() != 0 && !message.empty()) {
    const std::size_t taken = display_width(line) + display_width(became) + display_width(took) + 3;
    const std::size_t room = style_.width() > taken ? style_.width() - taken : 0;
    message = room < kLeastHeadline ? "" : cut_to_width(message, room, style_.glyphs().more);
  }
  output_.write(fmt::format("{} {} {}{}{}\n", line,
                            style_.paint(well                               ? Tone::kGood
                                         : outcome == SessionOutcome::kOpen ? Tone::kPlain
                                                                            : Tone::kError,
                                         became),
                            took, message.empty() ? "" : " ", style_.paint(Tone::kQuiet, message)));
}

void BriefExporter::end_run() {
  for (const SessionId id : wanted_.end_run()) {
    if (const auto at = open_.find(id); at != open_.end()) at->second.wanted = true;
  }
  for (const auto& [id, session] : open_) {
    if (session.wanted) write(id, session);
  }
  open_.clear();
}

}  // namespace smtpscope
