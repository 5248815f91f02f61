#include "lab/replay/filler.h"

#include <algorithm>
#include <string_view>

namespace smtpscope {
namespace {

// A header field and a line of text alike, so that it may stand in either.
constexpr std::string_view kFillerWords = "X-Filler: left out of the recording. ";

/// What the octets end with, for `state` to be where it leads.
std::string_view filler_end(MessageScanner::State state) {
  switch (state) {
    case MessageScanner::State::kLineStart:
      return "\r\n";
    case MessageScanner::State::kMiddle:
      return "x";
    case MessageScanner::State::kCr:
      return "x\r";
    case MessageScanner::State::kDot:
      return "\r\n.";
    case MessageScanner::State::kDotCr:
      return "\r\n.\r";
    case MessageScanner::State::kEnded:
      return "\r\n.\r\n";
  }
  return "x";
}

void append_filler_line(std::string& out, std::uint64_t octets) {
  while (octets > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(octets, kFillerWords.size());
    out += kFillerWords.substr(0, part);
    octets -= part;
  }
}

}  // namespace

std::string make_filler(std::uint64_t octets, const MessageScanner& before,
                        const MessageScanner& after) {
  std::string_view end = filler_end(after.state());
  // A CR in front of it may belong to a line end that goes on in it.
  std::string begin = before.state() == MessageScanner::State::kCr ||
                              before.state() == MessageScanner::State::kDotCr
                          ? "\n"
                          : "";
  if (octets < begin.size() + end.size()) {
    begin.clear();
    end = end.substr(end.size() - std::min<std::uint64_t>(end.size(), octets));
  }
  const std::uint64_t ends_in_end = end.find('\n') != std::string_view::npos ? 1 : 0;
  std::uint64_t lines = after.facts().lines - std::min(before.facts().lines, after.facts().lines);
  lines -= std::min<std::uint64_t>(lines, ends_in_end + begin.size());
  std::string out;
  out.reserve(octets);
  out += begin;
  std::uint64_t rest = octets - begin.size() - end.size();
  lines = std::min(lines, rest / 3);  // an octet and the line's end
  for (; lines > 0; --lines) {
    const std::uint64_t line = rest / (lines + 1);
    append_filler_line(out, std::max<std::uint64_t>(line, 3) - 2);
    out += "\r\n";
    rest -= std::max<std::uint64_t>(line, 3);
  }
  append_filler_line(out, rest);
  out += end;
  return out;
}

}  // namespace smtpscope
