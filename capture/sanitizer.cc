#include "capture/sanitizer.h"

#include <cassert>
#include <type_traits>
#include <utility>

#include "capture/message_limit.h"

namespace smtpscope {

/// Events that wait for the Conversation to know what is secret in them, oldest first.
struct Sanitizer::Held {
  struct Entry {
    EventCopy event;
    std::uint64_t at = 0;  // Bytes: stream offset of the first octet
  };
  std::vector<Entry> entries;
  std::size_t size = 0;  // memory, in octets

  void mask(Side side, std::span<const StreamRange> secrets, bool spare_line_ends = false) {
    for (Entry& entry : entries) {
      const auto* bytes = std::get_if<Bytes>(&entry.event.event().body);
      if (bytes && bytes->from == side) entry.event.mask(entry.at, secrets, spare_line_ends);
    }
  }
};

Sanitizer::Sanitizer(SanitizerPolicy policy, WireSink* record, ItemSink* items, bool mid_session)
    : policy_(policy),
      record_(record),
      items_(items),
      conversation_(mid_session ? Conversation::Start::kMidSession
                                : Conversation::Start::kBeginning) {
  conversation_.tell_headlines(policy.headline_octets);
}

Sanitizer::~Sanitizer() = default;

void Sanitizer::feed(const WireEvent& event) {
  const auto* bytes = std::get_if<Bytes>(&event.body);
  const std::uint64_t at = bytes ? conversation_.received(bytes->from) : 0;
  if (items_) items_->on_event(event, conversation_);

  Findings findings;
  // A read that has holes was bounded before: what is left of it is small.
  const bool bounds = record_ && policy_.message_octets != SanitizerPolicy::kEverything && bytes &&
                      !bytes->left_out && !bytes->aside;
  if (!bounds) {
    parse(event, findings);
    if (items_) items_->on_event_done(event, conversation_);
    write_down(event, at, findings);
    return;
  }

  MessageLimit limit(policy_.message_octets, conversation_, bytes->from, bytes->head);
  findings.limit = &limit;
  parse(event, findings);
  if (items_) items_->on_event_done(event, conversation_);
  const std::span<const MessageLimit::Hole> holes = limit.finish();
  if (holes.empty()) {
    write_down(event, at, findings);
    return;
  }

  const auto between = [&](std::size_t hole) {
    const std::size_t end = hole + 1 < holes.size() ? holes[hole + 1].begin : bytes->head.size();
    return bytes->head.subspan(holes[hole].end, end - holes[hole].end);
  };
  std::vector<FurtherPart> further;
  for (std::size_t i = 1; i < holes.size(); ++i) {
    further.push_back({{holes[i].end - holes[i].begin, holes[i].after}, between(i)});
  }
  WireEvent bounded = event;
  Bytes& kept = std::get<Bytes>(bounded.body);
  kept.head = bytes->head.first(holes[0].begin);
  kept.left_out =
      std::make_shared<const LeftOut>(LeftOut{holes[0].end - holes[0].begin, holes[0].after});
  kept.tail = between(0);
  kept.further = further;
  write_down(bounded, at, findings);
}

void Sanitizer::pass_gap_of_run(const WireEvent& gap) {
  let_go();
  if (items_) items_->on_event(gap, conversation_);
  Findings findings;
  parse(gap, findings);
  if (items_) items_->on_event_done(gap, conversation_);
}

void Sanitizer::let_go() {
  if (!held_) return;
  mask_undecided();
  release();
}

void Sanitizer::parse(const WireEvent& event, Findings& findings) {
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, SessionOpened>) {
          if (body.fidelity.inside_tls) conversation_.see_inside_tls();
        } else if constexpr (std::is_same_v<Body, Bytes>) {
          if (body.aside) return;
          parse_bytes(body, findings);
        } else if constexpr (std::is_same_v<Body, Gap>) {
          if (body.from) {
            conversation_.gap(*body.from, body.octets);
            drain(findings);
          } else if (body.of_unknown_octets()) {
            for (const Side side : {Side::kClient, Side::kServer}) {
              conversation_.gap(side, 0);
              drain(findings);
            }
          }
        } else if constexpr (std::is_same_v<Body, TlsHandshake>) {
          if (!body.facts->completed) return;
          conversation_.tls_opened(body.with);
          drain(findings);
        } else if constexpr (std::is_same_v<Body, Closed>) {
          conversation_.eof(body.from);
          drain(findings);
        } else if constexpr (std::is_same_v<Body, SessionEnded>) {
          conversation_.finish();
          drain(findings);
        }
      },
      event.body);
}

