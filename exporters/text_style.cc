#include "exporters/text_style.h"

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
      verbose_(options.verbose) {}

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

std::string short_duration(Duration duration) {
  // Each limit is where rounding would reach the next unit: 999.5 ms is "1.00 s".
  const double us = static_cast<double>(duration.count()) / 1e3;
  const double ms = us / 1e3;
  const double s = ms / 1e3;
  if (us < 999.5) return fmt::format("{:.0f} us", us);
  if (ms < 999.5) return fmt::format("{:.0f} ms", ms);
  if (s < 99.995) return fmt::format("{:.2f} s", s);
  if (s < 9999.5) return fmt::format("{:.0f} s", s);
  return fmt::format("{:.1f} h", s / 3600);
}

std::string short_duration(Duration duration, const Fidelity& fidelity) {
  if ((fidelity.unknown & kUnknownTimes) != 0) return {};
  if (fidelity.resolution < std::chrono::seconds(1)) return short_duration(duration);
  if (duration < fidelity.resolution) return "< 1 s";
  return fmt::format("{} s", duration / std::chrono::seconds(1));
}

std::string readable_time(WallTime time) {
  const std::string whole = format_wall_time(time);  // "2026-11-23T12:00:00.123456789Z"
  const std::size_t t = whole.find('T');
  return fmt::format("{} {}Z", whole.substr(0, t), whole.substr(t + 1, 12));
}

std::string counted(std::uint64_t count, std::string_view thing) {
  const std::string_view plural = thing.ends_with('s') ? "es" : "s";
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : plural);
}

}  // namespace smtpscope
