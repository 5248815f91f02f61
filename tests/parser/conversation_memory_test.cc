// What a conversation costs: an idle one, a busy one, and one that is meant to hurt.

#include <atomic>
#include <cstdlib>
#include <new>
#include <span>
#include <string>

#include "parser/conversation.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

/// Of all that this program has allocated and not freed.
std::atomic<std::size_t> held_octets{0};
std::atomic<std::size_t> most_octets{0};
std::atomic<std::size_t> allocations{0};

constexpr std::size_t kHeader = alignof(std::max_align_t);

}  // namespace

// All forms, for a sanitizer brings its own of those that are missing.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  auto* const block = static_cast<unsigned char*>(std::malloc(size + kHeader));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<std::size_t*>(block) = size;
  ++allocations;
  const std::size_t now = held_octets += size;
  if (now > most_octets) most_octets = now;
  return block + kHeader;
}
void* operator new(std::size_t size) {
  void* const pointer = operator new(size, std::nothrow);
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return operator new(size, std::nothrow);
}

void operator delete(void* pointer) noexcept {
  if (pointer == nullptr) return;
  auto* const block = static_cast<unsigned char*>(pointer) - kHeader;
  held_octets -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}
void operator delete(void* pointer, std::size_t) noexcept { operator delete(pointer); }
void operator delete(void* pointer, const std::nothrow_t&) noexcept { operator delete(pointer); }
void operator delete[](void* pointer) noexcept { operator delete(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { operator delete(pointer); }
void operator delete[](void* pointer, const std::nothrow_t&) noexcept { operator delete(pointer); }

namespace {

void feed(Conversation& conversation, Side side, std::string_view text) {
  conversation.receive(side, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  while (conversation.next() != nullptr) {
  }
}

void client(Conversation& conversation, std::string_view text) {
  feed(conversation, Side::kClient, text);
}

void server(Conversation& conversation, std::string_view text) {
  feed(conversation, Side::kServer, text);
}

/// The most that was held at any moment while `work` ran, beyond what was held before.
template <typename Work>
std::size_t most_held(Work work) {
  const std::size_t before = held_octets;
  most_octets = before;
  work();
  return most_octets - before;
}

constexpr std::size_t kKiB = 1024;

}  // namespace

TEST_CASE("an idle conversation costs less than a kilobyte") {
  // What all conversations of a thread share is there from the first one on.
  Conversation first;
  server(first, "220 mx.example.com ESMTP ready\r\n");
  const std::size_t before = held_octets;
  Conversation conversation;
  server(conversation, "220 mx.example.com ESMTP ready\r\n");
  CHECK(held_octets - before + sizeof(Conversation) < kKiB * 3 / 4);
  client(conversation, "HELO client.example.com\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
  server(conversation, "250 hi\r\n250-1\r\n250 2\r\n250 3\r\n354 go\r\n");
  client(conversation, std::string(100 * kKiB, 'x') + "\n.\n" + "\r\n.\r\nNOOP" + "\r\n");
  server(conversation, "250 ok\r\n250 ok\r\n");
  CHECK(held_octets - before + sizeof(Conversation) < kKiB);
}

TEST_CASE("commands and replies in steady state allocate nothing") {
  Conversation conversation;
  server(conversation, "220 a\r\n");
  const auto round = [&] {
    client(conversation,
           "NOOP\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nRSET\r\n");
    server(conversation, "250 ok\r\n250 ok\r\n250 ok\r\n25");
    server(conversation, "0 ok\r\n");
  };
  round();
  const std::size_t before = allocations;
  for (int i = 0; i < 1000; ++i) round();
  CHECK(allocations == before);
}

TEST_CASE("the size of a message does not matter") {
  Conversation conversation;
  server(conversation, "220 a\r\n");
  client(conversation, "DATA\r\n");
  server(conversation, "354 go\r\n");
  const std::string block(64 * kKiB, 'x');
  CHECK(most_held([&] {
          for (int i = 0; i < 1600; ++i) client(conversation, block);
          client(conversation, "\n.\n");  // a candidate
          for (int i = 0; i < 16; ++i) client(conversation, block);
        }) < 2 * kKiB);
  client(conversation, "\r\n.\r\n");
  CHECK(conversation.fate_open());
}

TEST_CASE("lines without end cost what is kept of them") {
  const std::string block(64 * kKiB, 'x');
  Conversation conversation;
  CHECK(most_held([&] {
          for (int i = 0; i < 160; ++i) {
            client(conversation, block);
            server(conversation, block);
          }
        }) < 80 * kKiB);
}

TEST_CASE("a reply without end costs what is kept of it") {
  Conversation conversation;
  const std::string line = "220-" + std::string(400, 'x') + "\r\n";
  CHECK(most_held([&] {
          for (int i = 0; i < 20'000; ++i) server(conversation, line);
        }) < 256 * kKiB);
}

TEST_CASE("commands that are never answered cost what is told apart of them") {
  Conversation conversation;
  CHECK(most_held([&] {
          for (int i = 0; i < 200'000; ++i) client(conversation, "NOOP\r\nRSET\r\nVRFY x\r\n");
        }) < 512 * kKiB);
  CHECK(conversation.owed() == 600'001);
  for (int i = 0; i < 200'000; ++i) server(conversation, "250 a\r\n250 b\r\n250 c\r\n");
  CHECK(conversation.owed() == 1);
}

TEST_CASE("what waits behind a barrier costs what is held of it") {
  const std::string block(4 * kKiB, 'x');
  for (const char* command : {"DATA\r\n", "AUTH LOGIN\r\n", "STARTTLS\r\n", "BDAT 100000000\r\n",
                              "XEXCH50 100000000 1\r\n", "TURN\r\n"}) {
    CAPTURE(command);
    Conversation conversation;
    server(conversation, "220 a\r\n");
    client(conversation, command);
    CHECK(most_held([&] {
            for (int i = 0; i < 1000; ++i) client(conversation, block);
          }) < 800 * kKiB);
  }
}

TEST_CASE("barriers that are lifted one by one give back what was held") {
  Conversation conversation;
  server(conversation, "220 a\r\n");
  std::string group;
  for (int i = 0; i < 5000; ++i) group += "STARTTLS\r\n";
  CHECK(most_held([&] {
          for (int round = 0; round < 4; ++round) {
            client(conversation, group);
            for (int i = 0; i < 5000; ++i) server(conversation, "454 no\r\n");
          }
        }) < 256 * kKiB);
  CHECK(conversation.owed() == 0);
}
