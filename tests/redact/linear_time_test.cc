// Whatever a peer says, redacting it takes time in proportion to its size.

#include <time.h>

#include <algorithm>
#include <random>
#include <string>

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/redact/redacted.h"

namespace smtpscope::test {
namespace {

/// Processor time of this thread, which other work on the machine does not change.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The seconds that two passes and the check take for one line of a side; the best of three.
double seconds_for(Side side, const std::string& line) {
  std::vector<EventCopy> events;
  std::int64_t ns = 0;
  const auto add = [&](const auto& body) { events.emplace_back(WireEvent{1, at_ns(++ns), body}); };
  const auto say = [&](Side from, std::string_view text) {
    constexpr std::size_t kRead = 16 * 1024;
    for (; !text.empty(); text.remove_prefix(std::min(kRead, text.size()))) {
      Bytes bytes;
      bytes.from = from;
      bytes.head = octets_of(text.substr(0, kRead));
      add(bytes);
    }
  };
  add(SessionOpened{"10.17.3.9:50114", "10.17.3.1:2525", "mx.kestrel-mail.de:25"});
  say(Side::kServer, "220 mx.kestrel-mail.de ESMTP\r\n");
  say(Side::kClient, "EHLO ws17\r\n");
  say(Side::kServer, "250 ok\r\n");
  say(side, line + "\r\n");
  add(SessionEnded{});
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double begin = processor_seconds();
    const Redacted redacted(events, BodyPolicy::kDrop);
    best = std::min(best, processor_seconds() - begin);
    CHECK(redacted.list.events().size() == events.size());
  }
  return best;
}

std::string repeated(std::string_view piece, std::size_t octets) {
  std::string text;
  while (text.size() < octets) text += piece;
  return text;
}

std::string random_octets(std::size_t octets) {
  std::mt19937 random(7);
  std::string text(octets, '\0');
  for (char& c : text) {
    do {
      c = static_cast<char>(random() % 256);
    } while (c == '\n');
  }
  return text;
}

/// Of four times as much: 4 where time is linear, 16 where it is quadratic.
void check_linear(Side side, const std::string& once, const std::string& four_times) {
  const double small = seconds_for(side, once);
  const double large = seconds_for(side, four_times);
  INFO(small << " s, four times as much " << large << " s");
  CHECK(large < small * 9);
}

constexpr std::size_t kOnce = 12'000;

}  // namespace

TEST_CASE("a long line of any kind takes linear time") {
  for (const char* piece :
       {"ab-1", "ab-", "a.", "1.2.3.4-", "a@",   "@",  "a/",  "=",        "[",         "a@[",
        ":",    "1:",  "::", "+1 ",      "a b ", "(1", "x=?", "\xc3\xbc", "abcdefgh ", "-"}) {
    for (const Side side : {Side::kClient, Side::kServer}) {
      INFO(piece << " from the " << to_string(side));
      check_linear(side, repeated(piece, kOnce), repeated(piece, 4 * kOnce));
    }
  }
}

TEST_CASE("random octets take linear time") {
  for (const Side side : {Side::kClient, Side::kServer}) {
    check_linear(side, random_octets(kOnce), random_octets(4 * kOnce));
  }
}

TEST_CASE("many names take linear time") {
  const auto names = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "user" + std::to_string(i) + "@kestrel.de ";
    return text;
  };
  check_linear(Side::kServer, names(1000), names(4000));
}

}  // namespace smtpscope::test
