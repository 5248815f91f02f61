#include "exporters/comparison/comparison_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/counted.h"
#include "exporters/comparison/comparison_lines.h"
#include "exporters/text/text_style.h"
#include "exporters/text/text_width.h"
#include "exporters/time_words.h"

namespace smtpscope {
namespace {

constexpr std::string_view kIndent = "   ";
/// Sign, blank, speaker and two blanks.
constexpr std::size_t kColumns = 5;
/// Where nobody tells how wide the terminal is.
constexpr std::size_t kUsualWidth = 120;
/// Of a comparison side by side each half gets so many columns at least.
constexpr std::size_t kLeastHalf = 20;

/// The sessions' transactions in a few words.
std::string envelope_words(const SessionRecord& session) {
  if (session.transactions.empty()) return "no transaction";
  const TransactionRecord& first = session.transactions.front();
  std::string words = fmt::format("<{}>", first.reverse_path);
  if (!first.recipients.empty()) words += fmt::format(" to <{}>", first.recipients.front());
  if (first.rcpt_sent > 1) words += fmt::format(" and {} more", first.rcpt_sent - 1);
  if (session.transactions.size() > 1) {
    words += fmt::format(", {} transactions", session.transactions.size());
  }
  return words;
}

char sign_of(ComparedLineKind kind) {
  switch (kind) {
    case ComparedLineKind::kBefore:
      return '-';
    case ComparedLineKind::kAfter:
      return '+';
    case ComparedLineKind::kTold:
      return '~';
    default:
      return ' ';
  }
}

Tone tone_of_sign(char sign) {
  switch (sign) {
    case '-':
      return Tone::kError;
    case '+':
      return Tone::kGood;
    case '~':
      return Tone::kNotice;
    default:
      return Tone::kPlain;
  }
}

/// Lays out the lines of a comparison and writes them.
class ComparisonPage {
 public:
  ComparisonPage(const RunComparison& comparison, const ComparisonLayout& layout,
                 const ExporterOptions& options, Output& output)
      : comparison_(comparison),
        layout_(layout),
        style_(options),
        output_(output),
        half_(half_width()) {}

  void write() {
    heading();
    for (const SessionComparison& session : comparison_.sessions) {
      if (!session.differences.empty() || style_.verbose()) show(session);
    }
    footer();
  }

 private:
  std::size_t half_width() const {
    const std::size_t width = style_.width() == 0 ? kUsualWidth : style_.width();
    const std::size_t taken = kIndent.size() + kColumns + 3;
    return std::max(kLeastHalf, width > taken ? (width - taken) / 2 : 0);
  }

  void line(std::string_view text) { output_.write(fmt::format("{}\n", text)); }
  /// Words of ours in one tone, broken to the width.
  void paragraph(Tone tone, std::string_view text, std::size_t indent = 0) {
    for (const std::string& part : wrap(text, room(indent))) {
      line(std::string(indent, ' ') + style_.paint(tone, part));
    }
  }

  void heading() {
    const auto run = [&](std::string_view sign, const RunRecord& record, Tone tone) {
      line(style_.paint(tone, fmt::format("{} {}   {}   {}", sign, style_.words(record.name),
                                          readable_time(record.info.started),
                                          counted(record.sessions.size(), "session"))));
    };
    run("---", *comparison_.before, Tone::kError);
    run("+++", *comparison_.after, Tone::kGood);
  }

  void show(const SessionComparison& session) {
    line("");
    if (session.before == nullptr || session.after == nullptr) {
      const Difference& only = session.differences.front();
      const bool gone = session.before != nullptr;
      const char sign = gone ? '-' : '+';
      paragraph(tone_of_sign(sign), fmt::format("{} {} {}: {}", sign, only.subject,
                                                gone ? "has no counterpart now" : "is new",
                                                style_.words(gone ? only.before : only.after)));
      return;
    }
    const std::string numbers =
        session.before->id == session.after->id
            ? fmt::format("session {}", session.before->id)
            : fmt::format("session {}, before {}", session.after->id, session.before->id);
    paragraph(Tone::kHeading,
              fmt::format("{}   {}   {}", numbers, style_.words(envelope_words(*session.before)),
                          session.differences.empty()
                              ? "no difference"
                              : counted(session.differences.size(), "difference")));
    const std::size_t context =
        style_.verbose() ? std::numeric_limits<std::size_t>::max() / 4 : layout_.context;
    for (const ComparedLine& each : compared_lines(comparison_, session, style_, context)) {
      layout_.side_by_side ? side_by_side(each) : unified(each);
    }
    if (style_.verbose()) set_aside(session.set_aside);
  }

