#include "exporters/comparison/comparison_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "diff/runs/difference_words.h"

namespace smtpscope {
namespace {

std::string first_of(std::string_view reply) {
  return std::string(reply.substr(0, reply.find('\n')));
}

std::size_t lines_in(std::string_view reply) {
  return 1 + static_cast<std::size_t>(std::ranges::count(reply, '\n'));
}

char speaker_of(const ReplyRecord& reply) { return reply.by_proxy ? 'P' : 'S'; }

/// Makes the lines of one session.
class LineMaker {
 public:
  LineMaker(const RunComparison& runs, const SessionComparison& session, const TextStyle& style)
      : runs_(runs), session_(session), style_(style) {}

  std::vector<ComparedLine> make(std::size_t context) {
    fold(context);
    whole_session();
    return std::move(lines_);
  }

 private:
  std::span<const Difference> differences_of(const ComparedRow& row) const {
    return std::span(session_.differences).subspan(row.first_difference, row.difference_count);
  }
  static bool differs(const ComparedRow& row) { return row.difference_count > 0 || row.moved; }

  /// All rows that differ, and those within `context` of one; the others by their number.
  void fold(std::size_t context) {
    const std::vector<ComparedRow>& rows = session_.rows;
    std::size_t shown = 0;  // rows before it are
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!differs(rows[i])) continue;
      const std::size_t from = std::max(shown, i > context ? i - context : 0);
      folded(from - shown);
      std::size_t end = std::min(rows.size(), i + context + 1);
      for (std::size_t j = from; j < end; ++j) {
        if (j > i && differs(rows[j])) end = std::min(rows.size(), j + context + 1);
        row(rows[j]);
      }
      shown = end;
      i = end - 1;
    }
    folded(rows.size() - shown);
  }

  void folded(std::size_t count) {
    if (count == 0) return;
    ours(ComparedLineKind::kFolded,
         fmt::format("{} {} {} the same", style_.glyphs().more, counted(count, "exchange"),
                     count == 1 ? "is" : "are"));
  }

  void ours(ComparedLineKind kind, std::string words) {
    ComparedLine& line = lines_.emplace_back();
    line.kind = kind;
    line.note = std::move(words);
  }

  void row(const ComparedRow& row) {
    if (row.before == ComparedRow::kNone) {
      alone(*runs_.after, *session_.after, session_.after->exchanges[row.after],
            ComparedLineKind::kAfter, row.moved ? "moved: it stood elsewhere before" : "");
    } else if (row.after == ComparedRow::kNone) {
      alone(*runs_.before, *session_.before, session_.before->exchanges[row.before],
            ComparedLineKind::kBefore, row.moved ? "moved: it is elsewhere now" : "");
    } else {
      both(row);
    }
  }

  std::string said(const RunRecord& run, const ExchangeRecord& exchange) const {
    if (exchange.kind == ExchangeKind::kMailData) {
      return style_.words(fmt::format("mail data {}", counted(exchange.octets, "octet")));
    }
    return style_.wire(run.commands.text(exchange.text));
  }
  static bool client_speaks(const ExchangeRecord& exchange) {
    return exchange.kind != ExchangeKind::kGreeting && exchange.kind != ExchangeKind::kUnasked;
  }

  void alone(const RunRecord& run, const SessionRecord& session, const ExchangeRecord& exchange,
             ComparedLineKind kind, std::string_view note) {
    const auto add = [&](char speaker, std::string text, std::string words) {
      ComparedLine& line = lines_.emplace_back();
      line.kind = kind;
      line.speaker = speaker;
      (kind == ComparedLineKind::kBefore ? line.before : line.after) = std::move(text);
      line.note = std::move(words);
    };
    if (client_speaks(exchange)) add('C', said(run, exchange), std::string(note));
    for (std::uint32_t i = 0; i < exchange.reply_count; ++i) {
      const ReplyRecord& reply = session.replies[exchange.first_reply + i];
      const std::string_view text = run.replies.text(reply.text);
      add(speaker_of(reply), style_.wire(first_of(text)), more_lines(text));
    }
  }

  std::string more_lines(std::string_view reply) const {
    const std::size_t lines = lines_in(reply);
    return lines == 1 ? std::string() : fmt::format("({} lines)", lines);
  }

  void both(const ComparedRow& row) {
    const ExchangeRecord& before = session_.before->exchanges[row.before];
    const ExchangeRecord& after = session_.after->exchanges[row.after];
    const std::span<const Difference> found = differences_of(row);
    if (client_speaks(before)) command(before, after, found);
    const std::uint32_t replies = std::max(before.reply_count, after.reply_count);
    std::span<const Difference> rest = found;
    for (std::uint32_t i = 0; i < replies; ++i) reply(before, after, i, rest);
    for (const Difference& each : found) {
      switch (group_of(each.kind)) {
        case DifferenceGroup::kCapabilities:
          change(each, ' ');
          break;
        case DifferenceGroup::kTiming:
        case DifferenceGroup::kReads:
          ours(ComparedLineKind::kTold,
               style_.words(fmt::format("{}: {}", each.subject, change_words(each))));
          break;
        default:
          break;
      }
    }
  }

  void command(const ExchangeRecord& before, const ExchangeRecord& after,
               std::span<const Difference> found) {
    ComparedLine line;
    line.speaker = 'C';
    line.before = said(*runs_.before, before);
    for (const Difference& each : found) {
      if (each.kind != DifferenceKind::kCommandChanged) continue;
      line.kind = ComparedLineKind::kChanged;
      line.note = style_.words(change_words(each));
    }
    line.after = said(*runs_.after, after);
    lines_.push_back(std::move(line));
  }

