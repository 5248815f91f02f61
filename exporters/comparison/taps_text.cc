#include "exporters/comparison/taps_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/counted.h"
#include "exporters/comparison/taps_lines.h"
#include "exporters/text/text_style.h"
#include "exporters/text/text_width.h"
#include "exporters/time_words.h"
#include "timeline/duration_text.h"

namespace smtpscope {
namespace {

/// Where nobody tells how wide the terminal is.
constexpr std::size_t kAssumedWidth = 120;
/// Two columns need so much; what is narrower gets one below the other.
constexpr std::size_t kLeastWidthForTwo = 100;
constexpr std::size_t kTimeWidth = 9;
/// Time, speaker and the blanks around it.
constexpr std::size_t kCellHead = kTimeWidth + 3;
/// Mark and what it took in between.
constexpr std::size_t kMiddle = 11;
constexpr std::size_t kMargin = 2;
constexpr std::size_t kTapsColumn = 14;
/// More lone sessions than this are counted only; verbose shows all.
constexpr std::size_t kLoneShown = 5;

char mark_sign(TapsLine::Mark mark) {
  switch (mark) {
    case TapsLine::Mark::kDiffers:
      return '|';
    case TapsLine::Mark::kNearClient:
      return '<';
    case TapsLine::Mark::kNearServer:
      return '>';
    default:
      return ' ';
  }
}

Tone tone_of_mark(TapsLine::Mark mark) {
  return mark == TapsLine::Mark::kSame ? Tone::kPlain : Tone::kWarning;
}

std::string_view matched_words(TapsMatchedBy by) {
  switch (by) {
    case TapsMatchedBy::kMessage:
      return "the same message";
    case TapsMatchedBy::kEnvelope:
      return "the same envelope";
    case TapsMatchedBy::kDialogue:
      return "the same commands";
    case TapsMatchedBy::kHello:
      return "the same name in EHLO or HELO";
    case TapsMatchedBy::kTime:
      break;
  }
  return "the time";
}

std::string session_list(const std::vector<const SessionRecord*>& sessions) {
  std::string words = sessions.size() == 1 ? "session " : "sessions ";
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    words += fmt::format("{}{}", i == 0 ? "" : ", ", sessions[i]->id);
  }
  return words;
}

std::string envelope_of(const std::vector<const SessionRecord*>& sessions) {
  for (const SessionRecord* session : sessions) {
    if (session->transactions.empty()) continue;
    const TransactionRecord& first = session->transactions.front();
    std::string words = fmt::format("<{}>", first.reverse_path);
    if (!first.recipients.empty()) words += fmt::format(" to <{}>", first.recipients.front());
    if (first.rcpt_sent > 1) words += fmt::format(" and {} more", first.rcpt_sent - 1);
    return words;
  }
  return "no transaction";
}

/// Lays out a comparison of two taps and writes it.
class TapsPage {
 public:
  TapsPage(const TapsComparison& comparison, std::size_t context, const ExporterOptions& options,
           Output& output)
      : comparison_(comparison),
        context_(context),
        style_(options),
        output_(output),
        two_columns_(style_.width() == 0 || style_.width() >= kLeastWidthForTwo),
        cell_((width() - kMargin - kMiddle) / 2) {}

  void write() {
    heading();
    std::size_t same = 0;
    for (const TapsDialogue& each : comparison_.dialogues) {
      const bool quiet =
          each.changes.empty() && each.near_client.size() == 1 && each.near_server.size() == 1;
      if (quiet && !style_.verbose()) {
        ++same;
      } else {
        dialogue(each);
      }
    }
    if (same > 0 && same < comparison_.dialogues.size()) {
      line("");
      paragraph(fmt::format("{} {} the same at both taps{}", counted(same, "dialogue"),
                            same == 1 ? "is" : "are", style_.verbose() ? "" : " (-v shows all)"),
                Tone::kQuiet);
    }
    lone(comparison_.only_near_client, comparison_.name_near_client);
    lone(comparison_.only_near_server, comparison_.name_near_server);
    verdict();
  }

