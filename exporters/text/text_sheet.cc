#include "exporters/text/text_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "exporters/text/text_width.h"

namespace smtpscope {
namespace {

/// Wire text that is cut to less than this says nothing; our words then go below it.
constexpr std::size_t kLeastWire = 16;
/// Words that are wrapped to less than this are hard to read; they then begin further left.
constexpr std::size_t kLeastWords = 30;
constexpr std::size_t kNarrowColumn = 6;
constexpr std::size_t kHang = 2;
constexpr std::string_view kBetween = "   ";

/// The end of the last clause of `text` that takes at most `width` columns; 0: none does.
std::size_t last_clause(std::string_view text, std::size_t width) {
  std::size_t best = 0;
  for (std::size_t at = 1; at + 1 < text.size(); ++at) {
    const bool ends = (text[at] == ';' || text[at] == ':') && text[at + 1] == ' ';
    if (!ends) continue;
    if (display_width(text.substr(0, at)) > width) break;
    best = at;
  }
  return best;
}

}  // namespace

std::size_t TextSheet::room(std::size_t column) const {
  if (style_.width() == 0) return 0;
  const std::size_t taken = column + label_.size();
  return style_.width() > taken ? style_.width() - taken : 1;
}

void TextSheet::begin_line(std::string_view glyph, Tone tone) {
  text_ += style_.paint(Tone::kQuiet, label_);
  text_ += ' ';
  text_ += glyph == " " ? std::string(glyph) : style_.paint(tone, glyph);
}

void TextSheet::continue_line(const Margin& margin, std::size_t column, std::string_view text) {
  begin_line(margin.continued, Tone::kQuiet);
  text_.append(column - 2, ' ');
  text_ += text;
  end_line();
}

void TextSheet::end_line() {
  const std::size_t last = text_.find_last_not_of(' ');
  text_.resize(last == std::string::npos ? 0 : last + 1);
  text_ += '\n';
}

void TextSheet::line(const LineHead& head, const ItemWords& words) {
  begin_line(head.margin.glyph, head.margin.tone);
  text_ += ' ';
  text_ += style_.paint(Tone::kQuiet,
                        fmt::format("{:>{}} {:>7}", head.time, style_.time_width(), head.since));
  text_ += "  ";
  text_ += style_.paint(head.speaker_tone, std::string_view(&head.speaker, 1));
  text_ += head.in_tls ? style_.paint(Tone::kQuiet, style_.glyphs().lock) : " ";
  text_ += ' ';

  const std::size_t available = room(style_.text_column());
  const std::size_t wire_width = display_width(words.wire);
  const std::size_t notes_width = words.notes.empty() ? 0 : display_width(words.notes) + 2;
  const bool unlimited = available == 0;
  std::vector<std::string> below;
  if (words.wire.empty()) {
    std::vector<std::string> lines = wrap(words.notes, available);
    text_ += lines.front();
    below.assign(std::next(lines.begin()), lines.end());
  } else if (unlimited || wire_width + notes_width <= available) {
    text_ += style_.paint(words.tone, words.wire);
    if (!words.notes.empty()) text_ += "  " + style_.paint(Tone::kQuiet, words.notes);
  } else if (!style_.verbose() && notes_width + kLeastWire <= available) {
    text_ += style_.paint(words.tone,
                          cut_to_width(words.wire, available - notes_width, style_.glyphs().more));
    if (!words.notes.empty()) text_ += "  " + style_.paint(Tone::kQuiet, words.notes);
  } else {
    std::vector<std::string> wire = chop(words.wire, available);
    if (!style_.verbose() && wire.size() > 1) {
      wire = {cut_to_width(words.wire, available, style_.glyphs().more)};
    }
    text_ += style_.paint(words.tone, wire.front());
    below.assign(std::next(wire.begin()), wire.end());
    if (!words.notes.empty()) {
      for (std::string& line : wrap(words.notes, available)) below.push_back(std::move(line));
    }
  }
  end_line();
  for (const std::string& more : below) continue_line(head.margin, style_.text_column(), more);
}

void TextSheet::below(const Margin& margin, Tone tone, std::string_view lead,
                      std::string_view text) {
  std::size_t column = style_.text_column();
  if (style_.width() != 0 && room(style_.text_column()) < kLeastWords) column = kNarrowColumn;
  while (lead.starts_with(' ')) {
    lead.remove_prefix(1);
    ++column;
  }
  const std::size_t available = room(column);
  // The first line has no hang: it gets two columns more than the others.
  const std::size_t wrapped = available == 0 ? 0 : available - std::min(kHang, available - 1);
  const std::string padding(kHang, ' ');
  std::vector<std::string> lines = wrap(fmt::format("{}{}", lead, text), wrapped);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string line = lines[i];
    if (i == 0 && line.starts_with(lead)) {
      line = style_.paint(tone, lead) + line.substr(lead.size());
    }
    continue_line(margin, i == 0 ? column : column + kHang, line);
  }
}

