#include "lab/scenario_tokens.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace smtpscope {
namespace {

bool begins_comment(std::string_view line, std::size_t at) {
  return line[at] == '#' && (at == 0 || is_blank(line[at - 1]));
}

}  // namespace

std::optional<std::size_t> read_scenario_tokens(std::string_view line,
                                                std::vector<ScenarioToken>& tokens) {
  using Kind = ScenarioToken::Kind;
  std::size_t at = 0;
  while (at < line.size()) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    if (begins_comment(line, at)) break;
    const std::size_t begin = at;
    ScenarioToken token{Kind::kWord, {}, begin + 1, 0};
    if (line[at] == '"') {
      token.kind = Kind::kQuoted;
      for (++at; at < line.size() && line[at] != '"'; ++at) {
        const bool escaped = line[at] == '\\' && at + 1 < line.size() &&
                             (line[at + 1] == '"' || line[at + 1] == '\\');
        if (escaped) ++at;
        token.text += line[at];
      }
      if (at >= line.size()) return begin + 1;
      ++at;
    } else if (line[at] == ',' ||
               (line[at] == ':' && (at + 1 == line.size() || is_blank(line[at + 1])))) {
      token.kind = line[at] == ',' ? Kind::kComma : Kind::kColon;
      token.text = line[at++];
    } else {
      while (at < line.size() && !is_blank(line[at]) && line[at] != ',' && line[at] != '"') {
        const bool colon = line[at] == ':' && (at + 1 == line.size() || is_blank(line[at + 1]));
        if (colon) break;
        token.text += line[at++];
      }
    }
    token.width = at - begin;
    tokens.push_back(std::move(token));
  }
  return {};
}

std::string without_comment(std::string_view line) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < line.size(); ++end) {
    if (quoted && line[end] == '\\') {
      ++end;
      continue;
    }
    if (line[end] == '"') quoted = !quoted;
    if (!quoted && begins_comment(line, end)) break;
  }
  line = without_trailing_blanks(line.substr(0, std::min(end, line.size())));
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return std::string(line);
}

}  // namespace smtpscope