void Sanitizer::parse_bytes(const Bytes& bytes, Findings& findings) {
  const auto receive = [&](std::span<const std::uint8_t> octets) {
    conversation_.receive(bytes.from, octets);
    drain(findings);
  };
  receive(bytes.head);
  if (!bytes.left_out) return;
  left_out(bytes.from, *bytes.left_out, findings);
  receive(bytes.tail);
  for (const FurtherPart& part : bytes.further) {
    left_out(bytes.from, part.left_out, findings);
    receive(part.octets);
  }
}

void Sanitizer::left_out(Side from, const LeftOut& hole, Findings& findings) {
  // After a hole in the record, or in a record that was tampered with, the message may be another
  // one than the hole was cut from.
  const MessageScanner* scanner = conversation_.scanner();
  if (scanner && scanner->framing() == hole.after.framing()) {
    conversation_.left_out(from, hole.octets, hole.after);
  } else {
    conversation_.gap(from, hole.octets);
  }
  drain(findings);
}

void Sanitizer::drain(Findings& findings) {
  while (const Item* item = conversation_.next()) {
    if (record_ && !policy_.keep_credentials) {
      std::vector<StreamRange>& secrets = findings.secrets[index(item->side)];
      if (item->secret_begin != item->secret_end) {
        secrets.push_back({item->secret_begin, item->secret_end});
      }
      const std::span<const StreamRange> further = conversation_.overwritten();
      secrets.insert(secrets.end(), further.begin(), further.end());
    }
    if (findings.limit) findings.limit->on_item(*item);
    if (items_) items_->on_item(*item, conversation_);
  }
}

void Sanitizer::write_down(const WireEvent& event, std::uint64_t at, const Findings& findings) {
  if (!record_) return;
  const bool pending = !policy_.keep_credentials && conversation_.secret_pending();
  const bool found = !findings.secrets[0].empty() || !findings.secrets[1].empty();
  if (!found && !pending && !held_) {
    record_->on_wire(event);
    return;
  }

  EventCopy copy(event);
  const auto* bytes = std::get_if<Bytes>(&event.body);
  for (const Side side : {Side::kClient, Side::kServer}) {
    const std::vector<StreamRange>& secrets = findings.secrets[index(side)];
    if (secrets.empty()) continue;
    if (held_) held_->mask(side, secrets);
    if (bytes && bytes->from == side) copy.mask(at, secrets);
  }
  if (!pending) {
    release();
    record_->on_wire(copy.event());
    return;
  }
  hold(std::move(copy), at);
  // In mail data what is undecided is bounded by the Conversation, and a masked dot would change
  // where the data ends.
  if (held_->size > kMaxHeld && conversation_.phase() != Conversation::Phase::kMailData) {
    mask_undecided();
    release();
  }
}

void Sanitizer::hold(EventCopy event, std::uint64_t at) {
  if (!held_) held_ = std::make_unique<Held>();
  held_->size += event.size();
  held_->entries.push_back({std::move(event), at});
}

void Sanitizer::mask_undecided() {
  for (const Side side : {Side::kClient, Side::kServer}) {
    held_->mask(side, conversation_.undecided(side), true);
  }
}

void Sanitizer::release() {
  if (!held_) return;
  // Taken out first: a sink may ask anything of us.
  const std::unique_ptr<Held> held = std::move(held_);
  for (const Held::Entry& entry : held->entries) record_->on_wire(entry.event.event());
}

}  // namespace smtpscope