void TextSheet::below_in_short(const Margin& margin, Tone tone, std::string_view lead,
                               std::string_view text, bool cut) {
  std::size_t column = style_.text_column();
  if (style_.width() != 0 && room(style_.text_column()) < kLeastWords) column = kNarrowColumn;
  const std::size_t available = room(column);
  const std::string_view more = style_.glyphs().more;
  const std::size_t used = display_width(lead) + 1 + display_width(more);
  const auto one_line = [&](std::string line) {
    if (line.starts_with(lead)) line = style_.paint(tone, lead) + line.substr(lead.size());
    continue_line(margin, column, line);
  };
  const std::string whole = fmt::format("{}{}", lead, text);
  if (available == 0 || display_width(whole) <= available) {
    one_line(whole);
  } else if (const std::size_t end = last_clause(text, available - std::min(used, available))) {
    one_line(fmt::format("{}{} {}", lead, text.substr(0, end), more));
  } else if (cut) {
    one_line(cut_to_width(whole, available, more));
  } else {
    const std::size_t first = text.find("; ");
    below(
        margin, tone, lead,
        first == text.npos ? std::string(text) : fmt::format("{} {}", text.substr(0, first), more));
  }
}

void TextSheet::rupture(const Margin& margin, Tone tone, std::string_view words) {
  std::string strokes;
  for (int i = 0; i < 3; ++i) strokes += style_.glyphs().pause;
  const std::size_t available = room(3);
  const std::string whole = fmt::format("{} {} {}", strokes, words, strokes);
  if (available == 0 || display_width(whole) <= available) {
    continue_line(margin, 3, style_.paint(tone, whole));
    return;
  }
  const std::size_t indent = display_width(strokes) + 1;
  const std::vector<std::string> lines =
      wrap(words, available > indent ? available - indent : available);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 0) {
      continue_line(margin, 3, style_.paint(tone, fmt::format("{} {}", strokes, lines[i])));
    } else {
      continue_line(margin, 3 + indent, style_.paint(tone, lines[i]));
    }
  }
}

void TextSheet::flow(const std::vector<std::string>& pieces, std::size_t indent, Tone first_tone) {
  const std::size_t available = room(0);
  std::size_t used = 0;
  const auto new_line = [&](std::size_t from) {
    text_ += style_.paint(Tone::kQuiet, label_);
    text_.append(from, ' ');
    used = from;
  };
  new_line(0);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::size_t width = display_width(pieces[i]);
    if (i > 0) {
      if (available != 0 && used + kBetween.size() + width > available) {
        end_line();
        new_line(indent);
      } else {
        text_ += kBetween;
        used += kBetween.size();
      }
    }
    // A piece that is too long for any line is wrapped; its words are ours.
    const std::size_t fits = available == 0 ? 0 : (available > used ? available - used : 1);
    const std::vector<std::string> lines = wrap(pieces[i], fits);
    for (std::size_t j = 0; j < lines.size(); ++j) {
      if (j > 0) {
        end_line();
        new_line(indent);
      }
      text_ += style_.paint(i == 0 ? first_tone : Tone::kPlain, lines[j]);
      used += display_width(lines[j]);
    }
  }
  end_line();
}

void TextSheet::headed(std::string_view heading, std::string_view text, Tone tone) {
  const std::vector<std::string> lines = wrap(text, room(kHang), heading.size() + 1 - kHang);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text_ += style_.paint(Tone::kQuiet, label_);
    text_ += i == 0 ? style_.paint(Tone::kHeading, heading) + ' ' : std::string(kHang, ' ');
    text_ += style_.paint(tone, lines[i]);
    end_line();
  }
}

void TextSheet::paragraph(std::string_view text, std::size_t indent, Tone tone) {
  const std::size_t available = room(indent + kHang);
  const std::vector<std::string> lines = wrap(text, available);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text_ += style_.paint(Tone::kQuiet, label_);
    text_.append(i == 0 ? indent : indent + kHang, ' ');
    text_ += style_.paint(tone, lines[i]);
    end_line();
  }
}

void TextSheet::step(std::string_view lead, std::string_view text, std::size_t indent) {
  const std::size_t mark = text.find_first_not_of("0123456789");
  const std::size_t number = mark > 0 && text.substr(mark).starts_with(") ") ? mark + 2 : 0;
  const std::size_t column = indent + lead.size() + number;
  const std::vector<std::string> lines = wrap(text.substr(number), room(column));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text_ += style_.paint(Tone::kQuiet, label_);
    text_.append(i == 0 ? indent : column, ' ');
    if (i == 0) text_.append(lead).append(text.substr(0, number));
    text_ += lines[i];
    end_line();
  }
}

}  // namespace smtpscope
