#include "trace/event_block.h"

#include <cassert>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <variant>

#include "base/octets.h"
#include "capture/event_texts.h"
#include "capture/spare_memory.h"
#include "trace/lane.h"

namespace smtpscope {
namespace {

constexpr std::size_t kAlignment = alignof(std::max_align_t);

constexpr std::size_t aligned(std::size_t octets) {
  return (octets + kAlignment - 1) / kAlignment * kAlignment;
}

enum ReadFlag : std::uint8_t {
  kByProxy = 1 << 0,
  kUndelivered = 1 << 1,
  kTls = 1 << 2,
  kAside = 1 << 3,
  kInstead = 1 << 4,
  kScenario = 1 << 5,  // behind all else: the length of its line, and the line
};

/// What a scenario's line takes.
std::size_t scenario_room(const Bytes& bytes) {
  return bytes.scenario.empty() ? 0 : sizeof(std::uint32_t) + bytes.scenario.size();
}

}  // namespace

/// What stands in front of each entry. Behind it: the octets of a read and what was handed on in
/// their place; or a WireEvent and its texts.
struct EventBlock::Record {
  Lane* lane = nullptr;
  std::uint32_t size = 0;  // all of the entry
  // Of a read, which is nearly every event: a WireEvent would take five times as much.
  std::uint32_t octets = 0;
  Time time;
  std::uint32_t instead = 0;
  Kind kind = Kind::kOctets;
  Side from = Side::kClient;
  std::uint8_t flags = 0;

  std::byte* behind() { return reinterpret_cast<std::byte*>(this) + aligned(sizeof(Record)); }
};

std::unique_ptr<EventBlock> EventBlock::make(std::size_t capacity) {
  if (!can_have_memory(capacity + kRelaysShare)) return nullptr;
  std::unique_ptr<std::byte[]> memory(new (std::nothrow) std::byte[capacity]);
  if (!memory) return nullptr;
  return std::unique_ptr<EventBlock>(new (std::nothrow) EventBlock(std::move(memory), capacity));
}

EventBlock::EventBlock(std::unique_ptr<std::byte[]> memory, std::size_t capacity)
    : memory_(std::move(memory)), capacity_(capacity) {}

// NOLINTNEXTLINE(bugprone-exception-escape): letting go of events throws nothing.
EventBlock::~EventBlock() {
  take_out([](Record&, const WireEvent*) {});
}

std::size_t EventBlock::room_for(const WireEvent& event) {
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    assert(!bytes->left_out && bytes->masked.empty());
    const std::size_t instead = bytes->instead ? bytes->instead->size() : 0;
    return aligned(sizeof(Record)) + aligned(bytes->head.size() + instead + scenario_room(*bytes));
  }
  return aligned(sizeof(Record)) + aligned(sizeof(WireEvent)) + aligned(texts_size(event));
}

std::size_t EventBlock::room_for_mark() { return aligned(sizeof(Record)); }

EventBlock::Record& EventBlock::append(Kind kind, Lane& lane, std::size_t size) {
  assert(size <= room());
  Record& record = *new (memory_.get() + used_) Record;
  record.kind = kind;
  record.lane = &lane;
  assert(size <= std::numeric_limits<std::uint32_t>::max());
  record.size = static_cast<std::uint32_t>(size);
  used_ += size;
  return record;
}

EventBlock::Record& EventBlock::append_read(Lane& lane, const WireEvent& event) {
  // Not std::get(), which could throw where nothing may.
  const auto* read = std::get_if<Bytes>(&event.body);
  assert(read != nullptr && event.session == lane.id);
  const Bytes& bytes = *read;
  Record& record = append(Kind::kOctets, lane, room_for(event));
  record.time = event.time;
  record.from = bytes.from;
  record.octets = static_cast<std::uint32_t>(bytes.head.size());
  if (bytes.by_proxy) record.flags |= kByProxy;
  if (bytes.undelivered) record.flags |= kUndelivered;
  if (bytes.tls) record.flags |= kTls;
  if (bytes.aside) record.flags |= kAside;
  return record;
}

