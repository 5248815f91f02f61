// What a tracker may cost: memory per session is a constant, whatever the session does.

#include <stdlib.h>

#include <cstddef>
#include <memory>
#include <new>
#include <string>

#include "capture/sanitizer.h"
#include "parser/conversation.h"
#include "tests/catch.h"
#include "tests/timeline/random_session.h"
#include "timeline/tracker.h"

namespace {

std::size_t g_live = 0;  // octets allocated and not freed, as asked for
std::size_t g_peak = 0;

/// In front of every block stands its size.
constexpr std::size_t kHeader = alignof(std::max_align_t);

// Not inlined: where GCC sees `new` and `delete` of one block together, it takes the size in front
// of the block for an access out of bounds.
[[gnu::noinline]] void* allocate(std::size_t size) {
  auto* block = static_cast<unsigned char*>(malloc(size + kHeader));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<std::size_t*>(block) = size;
  g_live += size;
  if (g_live > g_peak) g_peak = g_live;
  return block + kHeader;
}

[[gnu::noinline]] void release(void* memory) {
  if (memory == nullptr) return;
  auto* block = static_cast<unsigned char*>(memory) - kHeader;
  g_live -= *reinterpret_cast<std::size_t*>(block);
  free(block);
}

}  // namespace

// All forms, for a sanitizer brings its own of those that are missing.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new(std::size_t size) {
  void* const memory = allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }

namespace smtpscope {
namespace {

class Nobody : public TimelineSink {
 public:
  void on_timeline(const TimelineEvent&) override {}
};

/// A session whose tracker's memory is watched; the conversation's is not counted.
class Session {
 public:
  Session() {
    // What the history of a run remembers is no cost of the session.
    for (std::size_t i = 0; i < RunHistory::kMaxMessages; ++i) history_.add_message({});
    history_.client("unix");
    const std::size_t before = g_live;
    tracker_ = std::make_unique<Tracker>(1, rules_, history_, sink_);
    own_ = g_live - before;
    feed(SessionOpened{});
    feed(UpstreamConnected{});
    server("220 mx.example ESMTP\r\n");
    client("EHLO client.example\r\n");
    server("250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
  }

  void client(const std::string& text) { say(Side::kClient, text); }
  void server(const std::string& text) { say(Side::kServer, text); }
  void message() {
    client("MAIL FROM:<alice@example.com>\r\n");
    server("250 2.1.0 Ok\r\n");
    client("RCPT TO:<bob@example.net>\r\n");
    server("250 2.1.5 Ok\r\n");
    client("DATA\r\n");
    server("354 go\r\n");
    // No two alike: a message that comes again is a finding.
    client("Subject: " + std::to_string(++messages_) + "\r\n\r\nhello\r\n.\r\n");
    server("250 2.0.0 Ok: queued\r\n");
  }
  void pause(Duration length) { now_ += length; }

  /// Octets that the tracker holds now, its own size included.
  std::size_t cost() const { return own_; }
  void reset_peak() { peak_ = own_; }
  std::size_t peak() const { return peak_; }

 private:
  void say(Side side, const std::string& text) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    feed(bytes);
  }

  template <typename Body>
  void feed(Body body) {
    now_ += std::chrono::milliseconds(1);
    const WireEvent event{.session = 1, .time = now_, .body = body};
    in_tracker([&] { tracker_->on_event(event, conversation_); });
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      conversation_.receive(bytes->from, bytes->head);
      while (const Item* item = conversation_.next()) {
        in_tracker([&] { tracker_->on_item(*item, conversation_); });
      }
    }
    in_tracker([&] { tracker_->on_event_done(event, conversation_); });
  }

  template <typename Call>
  void in_tracker(Call call) {
    const std::size_t before = g_live;
    g_peak = g_live;
    call();
    if (own_ + (g_peak - before) > peak_) peak_ = own_ + (g_peak - before);
    own_ += g_live - before;
  }

