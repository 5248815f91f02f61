#include "diff/reply_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "parser/item.h"

namespace smtpscope {

std::vector<std::string_view> reply_lines(std::string_view text) {
  constexpr std::size_t kCodeAndSeparator = 4;
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    lines.push_back(line.substr(std::min(kCodeAndSeparator, line.size())));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string_view first_reply_line(std::string_view text) { return text.substr(0, text.find('\n')); }

bool is_ehlo_offer(const ExchangeRecord& exchange, const ReplyRecord& reply) {
  return (exchange.verb == Verb::kEhlo || exchange.verb == Verb::kLhlo) && reply.code / 100 == 2;
}

Capabilities offered_by(std::string_view text) {
  std::vector<ReplyLine> lines;
  for (const std::string_view line : reply_lines(text)) {
    ReplyLine& each = lines.emplace_back();
    each.code = 250;
    each.text = line;
  }
  Reply reply;
  reply.code = 250;
  reply.lines = lines;
  reply.line_count = lines.size();
  Capabilities capabilities;
  capabilities.read(reply);
  return capabilities;
}

std::string keyword_line(const Capabilities::Keyword& keyword) {
  return keyword.parameters().empty() ? std::string(keyword.name())
                                      : fmt::format("{} {}", keyword.name(), keyword.parameters());
}

}  // namespace smtpscope
