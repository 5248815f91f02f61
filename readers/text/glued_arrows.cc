#include "readers/text/glued_arrows.h"

#include <algorithm>

#include "base/ascii.h"
#include "readers/text/line_content.h"

namespace smtpscope {
namespace {

constexpr std::string_view kFromServer = "SERVER -> CLIENT:";
constexpr std::string_view kFromClient = "CLIENT -> SERVER:";
constexpr std::string_view kItself[] = {"SMTP -> ERROR:", "SMTP -> get_lines():", "SMTP Error:",
                                        "SMTP ERROR:",    "SMTP NOTICE:",         "Connection: "};

std::size_t next_arrow(std::string_view line, std::size_t from) {
  std::size_t at = std::min(line.find(kFromServer, from), line.find(kFromClient, from));
  for (const std::string_view words : kItself) at = std::min(at, line.find(words, from));
  return at;
}

/// "2025-11-20 10:00:00", and the blank behind it.
constexpr std::string_view kStamp = "dddd-dd-dd dd:dd:dd_";

bool is_stamp(std::string_view text) {
  return std::equal(text.begin(), text.end(), kStamp.begin(), kStamp.end(), [](char c, char like) {
    return like == 'd' ? is_digit(c) : like == '_' ? c == ' ' || c == '\t' : c == like;
  });
}

/// Where the part begins whose arrow stands at `arrow`.
std::size_t begin_of(std::string_view line, std::size_t arrow) {
  if (arrow < kStamp.size()) return arrow;
  const std::size_t stamp = arrow - kStamp.size();
  return is_stamp(line.substr(stamp, kStamp.size())) ? stamp : arrow;
}

void add_part(std::string_view part, std::vector<std::string_view>& lines) {
  const std::size_t arrow = part.find(kFromServer);
  const std::size_t said = arrow == std::string_view::npos
                               ? arrow
                               : part.find_first_not_of(" \t", arrow + kFromServer.size());
  if (said == std::string_view::npos) {
    lines.push_back(trimmed_blanks(part));
    return;
  }
  std::size_t end = said;
  for (const std::string_view line : unglued_reply(part.substr(said), /*blanks=*/true)) {
    const std::size_t begin = end == said ? 0 : end;  // the first with its arrow
    end += line.size();
    lines.push_back(trimmed_blanks(part.substr(begin, end - begin)));
  }
}

}  // namespace

bool shows_glued_arrows(std::string_view line) {
  const std::size_t server = line.find(kFromServer);
  const std::size_t client = line.find(kFromClient);
  return server != std::string_view::npos && client != std::string_view::npos;
}

void split_at_arrows(std::string_view line, std::vector<std::string_view>& lines) {
  if (!shows_glued_arrows(line)) {
    lines.push_back(line);
    return;
  }
  std::size_t begin = 0;
  for (std::size_t arrow = next_arrow(line, 0); arrow != std::string_view::npos;
       arrow = next_arrow(line, arrow + 1)) {
    const std::size_t next = begin_of(line, arrow);
    if (next > begin) add_part(line.substr(begin, next - begin), lines);
    begin = std::max(begin, next);
  }
  add_part(line.substr(begin), lines);
}

}  // namespace smtpscope
