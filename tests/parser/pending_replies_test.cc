#include "parser/pending_replies.h"

#include <deque>
#include <random>

#include "tests/catch.h"

using namespace smtpscope;

TEST_CASE("replies are matched in order, like neighbours as well") {
  PendingReplies pending;
  CHECK(pending.empty());
  CHECK(pending.add(Answers::kGreeting, Verb::kUnknown) == 0);
  CHECK(pending.add(Answers::kCommand, Verb::kRcpt) == 1);
  CHECK(pending.add(Answers::kCommand, Verb::kRcpt) == 2);
  CHECK(pending.add(Answers::kCommand, Verb::kData) == 3);
  CHECK(pending.owed() == 4);
  CHECK(pending.take().answers == Answers::kGreeting);
  for (const Exchange exchange : {1U, 2U}) {
    const auto answered = pending.take();
    CHECK(answered.verb == Verb::kRcpt);
    CHECK(answered.exchange == exchange);
    CHECK(answered.ordinal == 0);
    CHECK(answered.last);
  }
  CHECK(pending.take().verb == Verb::kData);
  CHECK(pending.empty());
}

TEST_CASE("one element that is owed several") {
  PendingReplies pending;
  pending.add(Answers::kEndOfData, Verb::kData, 0, 2);
  pending.add(Answers::kCommand, Verb::kQuit);
  CHECK(pending.owed() == 3);
  auto answered = pending.take();
  CHECK(answered.ordinal == 0);
  CHECK_FALSE(answered.last);
  answered = pending.take();
  CHECK(answered.exchange == 0);
  CHECK(answered.ordinal == 1);
  CHECK(answered.last);
  CHECK(pending.take().exchange == 1);
}

TEST_CASE("the oldest element turns out to be owed more, or nothing") {
  PendingReplies pending;
  pending.add(Answers::kCommand, Verb::kBdat, PendingReplies::kLastChunk);
  pending.add(Answers::kCommand, Verb::kBdat, PendingReplies::kLastChunk);
  CHECK(pending.ends_of_message() == 2);
  pending.set_oldest(3);
  CHECK(pending.owed() == 4);
  pending.set_oldest(3);
  CHECK(pending.owed() == 4);
  pending.take();
  pending.set_oldest(2);
  CHECK(pending.owed() == 2);
  CHECK(pending.take().ordinal == 1);
  pending.set_oldest(0);
  CHECK(pending.empty());
}

TEST_CASE("suspects are voided, later ones stay") {
  PendingReplies pending;
  for (int i = 0; i < 3; ++i) pending.add(Answers::kCommand, Verb::kNoop);
  CHECK_FALSE(pending.suspect());
  pending.suspect_all();
  pending.add(Answers::kCommand, Verb::kNoop);  // joins the run of the suspects
  CHECK(pending.suspect());
  pending.void_suspects();
  CHECK(pending.owed() == 1);
  CHECK(pending.take().exchange == 3);
}

TEST_CASE("lines behind a bare LF") {
  PendingReplies pending;
  pending.add(Answers::kCommand, Verb::kMail);
  pending.add(Answers::kCommand, Verb::kRcpt, PendingReplies::kBehindBareLf);
  pending.add(Answers::kCommand, Verb::kRcpt, PendingReplies::kBehindBareLf);
  CHECK_FALSE(pending.only_behind_bare_lf());
  pending.take();
  CHECK(pending.only_behind_bare_lf());
  pending.void_all();
  CHECK_FALSE(pending.only_behind_bare_lf());
}

TEST_CASE("more elements than are told apart are still counted and numbered") {
  PendingReplies pending;
  const std::size_t many = 3 * PendingReplies::kMaxRuns;
  for (std::size_t i = 0; i < many; ++i) {
    CHECK(pending.add(Answers::kCommand, i % 2 == 0 ? Verb::kNoop : Verb::kRset) == i);
  }
  for (std::size_t i = 0; i < many; ++i) {
    const auto answered = pending.take();
    REQUIRE(answered.exchange == i);
    if (i + 1 < PendingReplies::kMaxRuns) {
      REQUIRE(answered.verb == (i % 2 == 0 ? Verb::kNoop : Verb::kRset));
    }
  }
  CHECK(pending.empty());
}

TEST_CASE("it is a queue: random work agrees with a plain one") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    PendingReplies pending;
    std::deque<std::pair<Exchange, Verb>> plain;
    for (int i = 0; i < 500; ++i) {
      if (random() % 2 == 0) {
        const Verb verb = random() % 3 == 0 ? Verb::kRcpt : Verb::kMail;
        const std::uint32_t replies = random() % 4 == 0 ? 3 : 1;
        const Exchange exchange = pending.add(Answers::kCommand, verb, 0, replies);
        for (std::uint32_t k = 0; k < replies; ++k) plain.emplace_back(exchange, verb);
      } else if (!plain.empty()) {
        const auto answered = pending.take();
        REQUIRE(answered.exchange == plain.front().first);
        REQUIRE(answered.verb == plain.front().second);
        plain.pop_front();
      }
      REQUIRE(pending.owed() == plain.size());
    }
  }
}
