#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/text/text_item.h"
#include "exporters/text/text_style.h"

namespace smtpscope {

/// The bracket at the left of a line, and of the lines that continue it.
struct Margin {
  std::string_view glyph = " ";
  Tone tone = Tone::kQuiet;
  std::string_view continued = " ";
};

/// The columns before the text.
struct LineHead {
  Margin margin;
  std::string time;   // since the session began: "+0.004"
  std::string since;  // since the line before; may be empty
  char speaker = ' ';
  Tone speaker_tone = Tone::kPlain;
  bool in_tls = false;
};

/// Lays lines out in columns and fits them to the width. Gathers what becomes one piece of
/// output. A short-lived value; the style must outlive it.
class TextSheet {
 public:
  /// `label` stands before every line: which session it belongs to. May be empty.
  TextSheet(const TextStyle& style, std::string label) : style_(style), label_(std::move(label)) {}

  /// A line of the timeline, and the lines that it needs more.
  void line(const LineHead& head, const ItemWords& words);
  /// Words below a line, at the text column: `lead` in its tone, then the text. Blanks that begin
  /// `lead` indent it all.
  void below(const Margin& margin, Tone tone, std::string_view lead, std::string_view text);
  /// The same in one line, as many clauses of it as fit; where not even the first does, `cut` says
  /// whether it is cut or wrapped.
  void below_in_short(const Margin& margin, Tone tone, std::string_view lead, std::string_view text,
                      bool cut);
  /// A break in the timeline, with words in the middle of strokes.
  void rupture(const Margin& margin, Tone tone, std::string_view words);
  /// Pieces side by side from the first column, as many to a line as fit; `indent` columns for
  /// the lines behind the first.
  void flow(const std::vector<std::string>& pieces, std::size_t indent, Tone first_tone);
  /// Words from column `indent` on, the lines behind the first a little further in.
  void paragraph(std::string_view text, std::size_t indent, Tone tone = Tone::kPlain);
  /// A step of a list, "2) Look here.", behind `lead`, which may be empty; its further lines stand
  /// under its words.
  void step(std::string_view lead, std::string_view text, std::size_t indent);
  /// A paragraph from the first column on that begins with its heading.
  void headed(std::string_view heading, std::string_view text, Tone tone);
  bool labelled() const { return !label_.empty(); }
  void blank() { text_ += '\n'; }

  std::string take() { return std::move(text_); }

 private:
  /// Columns for text that begins at `column`; 0: unlimited.
  std::size_t room(std::size_t column) const;
  void begin_line(std::string_view glyph, Tone tone);
  /// A line of its own at `column`.
  void continue_line(const Margin& margin, std::size_t column, std::string_view text);
  void end_line();

  const TextStyle& style_;
  const std::string label_;
  std::string text_;
};

}  // namespace smtpscope
