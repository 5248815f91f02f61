// The loop never waits for the queue, and nothing that it took is lost.

#include "trace/trace_queue.h"

#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"
#include "trace/lane.h"

using namespace smtpscope;

namespace {

WireEvent read_of(std::string_view octets) {
  Bytes bytes;
  bytes.head = octets_of(octets);
  return {1, at_ns(5), bytes};
}

class Counter : public BlockReader {
 public:
  void on_event(Lane&, const WireEvent& event) override {
    ++events;
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) octets += bytes->head.size();
  }
  void on_question(Lane&) override { ++questions; }
  void on_farewell(Lane&) override {}

  std::size_t events = 0;
  std::size_t octets = 0;
  std::size_t questions = 0;
};

/// Reads all that was handed over. True if the loop wanted to know of room and is to be told.
bool read_all(TraceQueue& queue, Counter& counter) {
  bool told = false;
  queue.hand_over(true);
  for (bool flushed = false; !flushed;) {
    TraceQueue::Taken taken = queue.take();
    if (taken.block) {
      taken.block->read(counter);
      told = queue.give_back(std::move(taken.block)) || told;
    }
    flushed = taken.flush;
  }
  return told;
}

}  // namespace

TEST_CASE("all that was taken comes out, long reads in their place") {
  Lane lane(1);
  TraceQueue queue;
  std::size_t octets = 0;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::string text(i % 7 == 0 ? i * 50 : i % 90, 'x');
    octets += text.size();
    if (!queue.add(lane, read_of(text))) {
      Counter partly;
      read_all(queue, partly);
      octets -= partly.octets;
      REQUIRE(queue.add(lane, read_of(text)));
    }
  }
  CHECK(queue.add_question(lane));
  Counter counter;
  read_all(queue, counter);
  CHECK(counter.octets == octets);
  CHECK(counter.questions == 1);
}

TEST_CASE("a full queue takes no reads until a quarter is free, but still what is small") {
  Lane lane(1);
  TraceQueue queue(16 * TraceQueue::kBlock);
  const std::string text(1000, 'x');
  std::size_t taken = 0;
  while (queue.add(lane, read_of(text))) ++taken;
  CHECK(taken * 1000 <= 16 * TraceQueue::kBlock);
  CHECK(taken * 1000 > 14 * TraceQueue::kBlock);
  CHECK(queue.why_full() == "tracing could not keep up");
  CHECK_FALSE(queue.has_room());
  CHECK(queue.add(lane, {1, at_ns(6), SessionEnded{}}));
  CHECK_FALSE(queue.add(lane, read_of("x")));
  queue.want_room();

  Counter counter;
  queue.hand_over(false);
  bool told = false;
  std::size_t blocks = 0;
  while (!told) {
    CHECK_FALSE(queue.has_room());
    TraceQueue::Taken next = queue.take();
    REQUIRE(next.block);
    next.block->read(counter);
    told = queue.give_back(std::move(next.block));
    ++blocks;
  }
  CHECK(blocks == 5);  // a quarter, and the one in the reserve
  CHECK(queue.has_room());
  CHECK(queue.add(lane, read_of("x")));
  CHECK_FALSE(read_all(queue, counter));
  CHECK(counter.octets == taken * 1000 + 1);
}

TEST_CASE("what is small is bounded as well") {
  Lane lane(1);
  TraceQueue queue(4 * TraceQueue::kBlock);
  std::size_t taken = 0;
  while (queue.add(lane, {1, at_ns(6), SessionEnded{}})) ++taken;
  CHECK(taken * sizeof(WireEvent) < 4 * TraceQueue::kBlock + TraceQueue::kReserve);
  std::size_t questions = 0;
  while (queue.add_question(lane)) ++questions;
  CHECK(questions * EventBlock::room_for_mark() < sizeof(WireEvent) + 64);
  CHECK_FALSE(queue.add_farewell(lane));
}