  void unified(const ComparedLine& compared) {
    switch (compared.kind) {
      case ComparedLineKind::kChanged:
        put('-', compared, compared.before, "");
        put('+', compared, compared.after, compared.note);
        return;
      case ComparedLineKind::kBefore:
      case ComparedLineKind::kSame:
        put(sign_of(compared.kind), compared, compared.before, compared.note);
        return;
      case ComparedLineKind::kAfter:
        put('+', compared, compared.after, compared.note);
        return;
      default:
        told(compared);
    }
  }

  void told(const ComparedLine& compared) {
    const std::size_t column = kIndent.size() + kColumns;
    if (compared.kind == ComparedLineKind::kHeading) {
      line(style_.paint(Tone::kHeading, fmt::format("  {}", compared.note)));
      return;
    }
    const char sign = sign_of(compared.kind);
    const Tone tone =
        compared.kind == ComparedLineKind::kFolded ? Tone::kQuiet : tone_of_sign(sign);
    std::string lead = fmt::format("{}{}    ", kIndent, sign);
    for (const std::string& part : wrap(compared.note, room(column))) {
      line(lead + style_.paint(tone, part));
      lead.assign(column, ' ');
    }
  }

  std::size_t room(std::size_t column) const {
    if (style_.width() == 0) return 0;
    return style_.width() > column ? style_.width() - column : 1;
  }

  /// "text   note", broken to the width.
  void put(char sign, const ComparedLine& compared, std::string_view text, std::string_view note) {
    const Tone tone = tone_of_sign(sign);
    const std::size_t available = room(kIndent.size() + kColumns);
    const std::size_t note_width = note.empty() ? 0 : display_width(note) + 3;
    const bool fits = available == 0 || display_width(text) + note_width <= available;
    std::vector<std::string> parts = {std::string(text)};
    if (!fits) parts = pieces(compared, text, available);
    std::string lead = fmt::format("{}{} {}  ", kIndent, sign, compared.speaker);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      std::string out = style_.paint(tone, lead + parts[i]);
      if (fits && !note.empty()) out += "   " + style_.paint(Tone::kQuiet, note);
      line(out);
      lead = fmt::format("{}{}    ", kIndent, sign);
    }
    if (fits || note.empty()) return;
    for (const std::string& part : wrap(note, available)) {
      line(std::string(kIndent.size() + kColumns, ' ') + style_.paint(Tone::kQuiet, part));
    }
  }

  static std::vector<std::string> pieces(const ComparedLine& compared, std::string_view text,
                                         std::size_t width) {
    return compared.sentence ? wrap(text, width) : chop(text, width);
  }

  /// Before at the left, after at the right; '|' between what differs, '<' and '>' beside what is
  /// in one of them only, as sdiff does.
  void side_by_side(const ComparedLine& compared) {
    char between = ' ';
    std::string_view left = compared.before, right = compared.after;
    switch (compared.kind) {
      case ComparedLineKind::kSame:
        break;
      case ComparedLineKind::kChanged:
        between = '|';
        break;
      case ComparedLineKind::kBefore:
        between = '<';
        break;
      case ComparedLineKind::kAfter:
        between = '>';
        break;
      default:
        told(compared);
        return;
    }
    std::vector<std::string> a = pieces(compared, left, half_);
    std::vector<std::string> b = pieces(compared, right, half_);
    // A half that has nothing to show has room for our words.
    std::vector<std::string>* const empty = left.empty() ? &a : right.empty() ? &b : nullptr;
    const bool beside = empty != nullptr && display_width(compared.note) <= half_;
    if (beside) *empty = {style_.paint(Tone::kQuiet, compared.note)};
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      const std::string cell_a = i < a.size() ? a[i] : "", cell_b = i < b.size() ? b[i] : "";
      const std::size_t taken =
          i == 0 && beside && empty == &a ? display_width(compared.note) : display_width(cell_a);
      const std::string padding(half_ - std::min(half_, taken), ' ');
      const char speaker = i == 0 ? compared.speaker : ' ';
      const bool differs = between != ' ';
      std::string out = fmt::format(
          "{}  {}  {}{} {} {}", kIndent, speaker,
          style_.paint(differs && empty != &a ? Tone::kError : Tone::kPlain, cell_a), padding,
          between, style_.paint(differs && empty != &b ? Tone::kGood : Tone::kPlain, cell_b));
      out.resize(out.find_last_not_of(' ') + 1);
      line(out);
    }
    if (compared.note.empty() || between == ' ' || beside) return;
    for (const std::string& part : wrap(compared.note, room(kIndent.size() + kColumns))) {
      line(std::string(kIndent.size() + kColumns, ' ') + style_.paint(Tone::kQuiet, part));
    }
  }