  /// `rest`: the differences that are not about earlier replies.
  void reply(const ExchangeRecord& before, const ExchangeRecord& after, std::uint32_t i,
             std::span<const Difference>& rest) {
    const auto text_of = [i](const RunRecord& run, const SessionRecord& session,
                             const ExchangeRecord& exchange) {
      return run.replies.text(session.replies[exchange.first_reply + i].text);
    };
    ComparedLine line;
    line.speaker = 'S';
    std::string_view said_before, said_after;
    if (i < before.reply_count) {
      said_before = text_of(*runs_.before, *session_.before, before);
      line.speaker = speaker_of(session_.before->replies[before.first_reply + i]);
    }
    if (i < after.reply_count) said_after = text_of(*runs_.after, *session_.after, after);
    line.before = style_.wire(first_of(said_before));
    line.after = style_.wire(first_of(said_after));
    if (i >= before.reply_count) {
      line.kind = ComparedLineKind::kAfter;
      line.note = "not answered before";
    } else if (i >= after.reply_count) {
      line.kind = ComparedLineKind::kBefore;
      line.note = "not answered now";
    } else if (const Difference* difference = reply_difference(rest, said_before, said_after)) {
      line.kind = ComparedLineKind::kChanged;
      line.note = style_.words(change_words(*difference));
      if (lines_in(said_before) + lines_in(said_after) > 2)
        return every_line(line, said_before, said_after);
    } else {
      line.note = more_lines(said_before);
    }
    lines_.push_back(std::move(line));
  }

  /// The difference that is about this reply, which is taken out of `rest`. Several replies of an
  /// exchange may differ, each in one thing at most, and they are told in order: in LMTP there are
  /// as many as recipients.
  static const Difference* reply_difference(std::span<const Difference>& rest,
                                            std::string_view before, std::string_view after) {
    while (!rest.empty() && group_of(rest.front().kind) != DifferenceGroup::kReplies) {
      rest = rest.subspan(1);
    }
    if (rest.empty()) return nullptr;
    const Difference& next = rest.front();
    const bool about = (next.before == before || next.before == first_of(before)) &&
                       (next.after == after || next.after == first_of(after));
    if (!about) return nullptr;
    rest = rest.subspan(1);
    return &next;
  }

  /// Of replies of several lines those that differ.
  void every_line(const ComparedLine& head, std::string_view before, std::string_view after) {
    ComparedLine line = head;
    bool first = true;
    while (!before.empty() || !after.empty()) {
      const std::string a = first_of(before), b = first_of(after);
      before.remove_prefix(std::min(before.size(), a.size() + 1));
      after.remove_prefix(std::min(after.size(), b.size() + 1));
      line.before = style_.wire(a);
      line.after = style_.wire(b);
      line.kind = a == b      ? ComparedLineKind::kSame
                  : b.empty() ? ComparedLineKind::kBefore
                  : a.empty() ? ComparedLineKind::kAfter
                              : ComparedLineKind::kChanged;
      line.note = first ? head.note : "";
      first = false;
      lines_.push_back(line);
    }
  }

  void change(const Difference& difference, char speaker) {
    ComparedLine line;
    line.speaker = speaker;
    line.kind = difference.before.empty()  ? ComparedLineKind::kAfter
                : difference.after.empty() ? ComparedLineKind::kBefore
                                           : ComparedLineKind::kChanged;
    line.before = style_.wire(difference.before);
    line.after = style_.wire(difference.after);
    line.note = style_.words(change_words(difference));
    lines_.push_back(std::move(line));
  }

  void whole_session() {
    std::string heading;
    for (const Difference& each : std::span(session_.differences).subspan(session_.of_session)) {
      std::string name = heading_of(each);
      if (name != heading) ours(ComparedLineKind::kHeading, name);
      heading = std::move(name);
      switch (group_of(each.kind)) {
        case DifferenceGroup::kMessages:
          if (each.kind == DifferenceKind::kBody) {
            ours(ComparedLineKind::kTold, style_.words(each.subject));
          }
          change(each, ' ');
          break;
        case DifferenceGroup::kAnnotations:
          annotation(each);
          break;
        default:
          if (!each.subject.empty()) ours(ComparedLineKind::kTold, style_.words(each.subject));
          change(each, ' ');
      }
    }
  }

  static std::string heading_of(const Difference& difference) {
    switch (group_of(difference.kind)) {
      case DifferenceGroup::kMessages:
        return difference.transaction_before == difference.transaction_after
                   ? fmt::format("message of transaction {}", difference.transaction_before)
                   : fmt::format("message of transaction {}, before {}",
                                 difference.transaction_after, difference.transaction_before);
      case DifferenceGroup::kAnnotations:
        return "findings";
      case DifferenceGroup::kTransactions:
        return "transactions";
      default:
        return "session";
    }
  }

  void annotation(const Difference& difference) {
    ComparedLine line;
    const bool gone = difference.kind == DifferenceKind::kAnnotationGone;
    line.kind = gone ? ComparedLineKind::kBefore : ComparedLineKind::kAfter;
    line.sentence = true;
    (gone ? line.before : line.after) = style_.words(
        fmt::format("{}: {}", difference.subject, gone ? difference.before : difference.after));
    lines_.push_back(std::move(line));
  }

  const RunComparison& runs_;
  const SessionComparison& session_;
  const TextStyle& style_;
  std::vector<ComparedLine> lines_;
};

}  // namespace

std::vector<ComparedLine> compared_lines(const RunComparison& runs,
                                         const SessionComparison& session, const TextStyle& style,
                                         std::size_t context) {
  return LineMaker(runs, session, style).make(context);
}

}  // namespace smtpscope
