#include "exporters/comparison/taps_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "diff/reply_text.h"
#include "diff/taps/taps_exchanges.h"
#include "exporters/time_words.h"

namespace smtpscope {
namespace {

using Mark = TapsLine::Mark;

/// Our words on a change of a command or of a reply; "" where the line says it all.
std::string words_on(const TapsChange& change) {
  using enum TapsChangeKind;
  switch (change.kind) {
    case kCommandInjected:
      return change.again ? "sent in between, once more than the client sent it"
                          : "sent in between; the client never sent it";
    case kCommandDropped:
      return change.answer.empty() ? "kept from the server"
                                   : "kept from the server, answered in between";
    case kCommandRewritten:
      return "changed in transit";
    case kCommandReordered:
      return "in another order than the client sent it";
    case kAnsweredBetween:
      if (change.near_server.empty()) return "answered in between; no server was asked";
      return change.time ? fmt::format("answered in between, {} before the server was asked",
                                       short_duration(*change.time))
                         : "answered in between";
    case kReplyRewritten:
      return "other words than the server's";
    case kReplyInjected:
      return "the server did not send this";
    case kReplyDropped:
      return "the client did not get this";
    case kMessageInjected:
      return "a message that the client did not send";
    case kMessageDropped:
      return "a message that the server was not sent";
    case kKeywordMasked:
      return "written over";
    case kKeywordRemoved:
      return "hidden from the client";
    case kKeywordAdded:
      return "not the server's";
    case kKeywordRewritten:
      return "other parameters than the server's";
    case kHeaderAdded:
      return change.usual ? "header field added, as mail servers do" : "header field added";
    case kHeaderRemoved:
      return "header field removed";
    case kHeaderRewritten:
      return "header field changed";
    case kHeaderMoved:
      return "header field moved";
    case kDelayed:
      return fmt::format("held for {} on the way {}",
                         short_duration(change.time.value_or(Duration{})),
                         change.on_the_way_back ? "back to the client" : "to the server");
    case kBodyRewritten:
    case kSizeChanged:
    case kLineEndsChanged:
    case kDotStuffing:
    case kTlsEnded:
      return change.subject;
  }
  return {};
}

bool is_about_keyword(TapsChangeKind kind) {
  return kind >= TapsChangeKind::kKeywordMasked && kind <= TapsChangeKind::kKeywordRewritten;
}

/// The change is about what was answered, not about what was said.
bool is_about_reply(TapsChangeKind kind) {
  using enum TapsChangeKind;
  return kind == kAnsweredBetween || kind == kReplyRewritten || kind == kReplyInjected ||
         kind == kReplyDropped;
}

class TapsLineMaker {
 public:
  TapsLineMaker(const TapsComparison& comparison, const TapsDialogue& dialogue,
                const TextStyle& style)
      : comparison_(comparison),
        dialogue_(dialogue),
        style_(style),
        client_began_(wall_of(*comparison.near_client, dialogue.near_client.front()->began)),
        // One moment for both; where nobody knows it, each tap's own beginning.
        server_began_(dialogue.clock.known
                          ? client_began_ + dialogue.clock.offset
                          : wall_of(*comparison.near_server, dialogue.near_server.front()->began)) {
  }

  std::vector<TapsLine> make(std::size_t context) {
    fold_rows(context);
    const std::span<const TapsChange> all(dialogue_.changes);
    for (const TapsChange& each : all.subspan(dialogue_.of_messages)) of_message(each);
    return std::move(lines_);
  }

 private:
  /// Rows that have something to tell, and those within `context` of one.
  void fold_rows(std::size_t context) {
    const std::vector<TapsRow>& rows = dialogue_.rows;
    std::size_t shown = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t ahead = std::min(rows.size(), i + std::min(context, rows.size()) + 1);
      const bool near = std::any_of(at(i > context ? i - context : 0), at(ahead), tells);
      if (!near) continue;
      same(i - shown);
      row(rows[i]);
      shown = i + 1;
    }
    same(rows.size() - shown);
  }

  std::vector<TapsRow>::const_iterator at(std::size_t i) const {
    return dialogue_.rows.begin() + static_cast<std::ptrdiff_t>(i);
  }
  static bool tells(const TapsRow& row) { return row.change_count > 0 || !row.both(); }

  void same(std::size_t count) {
    if (count == 0) return;
    TapsLine& line = lines_.emplace_back();
    line.mark = Mark::kWords;
    line.note = fmt::format("{} {} {} the same", style_.glyphs().more, counted(count, "exchange"),
                            count == 1 ? "is" : "are");
  }

  TapsStep near_client(const TapsRow& row) const {
    return row.near_client == TapsRow::kNone ? TapsStep{}
                                             : dialogue_.steps_near_client[row.near_client];
  }
  TapsStep near_server(const TapsRow& row) const {
    return row.near_server == TapsRow::kNone ? TapsStep{}
                                             : dialogue_.steps_near_server[row.near_server];
  }

  void row(const TapsRow& row) {
    const auto changes = std::span(dialogue_.changes).subspan(row.first_change, row.change_count);
    said(row, changes);
    const TapsStep client = near_client(row), server = near_server(row);
    const std::uint32_t replies =
        std::max(client.exchange == nullptr ? 0 : client.exchange->reply_count,
                 server.exchange == nullptr ? 0 : server.exchange->reply_count);
    for (std::uint32_t i = 0; i < replies; ++i) reply(row, i, changes);
    for (const TapsChange& each : changes) {
      if (is_about_keyword(each.kind)) pair_of(each);
      if (each.kind == TapsChangeKind::kDelayed) {
        TapsLine& line = lines_.emplace_back();
        line.mark = Mark::kWords;
        line.note = words_on(each);
      }
    }
  }