 private:
  std::size_t width() const { return style_.width() == 0 ? kAssumedWidth : style_.width(); }
  std::size_t room(std::size_t column) const {
    if (style_.width() == 0) return 0;
    return style_.width() > column ? style_.width() - column : 1;
  }

  void line(std::string text) {
    text.resize(text.find_last_not_of(' ') + 1);
    output_.write(text + '\n');
  }

  void paragraph(std::string_view text, Tone tone, std::size_t indent = 0) {
    for (const std::string& part : wrap(text, room(indent))) {
      line(std::string(indent, ' ') + style_.paint(tone, part));
    }
  }

  /// A name, and words beside it.
  void named(std::string_view name, std::string_view words, Tone tone = Tone::kPlain) {
    std::string lead = fmt::format("{:<{}}", name, kTapsColumn);
    for (const std::string& part : wrap(words, room(kTapsColumn))) {
      line(lead + style_.paint(tone, part));
      lead.assign(kTapsColumn, ' ');
    }
  }

  void heading() {
    const auto run = [&](std::string_view place, std::string_view tap, const RunRecord& record) {
      named(place, fmt::format("{}{}   {}   {}", tap == place ? "" : style_.words(tap) + "   ",
                               style_.words(record.name), readable_time(record.info.started),
                               counted(record.sessions.size(), "session")));
    };
    run("near client", comparison_.name_near_client, *comparison_.near_client);
    run("near server", comparison_.name_near_server, *comparison_.near_server);
    named("clocks", clock_words());
  }

  std::string clock_words() const {
    const ClockOffset& clock = comparison_.clock.whole();
    if (!clock.known) return "these captures do not show how far apart they are";
    const bool ahead = clock.offset >= Duration{};
    // As far as it can be told, they show the same.
    if (std::chrono::abs(clock.offset) <= clock.uncertainty && !comparison_.clock.drift()) {
      return fmt::format("agree, within {}", duration_text(clock.uncertainty * 2));
    }
    std::string words = fmt::format(
        "{}'s is {} {} {}'s, within {}", style_.words(comparison_.name_near_server),
        duration_text(ahead ? clock.offset : -clock.offset), ahead ? "ahead of" : "behind",
        style_.words(comparison_.name_near_client), duration_text(clock.uncertainty));
    if (const std::optional<Duration> drift = comparison_.clock.drift()) {
      words += fmt::format("; it gains {} until the last session", duration_text(*drift));
    }
    return words;
  }

  void dialogue(const TapsDialogue& of) {
    line("");
    paragraph(
        fmt::format("{} {} {}   {}   matched by {}   {}", session_list(of.near_client),
                    style_.glyphs().arrow, session_list(of.near_server),
                    style_.words(envelope_of(of.near_client)), matched_words(of.matched_by),
                    of.changes.empty() ? "nothing changed" : counted(of.changes.size(), "change")),
        Tone::kHeading);
    if (two_columns_) {
      two(TapsLine::Mark::kSame,
          style_.paint(Tone::kQuiet, cut(fmt::format("{}{}", std::string(kCellHead, ' '),
                                                     seen_by(comparison_.name_near_client)))),
          cut_width(std::string(kCellHead, ' ') + seen_by(comparison_.name_near_client)), "",
          style_.paint(Tone::kQuiet,
                       std::string(kCellHead, ' ') + seen_by(comparison_.name_near_server)));
    }
    const std::size_t context =
        style_.verbose() ? std::numeric_limits<std::size_t>::max() / 4 : context_;
    for (const TapsLine& each : taps_lines(comparison_, of, style_, context)) {
      if (each.mark == TapsLine::Mark::kWords) {
        paragraph(each.note, Tone::kQuiet, kMargin + kCellHead);
      } else if (two_columns_) {
        beside(each);
      } else {
        below(each);
      }
    }
    for (const std::string& each : of.not_evaluated) {
      paragraph(fmt::format("not compared: {}", style_.words(each)), Tone::kNotice, kMargin);
    }
    for (const TapsDialogue::Raised& each : of.raised) {
      const Tone tone = tone_of(each.severity);
      const std::string lead =
          fmt::format("{} {} {}: ", style_.glyphs().alarm, to_string(each.severity), each.rule->id);
      const std::vector<std::string> parts = wrap(lead + style_.words(each.text), room(4));
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string shown = i == 0 && parts[0].starts_with(lead)
                                      ? style_.paint(tone, lead) + parts[0].substr(lead.size())
                                      : parts[i];
        line(std::string(i == 0 ? 2 : 4, ' ') + shown);
      }
    }
  }

