#include "trace/trace_queue.h"

#include <algorithm>
#include <utility>

namespace smtpscope {

bool TraceQueue::add(Lane& lane, const WireEvent& event) {
  const auto* bytes = std::get_if<Bytes>(&event.body);
  if (bytes != nullptr && lies_in_read_buffer(*bytes)) {
    if (!has_room() || !open_block(kLongBlock, true)) return false;
    open_->add_in_place(lane, event, *read_buffer_);
  } else {
    if (!make_room(EventBlock::room_for(event), bytes != nullptr)) return false;
    open_->add(lane, event);
  }
  if (open_->capacity() > kBlock) put_in_line(false, std::nullopt, false);
  return true;
}

bool TraceQueue::add_question(Lane& lane) {
  if (!make_room(EventBlock::room_for_mark(), false)) return false;
  open_->add_question(lane);
  return true;
}

bool TraceQueue::add_farewell(Lane& lane) {
  if (!make_room(EventBlock::room_for_mark(), false)) return false;
  open_->add_farewell(lane);
  return true;
}

bool TraceQueue::lies_in_read_buffer(const Bytes& bytes) const {
  return bytes.head.size() >= kWorthKeeping && !bytes.instead && bytes.scenario.empty() &&
         read_buffer_ != nullptr && read_buffer_->holds(bytes.head);
}

bool TraceQueue::has_room() {
  if (full_ && is_roomy()) full_ = false;
  return !full_;
}

/// Room for so much in open_.
bool TraceQueue::make_room(std::size_t octets, bool is_read) {
  if (is_read && !has_room()) return false;
  if (open_ && open_->room() >= octets) return true;
  return open_block(octets <= kBlock ? kBlock : std::max(octets, kLongBlock), is_read);
}

/// An empty block in open_.
bool TraceQueue::open_block(std::size_t capacity, bool is_read) {
  const std::size_t used = used_.load();
  if (used + capacity > limit_ + (is_read ? 0 : kReserve)) {
    full_ = true;
    why_ = "tracing could not keep up";
    return false;
  }
  put_in_line(false, std::nullopt, false);
  open_ = new_block(capacity);
  if (open_) return true;
  full_ = true;
  why_ = "there was no memory for tracing";
  return false;
}

std::unique_ptr<EventBlock> TraceQueue::new_block(std::size_t octets) {
  std::unique_ptr<EventBlock> block;
  if (octets == kBlock || octets == kLongBlock) {
    const std::lock_guard lock(mutex_);
    Spares& spares = octets == kBlock ? spares_ : long_spares_;
    if (spares.first) {
      block = std::move(spares.first);
      spares.first = std::move(block->next);
      --spares.number;
    }
  }
  if (!block) block = EventBlock::make(octets);
  if (block) used_ += block->capacity();
  return block;
}

void TraceQueue::hand_over(bool flush) { put_in_line(flush, std::nullopt, true); }

void TraceQueue::hand_over_at(Time now) { put_in_line(false, now, true); }

/// Lets the tracer have what has gathered; wakes it for that if it is `urgent`, or has become much.
void TraceQueue::put_in_line(bool flush, std::optional<Time> now, bool urgent) {
  const bool some = open_ && !open_->empty();
  if (!some && !urgent) return;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (some) {
      EventBlock* const block = open_.get();
      queued_ += block->capacity();
      (first_ ? last_->next : first_) = std::move(open_);
      last_ = block;
    }
    if (now) (first_ ? last_->now_after : now_) = now;
    if (flush) (first_ ? last_->flush_after : flush_) = true;
    const bool something = first_ || flush_ || now_;
    if (something && (urgent || queued_ >= worth_waking_)) worth_reading_ = true;
    wake = waiting_ && worth_reading_;
  }
  if (wake) changed_.notify_one();
}

void TraceQueue::close() {
  hand_over(true);
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
}

TraceQueue::Taken TraceQueue::take() {
  std::unique_lock lock(mutex_);
  waiting_ = true;
  // Once awake, it reads on until nothing is left.
  if (!first_ && !flush_ && !now_) worth_reading_ = false;
  changed_.wait(lock, [this] { return worth_reading_ || closed_; });
  waiting_ = false;
  Taken taken;
  taken.flush = std::exchange(flush_, false);
  taken.now = std::exchange(now_, std::nullopt);
  taken.block = std::move(first_);
  if (taken.block) {
    queued_ -= taken.block->capacity();
    first_ = std::move(taken.block->next);
    taken.flush = std::exchange(taken.block->flush_after, false) || taken.flush;
    // A time from before the block says nothing any more.
    taken.now = std::exchange(taken.block->now_after, std::nullopt);
  }
  taken.over = closed_ && !taken.block && !taken.flush && !taken.now;
  return taken;
}

bool TraceQueue::give_back(std::unique_ptr<EventBlock> block) {
  const std::size_t capacity = block->capacity();
  if (capacity == kBlock || capacity == kLongBlock) {
    const std::lock_guard lock(mutex_);
    Spares& spares = capacity == kBlock ? spares_ : long_spares_;
    if (spares.number < kMostSpares) {
      block->next = std::move(spares.first);
      spares.first = std::move(block);
      ++spares.number;
    }
  }
  block.reset();
  used_ -= capacity;
  return room_wanted_.load() && is_roomy() && room_wanted_.exchange(false);
}

}  // namespace smtpscope
