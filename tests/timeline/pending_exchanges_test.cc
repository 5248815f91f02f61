#include "timeline/state/pending_exchanges.h"

#include "tests/catch.h"

namespace smtpscope {
namespace {

PendingExchange sent(Exchange exchange, std::uint64_t entry) {
  return {.exchange = exchange, .entry = entry, .first = {}, .last = {}};
}

TEST_CASE("replies find what they answer, and drop what is older") {
  PendingExchanges pending;
  for (Exchange i = 1; i <= 5; ++i) pending.add(sent(i, 10 + i));
  CHECK(pending.awaited()->entry == 11);
  CHECK(pending.answer(1)->entry == 11);
  CHECK(pending.awaited()->entry == 12);
  CHECK(pending.answer(4)->entry == 14);
  CHECK(pending.answer(2) == nullptr);
  CHECK(pending.awaited()->entry == 15);
  REQUIRE(pending.kept().size() == 2);
  CHECK(pending.kept()[0].answered);
  CHECK_FALSE(pending.kept()[1].answered);
}

TEST_CASE("an element can be answered more than once") {
  PendingExchanges pending;
  pending.add(sent(7, 1));
  CHECK(pending.answer(7) != nullptr);
  CHECK(pending.answer(7) != nullptr);
  CHECK(pending.awaited()->entry == 1);
}

TEST_CASE("a reply to nothing finds nothing and drops nothing") {
  PendingExchanges pending;
  pending.add(sent(7, 1));
  CHECK(pending.answer(kNoExchange) == nullptr);
  CHECK(pending.find(7) != nullptr);
  CHECK(pending.find(6) == nullptr);
  pending.clear();
  CHECK(pending.find(7) == nullptr);
  CHECK(pending.awaited() == nullptr);
}

TEST_CASE("the recipients of a moved transaction are numbered on") {
  PendingExchanges pending;
  PendingExchange rcpt = sent(1, 1);
  rcpt.transaction = 2;
  rcpt.recipient = 0;
  pending.add(rcpt);
  pending.add(sent(2, 2));
  pending.move_to(2, 1, 3);
  CHECK(pending.find(1)->transaction == 1);
  CHECK(pending.find(1)->recipient == 3);
  CHECK(pending.find(2)->transaction == 0);
}

TEST_CASE("beyond the limit exchanges are not remembered") {
  PendingExchanges pending;
  for (Exchange i = 0; i < 2 * PendingExchanges::kMaxKept; ++i) pending.add(sent(i, i + 1));
  CHECK(pending.answer(PendingExchanges::kMaxKept) == nullptr);
  pending.add(sent(9999999, 5));
  CHECK(pending.answer(9999999)->entry == 5);
}

}  // namespace
}  // namespace smtpscope