  Nobody sink_;
  const RuleSet rules_;  // of the run, as the history is
  RunHistory history_;
  Conversation conversation_;
  std::unique_ptr<Tracker> tracker_;
  Time now_;
  std::uint64_t messages_ = 0;
  std::size_t own_ = 0;
  std::size_t peak_ = 0;
};

/// Tables that all sessions share are made by the first one.
void warm_up() {
  Session session;
  session.message();
  session.client("MAIL FROM:<alice@example.com>\r\n");
  session.server("550 no\r\n");  // the patterns of reasons
}

TEST_CASE("an idle session's tracker stays below one and a half kilobytes") {
  warm_up();
  Session session;
  CHECK(session.cost() < 1500);
}

TEST_CASE("memory does not grow with the number of transactions") {
  warm_up();
  Session session;
  for (int i = 0; i < 20; ++i) session.message();
  const std::size_t early = session.cost();
  session.reset_peak();
  for (int i = 0; i < 20000; ++i) session.message();
  CHECK(session.cost() <= early);
  CHECK(session.peak() < 4096);
}

TEST_CASE("memory does not grow with the number of findings") {
  warm_up();
  Session session;
  const auto one = [&] {
    session.client("MAIL FROM:<alice@example.com>\r\n");
    session.server("250 ok\r\n");
    session.client("RCPT TO:<bob@example.net>\r\n");
    session.server("250 ok\r\n");
    session.client("RSET\r\n");
    session.server("250 ok\r\n");
    session.pause(std::chrono::seconds(10));
    session.client("RSET\r\n");
    session.server("250 ok\r\n");
  };
  for (int i = 0; i < 100; ++i) one();
  const std::size_t early = session.cost();
  for (int i = 0; i < 5000; ++i) one();
  CHECK(session.cost() <= early + 256);
  CHECK(session.cost() < 24 * 1024);
}

TEST_CASE("memory does not grow with what is sent ahead of the replies") {
  warm_up();
  Session session;
  session.client("MAIL FROM:<a@example.com>\r\n");
  session.reset_peak();
  for (int i = 0; i < 20000; ++i) session.client("RCPT TO:<b@example.net>\r\n");
  for (int i = 0; i < 20000; ++i) session.client("MAIL FROM:<a@example.com>\r\n");
  CHECK(session.peak() < 1024 * 1024);
}

TEST_CASE("memory does not grow with the number of reads of a message") {
  warm_up();
  Session session;
  session.client("MAIL FROM:<a@example.com>\r\n");
  session.server("250 ok\r\n");
  session.client("RCPT TO:<b@example.net>\r\n");
  session.server("250 ok\r\n");
  session.client("DATA\r\n");
  session.server("354 go\r\n");
  session.reset_peak();
  for (int i = 0; i < 20000; ++i) session.client("a line of it\r\n");
  CHECK(session.peak() < 8 * 1024);
  session.client(".\r\n");
  session.server("250 ok\r\n");
  CHECK(session.cost() < 4 * 1024);
}

TEST_CASE("memory does not grow with the length of lines") {
  const std::string name(1000000, 'x');
  const auto speak = [&](Session& session) {
    session.client("MAIL FROM:<" + name + "@example.com>\r\n");
    session.server("550 " + name + "\r\n");
  };
  // The pattern matcher that all sessions share remembers the states which such words lead to.
  Session first;
  speak(first);
  Session session;
  session.reset_peak();
  speak(session);
  // The words of a refusal are kept, up to a kilobyte, and read once in lower case.
  CHECK(session.peak() < 12 * 1024);
}

/// Takes a session's events through sanitizer and tracker, with all rules.
class Endless : public WireSink {
 public:
  void on_wire(const WireEvent& event) override { sanitizer_.feed(event); }

 private:
  Nobody sink_;
  const RuleSet rules_;
  RunHistory history_;
  Tracker tracker_{1, rules_, history_, sink_};
  Sanitizer sanitizer_{{.keep_credentials = true}, nullptr, &tracker_};
};

TEST_CASE("memory does not grow with the length of a session, whatever is said in it") {
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    INFO("seed " << seed);
    const std::size_t before = g_live;
    Endless session;
    test::RandomSession random(seed, test::RandomSession::Length::kEndless);
    random.begin(session);
    for (int i = 0; i < 5000; ++i) random.step();
    g_peak = g_live;
    for (int i = 0; i < 10000; ++i) random.step();
    // What the parser holds behind a barrier and the history of the run are part of it.
    CHECK(g_peak - before < 1024 * 1024);
    random.end();
  }
}

}  // namespace
}  // namespace smtpscope
