#include "readers/text/glued_arrows.h"

#include <algorithm>

#include "base/ascii.h"

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

/// "SERVER -> CLIENT: 250-mx 250-SIZE 250 HELP": its lines begin with the same code.
void split_reply(std::string_view part, std::vector<std::string_view>& lines) {
  const std::size_t arrow = part.find(kFromServer);
  const std::size_t text = arrow == std::string_view::npos
                               ? arrow
                               : part.find_first_not_of(" \t", arrow + kFromServer.size());
  constexpr std::size_t kCode = 3;
  if (text != std::string_view::npos && text + kCode < part.size() && part[text + kCode] == '-' &&
      std::all_of(part.begin() + static_cast<std::ptrdiff_t>(text),
                  part.begin() + static_cast<std::ptrdiff_t>(text + kCode), is_digit)) {
    const std::string_view code = part.substr(text, kCode);
    for (std::size_t at = part.find(code, text + kCode); at != std::string_view::npos;
         at = part.find(code, at + 1)) {
      const bool begins = is_blank(part[at - 1]) && at + kCode < part.size() &&
                          (part[at + kCode] == '-' || part[at + kCode] == ' ');
      if (!begins) continue;
      const bool last = part[at + kCode] == ' ';
      lines.push_back(trimmed_blanks(part.substr(0, at)));
      part.remove_prefix(at);
      if (last) break;
      at = 0;
    }
  }
  part = trimmed_blanks(part);
  if (!part.empty()) lines.push_back(part);
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
    if (next > begin) split_reply(line.substr(begin, next - begin), lines);
    begin = std::max(begin, next);
  }
  split_reply(line.substr(begin), lines);
}

}  // namespace smtpscope
