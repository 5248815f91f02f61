#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "trace/event_block.h"

namespace smtpscope {

/// The way from the loop's thread to the tracer's: blocks of events, bounded in memory. The loop
/// never waits: what finds no room, be it in the queue or in the machine, is refused. Blocks are
/// used again.
class TraceQueue {
 public:
  /// A block is handed over when the next event has no room in it: the tracer is woken once for
  /// about a thousand short reads, not for each.
  static constexpr std::size_t kBlock = std::size_t{64} * 1024;
  /// For one long read.
  static constexpr std::size_t kLongBlock = EventBlock::kReadCapacity;
  /// A read of so many octets is not copied, if it lies in the read buffer.
  static constexpr std::size_t kWorthKeeping = kBlock;
  /// What may wait to be read. A second of a busy relay; and no more than the tracer can read
  /// within some seconds whatever it is, so that the live view is live and a stop is one.
  static constexpr std::size_t kLimit = std::size_t{16} * 1024 * 1024;
  /// Beyond, for events that are not reads: they are small, and without them (a session's
  /// beginning, its TLS, its end) the rest means little.
  static constexpr std::size_t kReserve = std::size_t{2} * 1024 * 1024;

  /// The tracer is woken when so much waits, or something is asked of it: each time costs as much
  /// as reading 20 KB of mail data.
  static constexpr std::size_t kWorthWaking = std::size_t{1024} * 1024;

  explicit TraceQueue(std::size_t limit = kLimit)
      : limit_(limit), worth_waking_(std::min(kWorthWaking, limit / 4)) {}

  // The loop's side.

  /// Must outlive the last event. Without one, all reads are copied.
  void set_read_buffer(ReadBuffer& buffer) { read_buffer_ = &buffer; }
  /// False: there is no room. Then there is none for reads until a quarter of the queue is free
  /// again, so that holes are few and long.
  bool add(Lane& lane, const WireEvent& event);
  bool add_question(Lane& lane);
  bool add_farewell(Lane& lane);
  /// Reads would be taken.
  bool has_room();
  /// Why the last event was refused.
  std::string_view why_full() const { return why_; }
  /// Gives the tracer what has gathered. With `flush`, what is known then is to be written out.
  void hand_over(bool flush);
  /// The same, and the tracer learns what time it was when it has read them all.
  void hand_over_at(Time now);
  /// After the last event: the tracer ends when it has read what there is.
  void close();
  /// Octets of the blocks in use. Any thread.
  std::size_t used() const { return used_.load(); }
  /// The loop wants to be told when there is room again.
  void want_room() { room_wanted_ = true; }

  // The tracer's side.

  struct Taken {
    std::unique_ptr<EventBlock> block;  // may be nullptr
    bool flush = false;                 // before the next take()
    std::optional<Time> now;            // what time it was behind the block
    bool over = false;                  // nothing will come any more
  };
  /// Waits for something to do.
  Taken take();
  /// True: the loop wanted to be told that there is room, and there is.
  bool give_back(std::unique_ptr<EventBlock> block);

 private:
  /// Spare blocks kept, of each kind. Long ones come from the kernel and go back to it otherwise,
  /// and to have their pages made anew for each read costs as much as all the rest of the way.
  static constexpr std::size_t kMostSpares = 32;

  struct Spares {
    std::unique_ptr<EventBlock> first;
    std::size_t number = 0;
  };

  bool lies_in_read_buffer(const Bytes& bytes) const;
  bool make_room(std::size_t octets, bool is_read);
  bool open_block(std::size_t capacity, bool is_read);
  void put_in_line(bool flush, std::optional<Time> now, bool urgent);
  std::unique_ptr<EventBlock> new_block(std::size_t octets);
  bool is_roomy() const { return used_.load() <= limit_ - limit_ / 4; }

  const std::size_t limit_;
  const std::size_t worth_waking_;

  // The loop's.
  ReadBuffer* read_buffer_ = nullptr;
  std::unique_ptr<EventBlock> open_;
  bool full_ = false;
  std::string_view why_;

  std::atomic<std::size_t> used_{0};  // octets of all blocks that are not spare
  std::atomic<bool> room_wanted_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<EventBlock> first_;
  EventBlock* last_ = nullptr;
  Spares spares_, long_spares_;
  std::size_t queued_ = 0;  // octets of the blocks that no one has taken
  bool flush_ = false;      // at once, nothing is queued
  std::optional<Time> now_;
  bool worth_reading_ = false;  // something is urgent, or much
  bool waiting_ = false;
  bool closed_ = false;
};

}  // namespace smtpscope
