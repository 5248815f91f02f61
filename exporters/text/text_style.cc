#include "exporters/text/text_style.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "capture/wall_time.h"

namespace smtpscope {
namespace {

constexpr Glyphs kUnicode = {
    .begins = "┌",
    .inside = "│",
    .ends_well = "└",
    .ends_badly = "✗",
    .alarm = "▲",
    .remark = "·",
    .pause = "┄",
    .rule = "──",
    .lock = "≡",
    .arrow = "→",
    .more = "…",
    .open = "‹",
    .close = "›",
};

constexpr Glyphs kAscii = {
    .begins = "/",
    .inside = "|",
    .ends_well = "\\",
    .ends_badly = "x",
    .alarm = "!",
    .remark = "*",
    .pause = "-",
    .rule = "--",
    .lock = "=",
    .arrow = "->",
    .more = "...",
    .open = "<",
    .close = ">",
};

/// Narrower terminals than this leave no room for text beside the times; lines are then longer
/// than the terminal is wide.
constexpr std::size_t kLeastWidth = 40;

/// Select Graphic Rendition (ECMA-48 8.3.117). The eight old colours only: the user's terminal
/// theme makes them readable on its background.
std::string_view graphic_rendition(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kQuiet:
      return "2";
    case Tone::kHeading:
      return "1";
    case Tone::kClient:
      return "36";
    case Tone::kServer:
      return "34";
    case Tone::kProxy:
      return "35";
    case Tone::kGood:
      return "32";
    case Tone::kNotice:
      return "33";
    case Tone::kWarning:
      return "1;33";
    case Tone::kError:
      return "1;31";
  }
  return "";
}

}  // namespace

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return Tone::kQuiet;
    case Severity::kNotice:
      return Tone::kNotice;
    case Severity::kWarning:
      return Tone::kWarning;
    case Severity::kError:
      return Tone::kError;
  }
  return Tone::kPlain;
}

TextStyle::TextStyle(const ExporterOptions& options)
    : glyphs_(options.unicode ? kUnicode : kAscii),
      width_(options.width == 0 ? 0 : std::max(options.width, kLeastWidth)),
      charset_(options.unicode ? Charset::kUtf8 : Charset::kAscii),
      colour_(options.colour),
      verbose_(options.verbose),
      time_(options.time),
      time_width_(time_ == TimeShown::kRelative ? kRelativeTimeWidth
                  : time_ == TimeShown::kWall   ? kWallTimeWidth
                                                : kWallTimeWidth + 1 + kRelativeTimeWidth) {}

std::string TextStyle::paint(Tone tone, std::string_view text) const {
  const std::string_view rendition = graphic_rendition(tone);
  if (!colour_ || rendition.empty() || text.empty()) return std::string(text);
  return fmt::format("\x1B[{}m{}\x1B[0m", rendition, text);
}

std::string TextStyle::wire(std::string_view text) const {
  return escape(text, Wording::kWire, charset_);
}

std::string TextStyle::words(std::string_view text) const {
  return escape(text, Wording::kOurs, charset_);
}

}  // namespace smtpscope