  std::string seen_by(std::string_view tap) const {
    return fmt::format("what {} saw", style_.words(tap));
  }
  std::string cut(std::string_view text) const {
    return cut_to_width(text, cell_, style_.glyphs().more);
  }
  std::size_t cut_width(std::string_view text) const { return display_width(cut(text)); }

  /// Two cells and what stands between them; `left_width` is without colour.
  void two(TapsLine::Mark mark, const std::string& left, std::size_t left_width,
           std::string_view between, const std::string& right) {
    const std::string padding(cell_ - std::min(cell_, left_width), ' ');
    line(fmt::format("{}{}{} {} {}  {}", std::string(kMargin, ' '), left, padding,
                     style_.paint(tone_of_mark(mark), std::string(1, mark_sign(mark))),
                     style_.paint(Tone::kQuiet, fmt::format("{:>{}}", between, kMiddle - 5)),
                     right));
  }

  static std::string head_of(const TapsCell& cell) {
    return fmt::format("{:>{}} {}  ", cell.time, kTimeWidth - 1, cell.speaker);
  }

  void beside(const TapsLine& of) {
    const std::size_t text_room = cell_ > kCellHead ? cell_ - kCellHead : 1;
    const auto parts = [&](const TapsCell& cell) {
      if (cell.empty()) return std::vector<std::string>{};
      if (style_.verbose()) return chop(cell.text, text_room);
      return std::vector<std::string>{cut_to_width(cell.text, text_room, style_.glyphs().more)};
    };
    const std::vector<std::string> left = parts(of.near_client), right = parts(of.near_server);
    // A side that has nothing to show has room for our words.
    std::vector<std::string> note;
    if (!of.note.empty()) note = wrap(of.note, text_room);
    const bool note_left = left.empty() && !note.empty();
    const bool note_right = right.empty() && !note.empty();
    const std::size_t lines = std::max(
        {left.size(), right.size(), note_left || note_right ? note.size() : std::size_t{0}});
    const Tone tone = tone_of_mark(of.mark);
    for (std::size_t i = 0; i < lines; ++i) {
      const auto cell = [&](const TapsCell& whole, const std::vector<std::string>& texts,
                            bool words) -> std::pair<std::string, std::size_t> {
        const std::string blank(kCellHead, ' ');
        if (words) {
          if (i >= note.size()) return {"", 0};
          return {blank + style_.paint(Tone::kQuiet, note[i]), kCellHead + display_width(note[i])};
        }
        if (i >= texts.size()) return {"", 0};
        const std::string head = i == 0 ? head_of(whole) : blank;
        return {style_.paint(Tone::kQuiet, head) + style_.paint(tone, texts[i]),
                display_width(head) + display_width(texts[i])};
      };
      const auto [a, a_width] = cell(of.near_client, left, note_left);
      const auto [b, b_width] = cell(of.near_server, right, note_right);
      two(i == 0 ? of.mark : TapsLine::Mark::kSame, a, a_width,
          i == 0 ? std::string_view(of.between) : std::string_view(), b);
    }
    if (note.empty() || note_left || note_right) return;
    for (const std::string& part : wrap(of.note, room(kMargin + kCellHead))) {
      line(std::string(kMargin + kCellHead, ' ') + style_.paint(Tone::kQuiet, part));
    }
  }

