#include "redact/needle_search.h"

#include <algorithm>
#include <cassert>

#include "base/ascii.h"

namespace smtpscope {

std::uint32_t NeedleSearch::child(std::uint32_t node, unsigned char octet) const {
  const auto& next = nodes_[node].next;
  const auto found =
      std::ranges::lower_bound(next, octet, {}, &std::pair<unsigned char, std::uint32_t>::first);
  return found != next.end() && found->first == octet ? found->second : 0;
}

void NeedleSearch::add(std::string_view needle, std::uint32_t number) {
  assert(!needle.empty());
  std::uint32_t node = 0;
  for (const char c : needle) {
    const auto octet = static_cast<unsigned char>(c);
    std::uint32_t next = child(node, octet);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      auto& list = nodes_[node].next;
      const auto place = std::ranges::lower_bound(list, octet, {},
                                                  &std::pair<unsigned char, std::uint32_t>::first);
      list.insert(place, {octet, next});
      const std::uint32_t size = nodes_[node].size + 1;
      nodes_.emplace_back().size = size;
    }
    node = next;
  }
  if (nodes_[node].number == kNone) nodes_[node].number = number;
}

void NeedleSearch::prepare() {
  std::vector<std::uint32_t> order;
  for (const auto& [octet, next] : nodes_[0].next) order.push_back(next);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t node = order[i];
    for (const auto& [octet, next] : nodes_[node].next) {
      order.push_back(next);
      std::uint32_t shorter = nodes_[node].shorter;
      while (shorter != 0 && child(shorter, octet) == 0) shorter = nodes_[shorter].shorter;
      nodes_[next].shorter = child(shorter, octet);
    }
    const std::uint32_t shorter = nodes_[node].shorter;
    nodes_[node].found_too = nodes_[shorter].number != kNone ? shorter : nodes_[shorter].found_too;
  }
}

void NeedleSearch::search(std::string_view text, const Found& found) const {
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    while (node != 0 && child(node, octet) == 0) node = nodes_[node].shorter;
    node = child(node, octet);
    for (std::uint32_t at = nodes_[node].number != kNone ? node : nodes_[node].found_too; at != 0;
         at = nodes_[at].found_too) {
      found(nodes_[at].number, i + 1 - nodes_[at].size, i + 1);
    }
  }
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const auto continues = [](char c) { return is_alphanumeric(c) || c == '_'; };
  return (begin == 0 || !continues(text[begin - 1]) || !continues(text[begin])) &&
         (end == text.size() || !continues(text[end]) || !continues(text[end - 1]));
}

}  // namespace smtpscope
