#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/read_buffer.h"
#include "capture/wire_event.h"

namespace smtpscope {

struct Lane;

/// Takes what a block holds, in order.
class BlockReader {
 public:
  virtual ~BlockReader() = default;
  virtual void on_event(Lane& lane, const WireEvent& event) = 0;
  /// The relay has asked for the fate of the session's messages.
  virtual void on_question(Lane& lane) = 0;
  /// Nothing comes for the lane any more; it is to be deleted.
  virtual void on_farewell(Lane& lane) = 0;
};

/// Wire events of several sessions in order, each with all that its views point to, in one piece of
/// memory: what goes from the loop's thread to the tracer's. A read of a few octets takes as many
/// and some 32 more. Not thread-safe.
class EventBlock {
 public:
  /// Of blocks for one long read.
  static constexpr std::size_t kReadCapacity = ReadBuffer::kSize;

  /// nullptr: there is no memory.
  static std::unique_ptr<EventBlock> make(std::size_t capacity);
  ~EventBlock();  // NOLINT(bugprone-exception-escape): see event_block.cc
  EventBlock(const EventBlock&) = delete;
  EventBlock& operator=(const EventBlock&) = delete;

  /// Octets that an event takes in a block. An event with octets left out or masked is not for
  /// blocks: the relay makes none.
  static std::size_t room_for(const WireEvent& event);
  /// Of a question or farewell.
  static std::size_t room_for_mark();

  std::size_t room() const { return capacity_ - used_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return used_ == begin_; }

  // There must be room. The lane must live until the block is read or gone.
  void add(Lane& lane, const WireEvent& event);
  /// Adds a read that lies in `buffer` without copying it: the block, which is empty and of
  /// kReadCapacity, and the buffer swap their memory.
  void add_in_place(Lane& lane, const WireEvent& event, ReadBuffer& buffer);
  void add_question(Lane& lane);
  void add_farewell(Lane& lane);

  /// Gives all to `reader` and is empty afterwards.
  void read(BlockReader& reader);

  // For the queue.
  std::unique_ptr<EventBlock> next;
  std::optional<Time> now_after;  // what time it was when it and all before had come
  bool flush_after = false;       // what is known once it is read is to be written out

 private:
  enum class Kind : std::uint8_t { kOctets, kOther, kQuestion, kFarewell };
  struct Record;

  EventBlock(std::unique_ptr<std::byte[]> memory, std::size_t capacity);
  Record& append(Kind kind, Lane& lane, std::size_t size);
  Record& append_read(Lane& lane, const WireEvent& event);
  template <typename Visit>
  void take_out(const Visit& visit);

  std::unique_ptr<std::byte[]> memory_;
  const std::size_t capacity_;
  std::size_t begin_ = 0;  // of the first record
  std::size_t used_ = 0;
};

}  // namespace smtpscope