  /// One column: what is the same once, what differs below each other.
  void below(const TapsLine& of) {
    const auto put = [&](char sign, const TapsCell& cell, std::string_view behind) {
      const std::size_t column = kMargin + 2 + kCellHead;
      const std::string end = behind.empty() ? "" : fmt::format("  ({} between)", behind);
      const std::size_t whole = room(column);
      const std::size_t text_room =
          whole == 0 ? 0 : whole - std::min(whole - 1, display_width(end));
      std::vector<std::string> parts =
          style_.verbose() || whole == 0
              ? chop(cell.text, text_room)
              : std::vector<std::string>{cut_to_width(cell.text, text_room, style_.glyphs().more)};
      for (std::size_t i = 0; i < parts.size(); ++i) {
        line(fmt::format(
            "{}{} {}{}{}", std::string(kMargin, ' '),
            style_.paint(tone_of_mark(of.mark), std::string(1, i == 0 ? sign : ' ')),
            style_.paint(Tone::kQuiet, i == 0 ? head_of(cell) : std::string(kCellHead, ' ')),
            style_.paint(tone_of_mark(of.mark), parts[i]),
            i == 0 ? style_.paint(Tone::kQuiet, end) : ""));
      }
    };
    if (of.mark == TapsLine::Mark::kSame) {
      put(' ', of.near_client, style_.verbose() ? of.between : "");
    } else {
      if (!of.near_client.empty()) put('<', of.near_client, "");
      if (!of.near_server.empty()) put('>', of.near_server, "");
    }
    if (!of.note.empty()) paragraph(of.note, Tone::kQuiet, kMargin + 2 + kCellHead);
  }

  static std::string_view meaning_words(TapsLoneSession::Meaning meaning) {
    using enum TapsLoneSession::Meaning;
    switch (meaning) {
      case kBlocked:
        return "it never reached the server";
      case kOpened:
        return "opened by what is in between, or by another client behind it";
      case kOtherClient:
        return "of another client";
      case kNotRecorded:
        return "it began before the other capture did";
      case kWithoutWords:
        break;
    }
    return "without a command: a port check";
  }

  void lone(const std::vector<TapsLoneSession>& sessions, std::string_view tap) {
    std::size_t shown = 0;
    for (const TapsLoneSession& each : sessions) {
      if (shown == 0) line("");
      if (shown++ >= kLoneShown && !style_.verbose()) continue;
      std::string words =
          fmt::format("only at {}: session {} from {}, {}: {}", style_.words(tap), each.session->id,
                      style_.words(each.session->client), style_.words(envelope_of({each.session})),
                      meaning_words(each.meaning));
      if (!each.session->connect_failed.empty()) {
        words = fmt::format("{}; the tap itself reached no server: {}", words,
                            style_.words(each.session->connect_failed));
      }
      if (each.is_change() && each.after_the_other) {
        words += ", unless the other capture had ended by then";
      }
      paragraph(words, each.is_change() ? Tone::kWarning : Tone::kQuiet);
    }
    if (shown > kLoneShown && !style_.verbose()) {
      paragraph(fmt::format("and {} more (-v shows all)", shown - kLoneShown), Tone::kQuiet);
    }
  }

  void verdict() {
    line("");
    paragraph("what happens between the taps:", Tone::kHeading);
    std::size_t checks = 0, causes = 0;
    for (const VerdictLine& each : comparison_.verdict) {
      std::string lead;
      Tone tone = Tone::kPlain;
      std::size_t indent = 2;
      switch (each.kind) {
        case VerdictKind::kFinding:
          tone = Tone::kWarning;
          break;
        case VerdictKind::kNoFault:
          tone = Tone::kGood;
          break;
        case VerdictKind::kLikely:
          lead = causes++ == 0 ? "likely: " : "or: ";
          indent = 4;
          break;
        case VerdictKind::kCheck:
          lead = checks++ == 0 ? "next: " : "then: ";
          indent = 4;
          break;
        default:
          break;
      }
      std::string text = lead + style_.words(each.text);
      if (!text.ends_with('.')) text += '.';
      const std::vector<std::string> parts = wrap(text, room(indent + 2));
      for (std::size_t i = 0; i < parts.size(); ++i) {
        line(std::string(i == 0 ? indent : indent + 2, ' ') + style_.paint(tone, parts[i]));
      }
    }
  }

  const TapsComparison& comparison_;
  const std::size_t context_;
  const TextStyle style_;
  Output& output_;
  const bool two_columns_;
  const std::size_t cell_;
};

}  // namespace

void write_taps_text(const TapsComparison& comparison, std::size_t context,
                     const ExporterOptions& options, Output& output) {
  TapsPage(comparison, context, options, output).write();
}

}  // namespace smtpscope