  static Mark mark_of(const TapsCell& near_client, const TapsCell& near_server, bool differs) {
    if (near_server.empty()) return Mark::kNearClient;
    if (near_client.empty()) return Mark::kNearServer;
    return differs ? Mark::kDiffers : Mark::kSame;
  }

  TapsCell said_at(const RunRecord& run, const TapsStep& step, Duration began) const {
    TapsCell cell;
    if (step.exchange == nullptr || step.exchange->kind == ExchangeKind::kGreeting ||
        step.exchange->kind == ExchangeKind::kUnasked) {
      return cell;
    }
    cell.speaker = 'C';
    cell.session = step.session->id;
    cell.entry = step.exchange->entry;
    cell.time = time_words(wall_of(run, step.exchange->first) - began);
    cell.text = step.exchange->kind == ExchangeKind::kMailData
                    ? fmt::format("mail data {}", counted(step.exchange->octets, "octet"))
                    : style_.wire(run.commands.text(step.exchange->text));
    return cell;
  }

  void said(const TapsRow& row, std::span<const TapsChange> changes) {
    TapsLine line;
    line.near_client = said_at(*comparison_.near_client, near_client(row), client_began_);
    line.near_server = said_at(*comparison_.near_server, near_server(row), server_began_);
    if (line.near_client.empty() && line.near_server.empty()) return;
    const auto about = std::ranges::find_if(changes, [](const TapsChange& each) {
      return !is_about_reply(each.kind) && !is_about_keyword(each.kind) &&
             each.kind != TapsChangeKind::kDelayed;
    });
    const bool differs = about != changes.end();
    line.mark = mark_of(line.near_client, line.near_server, differs);
    if (differs) line.note = words_on(*about);
    if (row.unseen) line.note = "not visible at the other tap";
    if (row.moved && row.near_server == TapsRow::kNone) line.note = "in another order";
    lines_.push_back(std::move(line));
  }

  TapsCell replied_at(const RunRecord& run, const TapsStep& step, std::uint32_t i,
                      Duration began) const {
    TapsCell cell;
    if (step.exchange == nullptr || i >= step.exchange->reply_count) return cell;
    const ReplyRecord& reply = step.session->replies[step.exchange->first_reply + i];
    const std::string_view text = text_of(run, reply);
    const auto lines = 1 + std::ranges::count(text, '\n');
    cell.speaker = reply.by_proxy ? 'P' : 'S';
    cell.session = step.session->id;
    cell.entry = reply.entry;
    cell.time = time_words(wall_of(run, reply.first) - began);
    cell.text = style_.wire(first_reply_line(text));
    if (lines > 1) cell.text += fmt::format("  ({} lines)", lines);
    return cell;
  }

  void reply(const TapsRow& row, std::uint32_t i, std::span<const TapsChange> changes) {
    TapsLine line;
    line.near_client = replied_at(*comparison_.near_client, near_client(row), i, client_began_);
    line.near_server = replied_at(*comparison_.near_server, near_server(row), i, server_began_);
    if (line.near_client.empty() && line.near_server.empty()) return;
    const auto about = std::ranges::find_if(
        changes, [](const TapsChange& each) { return is_about_reply(each.kind); });
    const bool early = about != changes.end() && about->kind == TapsChangeKind::kAnsweredBetween;
    const bool differs = row.both() && (early || line.near_client.text != line.near_server.text);
    line.mark = mark_of(line.near_client, line.near_server, differs);
    if (about != changes.end() && (differs || !row.both())) line.note = words_on(*about);
    if (i == 0 && row.added && !early) line.between = short_duration(*row.added);
    lines_.push_back(std::move(line));
  }

  /// What was seen at both taps, or at one.
  void pair_of(const TapsChange& change) {
    TapsLine line;
    line.near_client.text = style_.wire(change.near_client);
    line.near_server.text = style_.wire(change.near_server);
    line.mark = mark_of(line.near_client, line.near_server, true);
    line.note = style_.words(words_on(change));
    lines_.push_back(std::move(line));
  }

  void of_message(const TapsChange& change) {
    if (!std::exchange(message_begun_, true)) {
      TapsLine& heading = lines_.emplace_back();
      heading.mark = Mark::kWords;
      heading.note =
          change.kind == TapsChangeKind::kTlsEnded ? "what is inside TLS" : "the message";
    }
    pair_of(change);
  }

  static std::string time_words(Duration since) {
    return fmt::format("{:+.3f}", std::chrono::duration<double>(since).count());
  }

  const TapsComparison& comparison_;
  const TapsDialogue& dialogue_;
  const TextStyle& style_;
  const Duration client_began_, server_began_;  // by the clock of the tap
  bool message_begun_ = false;
  std::vector<TapsLine> lines_;
};

}  // namespace

std::vector<TapsLine> taps_lines(const TapsComparison& comparison, const TapsDialogue& dialogue,
                                 const TextStyle& style, std::size_t context) {
  return TapsLineMaker(comparison, dialogue, style).make(context);
}

}  // namespace smtpscope
