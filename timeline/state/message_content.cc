#include "timeline/state/message_content.h"

#include <algorithm>
#include <string_view>
#include <variant>

#include "base/octets.h"

namespace smtpscope {

void MessageContent::Stream::add(std::string_view octets, std::size_t most) {
  const std::uint64_t at = received;
  received += octets.size();
  octets = octets.substr(0, most - std::min(kept, most));
  if (octets.empty()) return;
  kept += octets.size();
  if (stretches.empty() || stretches.back().end() != at) stretches.push_back({at, {}});
  stretches.back().octets += octets;
}

void MessageContent::Stream::forget(std::uint64_t end) {
  while (!stretches.empty() && stretches.front().end() <= end) {
    kept -= stretches.front().octets.size();
    stretches.pop_front();
  }
  if (stretches.empty() || stretches.front().begin >= end) return;
  Stretch& first = stretches.front();
  const std::size_t known = static_cast<std::size_t>(end - first.begin);
  first.octets.erase(0, known);
  first.begin = end;
  kept -= known;
}

void MessageContent::add(Stream& stream, std::string_view octets) {
  const std::size_t before = stream.kept;
  stream.add(octets, std::min(most_, before + (most_in_all_ - kept_)));
  kept_ += stream.kept - before;
}

void MessageContent::on_wire(const WireEvent& event) {
  if (event.session == kWholeRun) return;
  if (std::holds_alternative<SessionEnded>(event.body)) {
    const auto ended = open_.find(event.session);
    if (ended == open_.end()) return;
    for (const Stream& stream : ended->second.sides) kept_ -= stream.kept;
    open_.erase(ended);
    return;
  }
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    if (bytes->aside) return;  // no part of the streams that places are counted in
    Stream& stream = open_[event.session].sides[index(bytes->from)];
    add(stream, text_of(bytes->head));
    if (!bytes->left_out) return;
    stream.received += bytes->left_out->octets;
    add(stream, text_of(bytes->tail));
    for (const FurtherPart& part : bytes->further) {
      stream.received += part.left_out.octets;
      add(stream, text_of(part.octets));
    }
  } else if (const auto* gap = std::get_if<Gap>(&event.body); gap != nullptr && gap->from) {
    open_[event.session].sides[index(*gap->from)].received += gap->octets;
  }
}

KeptContent MessageContent::content(SessionId session, Side side, std::uint64_t begin,
                                    std::uint64_t end) const {
  KeptContent found{{}, begin == end};
  const auto streams = open_.find(session);
  if (streams == open_.end()) return found;
  for (const Stretch& stretch : streams->second.sides[index(side)].stretches) {
    if (stretch.begin > begin || stretch.end() <= begin) continue;
    const std::uint64_t upto = std::min(end, stretch.end());
    found.octets = stretch.octets.substr(static_cast<std::size_t>(begin - stretch.begin),
                                         static_cast<std::size_t>(upto - begin));
    found.whole = upto == end;
    break;
  }
  return found;
}

void MessageContent::forget(SessionId session, Side side, std::uint64_t end) {
  const auto streams = open_.find(session);
  if (streams == open_.end()) return;
  Stream& stream = streams->second.sides[index(side)];
  kept_ -= stream.kept;
  stream.forget(end);
  kept_ += stream.kept;
}

}  // namespace smtpscope
