#include "lab/reply_editing.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/ascii.h"

namespace smtpscope {
namespace {

constexpr std::size_t kCodeDigits = 3;

std::vector<std::string> lines_of(std::string_view reply) {
  std::vector<std::string> lines;
  while (!reply.empty()) {
    const std::size_t end = std::min(reply.find('\n'), reply.size() - 1) + 1;
    lines.emplace_back(reply.substr(0, end));
    reply.remove_prefix(end);
  }
  return lines;
}

/// The lines as one reply, with a hyphen in all but the last.
std::string joined(std::vector<std::string> lines) {
  std::string reply;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string& line = lines[i];
    if (line.size() > kCodeDigits && (line[kCodeDigits] == '-' || line[kCodeDigits] == ' ')) {
      line[kCodeDigits] = i + 1 < lines.size() ? '-' : ' ';
    }
    reply += line;
  }
  return reply;
}

/// In upper case; "AUTH=LOGIN", an old spelling, offers AUTH.
std::string keyword_of(std::string_view line) {
  line.remove_prefix(std::min(line.size(), kCodeDigits + 1));
  return in_upper_case(line.substr(0, line.find_first_of(" =\r\n")));
}

std::string_view ending_of(std::string_view line) {
  const std::size_t text = line.find_last_not_of("\r\n");
  return text == std::string_view::npos ? line : line.substr(text + 1);
}

}  // namespace

std::string without_keywords(std::string_view reply, std::span<const std::string> keywords) {
  std::vector<std::string> lines = lines_of(reply);
  // The first line names the server.
  std::size_t kept = std::min<std::size_t>(1, lines.size());
  for (std::size_t i = kept; i < lines.size(); ++i) {
    if (std::ranges::find(keywords, keyword_of(lines[i])) != keywords.end()) continue;
    if (kept != i) lines[kept] = std::move(lines[i]);
    ++kept;
  }
  if (kept == lines.size()) return std::string(reply);
  lines.resize(kept);
  return joined(std::move(lines));
}

std::string with_keyword(std::string_view reply, std::string_view keyword,
                         std::string_view parameters) {
  std::vector<std::string> lines = lines_of(reply);
  if (lines.empty() || lines[0].size() <= kCodeDigits) return std::string(reply);
  const std::string code = lines[0].substr(0, kCodeDigits);
  std::string text(keyword);
  if (!parameters.empty()) (text += ' ') += parameters;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (keyword_of(lines[i]) != keyword) continue;
    lines[i] = fmt::format("{} {}{}", code, text, ending_of(lines[i]));
    return joined(std::move(lines));
  }
  lines.push_back(code + " " + text + std::string(ending_of(lines[0])));
  return joined(std::move(lines));
}

std::string last_line(std::string_view reply) {
  const std::vector<std::string> lines = lines_of(reply);
  return lines.empty() ? std::string() : lines.back();
}

std::string with_beginning(std::string_view reply, std::string_view found, std::string_view given) {
  if (found.empty() || !reply.starts_with(found)) return std::string(reply);
  const bool codes = found.size() == kCodeDigits && given.size() == kCodeDigits;
  if (!codes) return std::string(given) + std::string(reply.substr(found.size()));
  std::string changed;
  for (const std::string& line : lines_of(reply)) {
    changed += line.starts_with(found) ? std::string(given) + line.substr(kCodeDigits) : line;
  }
  return changed;
}

}  // namespace smtpscope
