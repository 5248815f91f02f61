#include "exporters/text/text_width.h"

#include <algorithm>
#include <array>

#include "exporters/code_point_range.h"
#include "exporters/escape.h"

namespace smtpscope {
namespace {

// Unicode Standard Annex 11, East_Asian_Width W and F; ranges joined where only unassigned or
// rare narrow characters lie between, so that a line may come out too short but never too long.
constexpr std::array kWide = std::to_array<CodePointRange>({
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
    {0x23F0, 0x23F0},   {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267F, 0x267F},   {0x2693, 0x2693},   {0x26A1, 0x26A1},
    {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x26CE, 0x26CE},
    {0x26D4, 0x26D4},   {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},
    {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},
    {0x2728, 0x2728},   {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27B0, 0x27B0},   {0x27BF, 0x27BF},
    {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},   {0x2E80, 0x303E},
    {0x3040, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x16FE0, 0x1B2FF}, {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E},
    {0x1F191, 0x1F19A}, {0x1F200, 0x1FAFF}, {0x20000, 0x3FFFD},
});

// Combining marks of the scripts that mail is likely to carry. A mark that is missing here counts
// as one column: the line is cut early.
constexpr std::array kCombining = std::to_array<CodePointRange>({
    {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x5BF, 0x5BF},   {0x5C1, 0x5C2},
    {0x5C4, 0x5C5},   {0x5C7, 0x5C7},   {0x610, 0x61A},   {0x64B, 0x65F},   {0x670, 0x670},
    {0x6D6, 0x6DC},   {0x6DF, 0x6E4},   {0x6E7, 0x6E8},   {0x6EA, 0x6ED},   {0x93C, 0x93C},
    {0x941, 0x948},   {0x94D, 0x94D},   {0xE31, 0xE31},   {0xE34, 0xE3A},   {0xE47, 0xE4E},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20F0}, {0x3099, 0x309A}, {0xFE20, 0xFE2F},
});

std::size_t columns(char32_t value) {
  if (value < 0x300) return 1;
  if (within(kCombining, value)) return 0;
  return within(kWide, value) ? 2 : 1;
}

/// Octets of what must stay together at the beginning of `text`: an escape, or a character with
/// the marks that combine with it.
std::size_t first_cluster(std::string_view text) {
  if (text.starts_with("\\x") && text.size() >= 4) return 4;
  if (text.starts_with("\\u{")) {
    const std::size_t close = text.find('}');
    // At most six digits: what is longer, or has no end, is no escape of ours.
    if (close <= 9) return close + 1;
  }
  constexpr std::string_view kShortEscapes = "\\trn";
  if (text.starts_with('\\') && text.size() >= 2 && kShortEscapes.find(text[1]) != text.npos) {
    return 2;
  }
  std::size_t octets = first_code_point(text).octets;
  while (octets < text.size()) {
    const CodePoint next = first_code_point(text.substr(octets));
    if (!next.valid || columns(next.value) > 0) break;
    octets += next.octets;
  }
  return octets;
}

/// Octets of the longest beginning of `text` that takes at most `width` columns.
std::size_t fitting(std::string_view text, std::size_t width) {
  std::size_t octets = 0;
  std::size_t used = 0;
  while (octets < text.size()) {
    const std::size_t cluster = first_cluster(text.substr(octets));
    used += display_width(text.substr(octets, cluster));
    if (used > width) break;
    octets += cluster;
  }
  return octets;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    width += point.valid ? columns(point.value) : 1;
    text.remove_prefix(point.octets);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width, std::string_view mark) {
  if (display_width(text) <= width) return std::string(text);
  const std::size_t mark_width = display_width(mark);
  if (mark_width >= width) return std::string(text.substr(0, fitting(text, width)));
  std::string cut(text.substr(0, fitting(text, width - mark_width)));
  cut += mark;
  return cut;
}

std::vector<std::string> chop(std::string_view text, std::size_t width) {
  if (width == 0) return {std::string(text)};
  std::vector<std::string> pieces;
  while (display_width(text) > width) {
    const std::size_t end = std::max(fitting(text, width), first_cluster(text));
    pieces.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  if (!text.empty() || pieces.empty()) pieces.emplace_back(text);
  return pieces;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width, std::size_t first_indent) {
  if (width == 0) return {std::string(text)};
  std::vector<std::string> lines;
  std::size_t room = width > first_indent ? width - first_indent : 1;
  while (display_width(text) > room) {
    const std::size_t fits = fitting(text, room);
    // The space that ends the line may stand right behind what fits.
    const std::size_t space = text.substr(0, fits + 1).rfind(' ');
    std::size_t end = fits;
    std::size_t next = fits;
    if (space != std::string_view::npos && text.find_first_not_of(' ') < space) {
      end = space;
      next = space + 1;
    } else if (lines.empty() && first_indent > 0) {
      // A word that does not fit beside the indent may fit the next line.
      end = next = 0;
    } else if (fits == 0) {
      end = next = first_cluster(text);
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(next);
    room = width;
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

void put_wrapped(std::string& out, std::string_view first, std::string_view text,
                 std::size_t width) {
  constexpr std::size_t kNarrowest = 40;
  const std::size_t room = width == 0 ? 0 : std::max(width, kNarrowest) - display_width(first);
  std::string indent(first);
  for (const std::string& line : wrap(text, room)) {
    out += indent + line + '\n';
    indent.assign(display_width(first), ' ');
  }
}

}  // namespace smtpscope
