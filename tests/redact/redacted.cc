#include "tests/redact/redacted.h"

#include "base/octets.h"

namespace smtpscope::test {
namespace {

class Nowhere : public WireSink {
  void on_wire(const WireEvent&) override {}
};

void redact(const std::vector<EventCopy>& events, Pseudonyms& names, BodyPolicy policy,
            WireSink& out) {
  Redactor redactor(names, policy, out);
  for (const EventCopy& each : events) redactor.on_wire(each.event());
  redactor.finish();
}

}  // namespace

std::string EventList::octets(Side side, SessionId session) const {
  std::string all;
  for (const EventCopy& each : events_) {
    const auto* bytes = std::get_if<Bytes>(&each.event().body);
    if (bytes == nullptr || bytes->from != side || each.event().session != session) continue;
    all += text_of(bytes->head);
    all += text_of(bytes->tail);
    for (const FurtherPart& part : bytes->further) all += text_of(part.octets);
  }
  return all;
}

Redacted::Redacted(const std::vector<EventCopy>& events, BodyPolicy policy, std::string_view key)
    : first(key), names(key, &first.originals()) {
  Nowhere nowhere;
  redact(events, first, policy, nowhere);
  redact(events, names, policy, list);
  LeakCheck check({&first.originals(), &names.originals()});
  for (const EventCopy& each : list.events()) check.on_wire(each.event());
  check.finish();
  leaks = check.leaks();
}

}  // namespace smtpscope::test
