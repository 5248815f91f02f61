#include "tests/capture/wire_script.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/parser/describe_item.h"

namespace smtpscope::test {

void ItemLog::on_event(const WireEvent& event, const Conversation&) {
  const auto* bytes = std::get_if<Bytes>(&event.body);
  lines.push_back(bytes
                      ? fmt::format("event {} {} octets from the {}", ns_of(event.time),
                                    bytes->octets(), smtpscope::to_string(bytes->from))
                      : fmt::format("event {} of kind {}", ns_of(event.time), event.body.index()));
}

void ItemLog::on_item(const Item& item, const Conversation& conversation) {
  lines.push_back(describe_in_full(item));
  if (item.secret_begin != item.secret_end) {
    secrets.push_back({item.side, item.secret_begin, item.secret_end});
  }
  for (const StreamRange& range : conversation.overwritten()) {
    secrets.push_back({item.side, range.begin, range.end});
  }
}

void ItemLog::on_event_done(const WireEvent& event, const Conversation&) {
  lines.push_back(fmt::format("done {}", ns_of(event.time)));
}

std::vector<EventCopy> wire_events(const Script& script,
                                   const std::function<std::size_t()>& piece) {
  std::vector<EventCopy> events;
  Duration::rep ns = 0;
  for (const Step& step : script) {
    if (step.kind == Step::Kind::kGap) {
      events.emplace_back(WireEvent{1, at_ns(++ns), Gap{step.side, step.missing, 0, "test"}});
    } else if (step.kind == Step::Kind::kEof) {
      events.emplace_back(WireEvent{1, at_ns(++ns), Closed{step.side, CloseKind::kFin, false, ""}});
    }
    std::string_view rest = step.octets;
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), piece());
      Bytes bytes;
      bytes.from = step.side;
      bytes.head = octets_of(rest.substr(0, size));
      events.emplace_back(WireEvent{1, at_ns(++ns), bytes});
      rest.remove_prefix(size);
    }
  }
  events.emplace_back(WireEvent{1, at_ns(++ns), SessionEnded{}});
  return events;
}

std::vector<EventCopy> wire_events(const Script& script) {
  return wire_events(script, [] { return ~std::size_t{0}; });
}

Sanitized sanitized(const std::vector<EventCopy>& raw, SanitizerPolicy policy, bool mid_session) {
  EventKeeper keeper;
  Sanitized result;
  Sanitizer sanitizer(policy, &keeper, &result.log, mid_session);
  for (const EventCopy& each : raw) sanitizer.feed(each.event());
  result.events = std::move(keeper.events);
  return result;
}

std::string visible(const std::vector<EventCopy>& events, Side side) {
  std::string text;
  for (const EventCopy& each : events) {
    const auto* bytes = std::get_if<Bytes>(&each.event().body);
    if (!bytes || bytes->from != side) continue;
    text += text_of(bytes->head);
    if (bytes->left_out) text += fmt::format("<{}>", bytes->left_out->octets);
    text += text_of(bytes->tail);
    for (const FurtherPart& part : bytes->further) {
      text += fmt::format("<{}>{}", part.left_out.octets, text_of(part.octets));
    }
  }
  return text;
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace smtpscope::test