TEST_CASE("of reads in the read buffer the long ones are kept, the short ones copied") {
  ReadBuffer buffer;
  Lane lane(1);
  TraceQueue queue;
  queue.set_read_buffer(buffer);
  Counter counter;
  const auto room = [&] { return reinterpret_cast<const std::uint8_t*>(buffer.room().data()); };
  std::size_t octets = 0;
  // Twice, so that blocks are used again.
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t size :
         {std::size_t{1}, TraceQueue::kWorthKeeping - 1, TraceQueue::kWorthKeeping,
          ReadBuffer::kOctets, std::size_t{1}}) {
      const std::uint8_t* const before = room();
      Bytes bytes;
      bytes.head = {before, size};
      REQUIRE(queue.add(lane, {1, at_ns(5), bytes}));
      CHECK((room() != before) == (size >= TraceQueue::kWorthKeeping));
      octets += size;
    }
    read_all(queue, counter);
    CHECK(counter.octets == octets);
  }
  // A part of a read, and what goes on changed, are not the buffer's to give.
  const std::uint8_t* const before = room();
  Bytes bytes;
  bytes.head = {before + 1, ReadBuffer::kOctets - 1};
  REQUIRE(queue.add(lane, {1, at_ns(5), bytes}));
  bytes.head = {before, ReadBuffer::kOctets};
  bytes.instead = octets_of("x");
  REQUIRE(queue.add(lane, {1, at_ns(5), bytes}));
  CHECK(room() == before);
  // Nor is anything while the queue is full.
  bytes.instead.reset();
  while (queue.add(lane, {1, at_ns(5), bytes})) bytes.head = {room(), ReadBuffer::kOctets};
  const std::uint8_t* const refused = room();
  CHECK_FALSE(queue.add(lane, {1, at_ns(5), bytes}));
  CHECK(room() == refused);
}

TEST_CASE("two threads") {
  Lane lane(1);
  TraceQueue queue(8 * TraceQueue::kBlock);
  Counter counter;
  std::thread reader([&] {
    for (;;) {
      TraceQueue::Taken taken = queue.take();
      if (taken.over) return;
      if (!taken.block) continue;
      taken.block->read(counter);
      queue.give_back(std::move(taken.block));
    }
  });
  std::size_t octets = 0;
  for (std::size_t i = 0; i < 20000; ++i) {
    const std::string text(i % 500 == 0 ? 100'000 : i % 60, 'x');
    if (queue.add(lane, read_of(text))) octets += text.size();
    if (i % 100 == 0) queue.hand_over(i % 200 == 0);
  }
  queue.close();
  reader.join();
  CHECK(counter.octets == octets);
}

TEST_CASE("nothing waits for ever, however little it is") {
  using namespace std::chrono_literals;
  Lane lane(1);
  TraceQueue queue;
  std::promise<Counter> promise;
  std::future<Counter> read = promise.get_future();
  bool flush = false;
  std::optional<Time> now;
  bool over = false;
  // One read, long or short, that is alone worth no waking; and then each of the reasons to.
  const bool is_long = GENERATE(false, true);
  REQUIRE(queue.add(lane, read_of(std::string(is_long ? 200'000 : 10, 'x'))));
  CAPTURE(is_long);

  std::function<void()> reason;
  SECTION("a question") {
    reason = [&] {
      queue.add_question(lane);
      queue.hand_over(false);
    };
  }
  SECTION("a flush") {
    flush = true;
    reason = [&] { queue.hand_over(true); };
  }
  SECTION("the time") {
    now = at_ns(7);
    reason = [&] { queue.hand_over_at(at_ns(7)); };
  }
  SECTION("the end") {
    over = true;
    reason = [&] { queue.close(); };
  }
  SECTION("that much waits") {
    reason = [&] {
      for (std::size_t i = 0; i < TraceQueue::kWorthWaking / TraceQueue::kBlock + 1; ++i) {
        queue.add(lane, read_of(std::string(TraceQueue::kBlock - 100, 'x')));
      }
    };
  }

  std::thread tracer([&] {
    Counter counter;
    bool flushed = false;
    std::optional<Time> told;
    while (counter.octets == 0 || flushed != flush || told != now) {
      TraceQueue::Taken taken = queue.take();
      if (taken.block) {
        taken.block->read(counter);
        queue.give_back(std::move(taken.block));
      }
      flushed = flushed || taken.flush;
      if (taken.now) told = taken.now;
      if (taken.over) break;
    }
    while (over && !queue.take().over) {
    }
    promise.set_value(counter);
  });
  reason();
  const bool in_time = read.wait_for(240s) == std::future_status::ready;
  queue.close();  // whatever it waits for, it ends now
  tracer.join();
  REQUIRE(in_time);
  CHECK(read.get().octets > 0);
}