void EventBlock::add_in_place(Lane& lane, const WireEvent& event, ReadBuffer& buffer) {
  static_assert(aligned(sizeof(Record)) <= ReadBuffer::kHeadroom);
  assert(empty() && capacity_ == kReadCapacity);
  buffer.swap(memory_);
  begin_ = used_ = ReadBuffer::kHeadroom - aligned(sizeof(Record));
  append_read(lane, event);
}

void EventBlock::add(Lane& lane, const WireEvent& event) {
  const std::size_t size = room_for(event);
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    Record& record = append_read(lane, event);
    std::byte* octets = record.behind();
    if (!bytes->head.empty()) std::memcpy(octets, bytes->head.data(), bytes->head.size());
    if (bytes->instead) {
      record.flags |= kInstead;
      record.instead = static_cast<std::uint32_t>(bytes->instead->size());
    }
    if (record.instead > 0) {
      std::memcpy(octets + record.octets, bytes->instead->data(), record.instead);
    }
    if (!bytes->scenario.empty()) {
      record.flags |= kScenario;
      std::byte* const length = octets + record.octets + record.instead;
      const auto line = static_cast<std::uint32_t>(bytes->scenario.size());
      std::memcpy(length, &line, sizeof(line));
      std::memcpy(length + sizeof(line), bytes->scenario.data(), line);
    }
    return;
  }
  Record& record = append(Kind::kOther, lane, size);
  WireEvent& copy = *new (record.behind()) WireEvent(event);
  char* texts = reinterpret_cast<char*>(record.behind() + aligned(sizeof(WireEvent)));
  visit_texts(copy, [&](std::string_view& text) {
    if (text.empty()) return;
    std::memcpy(texts, text.data(), text.size());
    text = {texts, text.size()};
    texts += text.size();
  });
}

void EventBlock::add_question(Lane& lane) { append(Kind::kQuestion, lane, room_for_mark()); }

void EventBlock::add_farewell(Lane& lane) { append(Kind::kFarewell, lane, room_for_mark()); }

/// Calls `visit` with each entry, and with the event where it is one; destroys the events.
template <typename Visit>
void EventBlock::take_out(const Visit& visit) {
  for (std::size_t at = begin_; at < used_;) {
    Record& record = *std::launder(reinterpret_cast<Record*>(memory_.get() + at));
    at += record.size;
    if (record.kind == Kind::kOther) {
      WireEvent& event = *std::launder(reinterpret_cast<WireEvent*>(record.behind()));
      visit(record, &event);
      event.~WireEvent();
    } else if (record.kind == Kind::kOctets) {
      const auto* octets = reinterpret_cast<const std::uint8_t*>(record.behind());
      WireEvent event;
      event.session = record.lane->id;
      event.time = record.time;
      Bytes& bytes = event.body.emplace<Bytes>();
      bytes.from = record.from;
      bytes.head = {octets, record.octets};
      bytes.by_proxy = (record.flags & kByProxy) != 0;
      bytes.undelivered = (record.flags & kUndelivered) != 0;
      bytes.tls = (record.flags & kTls) != 0;
      bytes.aside = (record.flags & kAside) != 0;
      if ((record.flags & kInstead) != 0) {
        bytes.instead = std::span(octets + record.octets, record.instead);
      }
      if ((record.flags & kScenario) != 0) {
        const std::uint8_t* const length = octets + record.octets + record.instead;
        std::uint32_t size = 0;
        std::memcpy(&size, length, sizeof(size));
        bytes.scenario = text_of(std::span(length + sizeof(size), size));
      }
      visit(record, &event);
    } else {
      visit(record, nullptr);
    }
  }
  begin_ = used_ = 0;
}

void EventBlock::read(BlockReader& reader) {
  take_out([&](Record& record, const WireEvent* event) {
    if (event != nullptr) {
      reader.on_event(*record.lane, *event);
    } else if (record.kind == Kind::kQuestion) {
      reader.on_question(*record.lane);
    } else {
      reader.on_farewell(*record.lane);
    }
  });
}

}  // namespace smtpscope
