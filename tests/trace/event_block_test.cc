// What goes through a block comes out as it went in, and owes nothing to where it came from.

#include "trace/event_block.h"

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"
#include "trace/lane.h"

using namespace smtpscope;

namespace {

class Out : public BlockReader {
 public:
  void on_event(Lane& lane, const WireEvent& event) override {
    std::string word = std::to_string(lane.id) + " " + std::to_string(event.session) + " at " +
                       std::to_string(event.time.time_since_epoch().count());
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      word += bytes->from == Side::kClient ? " client " : " server ";
      word += text_of(bytes->head);
      if (bytes->by_proxy) word += " by-proxy";
      if (bytes->undelivered) word += " undelivered";
      if (bytes->tls) word += " tls";
      if (bytes->aside) word += " aside";
      if (bytes->instead) word += " instead " + std::string(text_of(*bytes->instead)) + ";";
    } else if (const auto* opened = std::get_if<SessionOpened>(&event.body)) {
      word += " " + std::string(opened->client) + " " + std::string(opened->listener) + " " +
              std::string(opened->upstream);
    } else if (const auto* shake = std::get_if<TlsHandshake>(&event.body)) {
      word += " handshake";
      facts = shake->facts;
    } else {
      word += " other";
    }
    words.push_back(word);
  }
  void on_question(Lane& lane) override { words.push_back(std::to_string(lane.id) + " ?"); }
  void on_farewell(Lane& lane) override { words.push_back(std::to_string(lane.id) + " bye"); }

  std::vector<std::string> words;
  std::weak_ptr<const TlsFacts> facts;
};

WireEvent read_of(SessionId session, Side from, std::string_view octets) {
  Bytes bytes;
  bytes.from = from;
  bytes.head = octets_of(octets);
  return {session, at_ns(5), bytes};
}

}  // namespace

TEST_CASE("a block gives what it was given, in order, once") {
  Lane one(1);
  Lane two(2);
  const auto block = EventBlock::make(4096);
  REQUIRE(block);
  CHECK(block->empty());
  {
    std::string text = "192.0.2.10:50114";
    std::string octets = "EHLO a\r\n";
    std::string other = "NOOP\r\n";
    block->add(one, {1, at_ns(3), SessionOpened{.client = text, .listener = "", .upstream = "mx"}});
    block->add(two, read_of(2, Side::kServer, octets));
    WireEvent changed = read_of(1, Side::kClient, octets);
    Bytes& bytes = std::get<Bytes>(changed.body);
    bytes.instead = octets_of(other);
    bytes.tls = bytes.undelivered = bytes.by_proxy = bytes.aside = true;
    block->add(one, changed);
    bytes.instead = std::span<const std::uint8_t>();
    bytes.tls = bytes.undelivered = bytes.by_proxy = bytes.aside = false;
    block->add(one, changed);
    block->add(one, read_of(1, Side::kClient, ""));
    block->add_question(two);
    block->add(two, {2, at_ns(6), SessionEnded{}});
    block->add_farewell(two);
    for (std::string* gone : {&text, &octets, &other}) gone->assign(gone->size(), '?');
  }
  Out out;
  block->read(out);
  CHECK(out.words ==
        std::vector<std::string>{
            "1 1 at 3 192.0.2.10:50114  mx", "2 2 at 5 server EHLO a\r\n",
            "1 1 at 5 client EHLO a\r\n by-proxy undelivered tls aside instead NOOP\r\n;",
            "1 1 at 5 client EHLO a\r\n instead ;", "1 1 at 5 client ", "2 ?", "2 2 at 6 other",
            "2 bye"});
  CHECK(block->empty());
  block->read(out);
  CHECK(out.words.size() == 8);
}

TEST_CASE("a block keeps what events share, until it is read or gone") {
  Lane lane(1);
  auto facts = std::make_shared<const TlsFacts>();
  const std::weak_ptr<const TlsFacts> alive = facts;
  auto block = EventBlock::make(4096);
  REQUIRE(block);
  block->add(lane, {1, at_ns(1), TlsHandshake{Side::kClient, Duration(1), facts}});
  facts.reset();
  CHECK_FALSE(alive.expired());
  SECTION("read") {
    Out out;
    block->read(out);
    CHECK(out.words == std::vector<std::string>{"1 1 at 1 handshake"});
  }
  SECTION("gone") { block.reset(); }
  CHECK(alive.expired());
}

TEST_CASE("room is what an event takes") {
  Lane lane(1);
  const WireEvent event = read_of(1, Side::kClient, "NOOP\r\n");
  const auto block = EventBlock::make(EventBlock::room_for(event) + EventBlock::room_for_mark());
  REQUIRE(block);
  block->add(lane, event);
  CHECK(block->room() == EventBlock::room_for_mark());
  block->add_question(lane);
  CHECK(block->room() == 0);
  CHECK(EventBlock::room_for(event) <= 48);
}

TEST_CASE("memory that cannot be had is no block, and no exception") {
  CHECK(EventBlock::make(~std::size_t{0} / 4) == nullptr);
}

TEST_CASE("a long read is kept without being copied") {
  ReadBuffer buffer;
  std::memset(buffer.room().data(), 'x', buffer.room().size());
  const std::span<const std::uint8_t> octets(
      reinterpret_cast<const std::uint8_t*>(buffer.room().data()), buffer.room().size());
  REQUIRE(buffer.holds(octets));
  Lane one(1);
  Bytes bytes;
  bytes.from = Side::kServer;
  bytes.head = octets;
  bytes.undelivered = true;
  const auto block = EventBlock::make(EventBlock::kReadCapacity);
  REQUIRE(block);
  block->add_in_place(one, {1, at_ns(5), bytes}, buffer);
  CHECK_FALSE(block->empty());
  // The next read is made elsewhere.
  CHECK_FALSE(buffer.holds(octets));
  std::memset(buffer.room().data(), 'y', buffer.room().size());

  Out out;
  block->read(out);
  CHECK(out.words ==
        std::vector<std::string>{"1 1 at 5 server " + std::string(ReadBuffer::kOctets, 'x') +
                                 " undelivered"});
  // What has been read is a block like any other.
  CHECK(block->empty());
  CHECK(block->room() == EventBlock::kReadCapacity);
  block->add(one, read_of(1, Side::kClient, "NOOP"));
  Out next;
  block->read(next);
  CHECK(next.words == std::vector<std::string>{"1 1 at 5 client NOOP"});
}