  void set_aside(const SetAsideLog& log) {
    if (log.pairs().empty()) return;
    line(style_.paint(Tone::kHeading, "  set aside"));
    for (const SetAsidePair& pair : log.pairs()) {
      line(style_.paint(Tone::kQuiet, fmt::format("{}  {}: {} {} {}", kIndent, pair.normalizer,
                                                  style_.wire(pair.before), style_.glyphs().arrow,
                                                  style_.wire(pair.after))));
    }
  }

  void row(std::string_view name, const std::string& words, Tone tone = Tone::kPlain) {
    constexpr std::size_t kColumn = 14;
    std::string lead = fmt::format("{:<{}}", name, kColumn);
    for (const std::string& part : wrap(words, room(kColumn))) {
      line(lead + style_.paint(tone, part));
      lead.assign(kColumn, ' ');
    }
  }

  void footer() {
    line("");
    std::string groups;
    for (std::size_t i = 0; i < kDifferenceGroups; ++i) {
      const auto group = static_cast<DifferenceGroup>(i);
      const std::uint64_t count = comparison_.counts.of(group);
      if (count == 0) continue;
      groups += fmt::format("{}{} {}", groups.empty() ? "" : ", ", to_string(group), count);
    }
    std::uint64_t pairs = 0;
    for (const SessionComparison& each : comparison_.sessions) {
      if (each.before != nullptr && each.after != nullptr) ++pairs;
    }
    row("compared", fmt::format("{}, {}, {}", counted(pairs, "pair") + " of sessions",
                                counted(comparison_.exchanges, "exchange"),
                                counted(comparison_.messages, "message")));
    if (comparison_.messages_in_part > 0) {
      row("", fmt::format("{} in part only: the captures do not hold all of {} (--message)",
                          comparison_.messages_in_part,
                          comparison_.messages_in_part == 1 ? "it" : "them"));
    }
    std::string put_aside;
    for (const auto& [name, count] : comparison_.set_aside.counts()) {
      put_aside += fmt::format("{}{} {}", put_aside.empty() ? "" : ", ", name, count);
    }
    if (!put_aside.empty()) {
      row("set aside", put_aside + (style_.verbose() ? "" : " (-v shows what)"));
    }
    for (const RunRecord* run : {comparison_.before, comparison_.after}) {
      const std::uint64_t holes = holes_in(*run);
      if (holes == 0) continue;
      row("holes",
          fmt::format("{}: {}; what lies in them cannot be compared", style_.words(run->name),
                      counted(holes, "hole")),
          Tone::kWarning);
    }
    if (comparison_.same()) {
      row("result", "no difference", Tone::kGood);
    } else {
      row("result", fmt::format("{}: {}", counted(comparison_.counts.all(), "difference"), groups),
          Tone::kError);
    }
  }

  static std::uint64_t holes_in(const RunRecord& run) {
    std::uint64_t holes = run.holes;
    for (const SessionRecord& session : run.sessions) holes += session.holes;
    return holes;
  }

  const RunComparison& comparison_;
  const ComparisonLayout layout_;
  const TextStyle style_;
  Output& output_;
  const std::size_t half_;
};

}  // namespace

void write_comparison_text(const RunComparison& comparison, const ComparisonLayout& layout,
                           const ExporterOptions& options, Output& output) {
  ComparisonPage(comparison, layout, options, output).write();
}

}  // namespace smtpscope
