#include "timeline/state/run_history.h"

#include <string>

#include "tests/catch.h"

namespace smtpscope {
namespace {

Time second(int seconds) { return Time{std::chrono::seconds(seconds)}; }

MessageRecord message(std::uint64_t digest, std::uint64_t recipient, int ended) {
  MessageRecord record{.session = 1, .ended = second(ended), .digest = digest, .octets = 100};
  record.recipients[0] = recipient;
  record.recipient_count = 1;
  return record;
}

TEST_CASE("sessions of a client are counted, open ones and the most at a time") {
  RunHistory history;
  history.session_opened("192.0.2.1", second(1));
  history.session_opened("192.0.2.1", second(2));
  history.session_closed("192.0.2.1");
  history.session_opened("192.0.2.2", second(3));
  const ClientRecord* client = history.find_client("192.0.2.1");
  REQUIRE(client != nullptr);
  CHECK(client->sessions == 2);
  CHECK(client->open == 1);
  CHECK(client->most_open == 2);
  CHECK(client->opened(0) == second(2));
  CHECK(client->opened(1) == second(1));
  CHECK(history.find_client("192.0.2.3") == nullptr);
}

TEST_CASE("the client that was seen longest ago is forgotten first") {
  RunHistory history;
  for (std::size_t i = 0; i < RunHistory::kMaxClients; ++i) history.client(std::to_string(i));
  history.client("0");  // seen again
  history.client("one more");
  CHECK(history.find_client("0") != nullptr);
  CHECK(history.find_client("1") == nullptr);
  CHECK(history.find_client("one more") != nullptr);
  history.session_closed("1");  // was forgotten: no number falls below zero
  CHECK(history.find_client("1")->open == 0);
}

TEST_CASE("a message is found again by content or Message-ID, with a recipient in common") {
  RunHistory history;
  history.add_message(message(7, 100, 10));
  CHECK(history.find_duplicate(message(7, 100, 20), second(0)) != nullptr);
  CHECK(history.find_duplicate(message(7, 101, 20), second(0)) == nullptr);
  CHECK(history.find_duplicate(message(8, 100, 20), second(0)) == nullptr);
  CHECK(history.find_duplicate(message(7, 100, 20), second(11)) == nullptr);  // too long ago
  MessageRecord other = message(8, 100, 20);
  other.message_id = 5;
  CHECK(history.find_duplicate(other, second(0)) == nullptr);
  history.add_message(other);
  MessageRecord again = message(9, 100, 30);
  again.message_id = 5;
  REQUIRE(history.find_duplicate(again, second(0)) != nullptr);
  CHECK(history.find_duplicate(again, second(0))->ended == second(20));
}

TEST_CASE("no more messages and deferrals are kept than said") {
  RunHistory history;
  for (std::size_t i = 0; i < RunHistory::kMaxMessages; ++i) {
    history.add_message(message(i, 100, static_cast<int>(i)));
  }
  CHECK(history.find_duplicate(message(0, 100, 0), second(0)) != nullptr);
  history.add_message(message(10'000, 100, 10'000));
  CHECK(history.find_duplicate(message(0, 100, 0), second(0)) == nullptr);

  for (std::size_t i = 0; i <= RunHistory::kMaxDeferrals; ++i) {
    history.add_deferral(
        {.triple = i, .session = i, .time = second(static_cast<int>(i)), .code = 451});
  }
  CHECK(history.find_deferral(0) == nullptr);
  CHECK(history.find_deferral(1) != nullptr);
  history.add_deferral({.triple = 1, .session = 9, .time = second(99'999), .code = 450});
  CHECK(history.find_deferral(1)->session == 9);
}

TEST_CASE("a server's offer is remembered by its name") {
  RunHistory history;
  CHECK(history.find_server("mx.example:25") == nullptr);
  history.server("mx.example:25").starttls_session = 4;
  CHECK(history.find_server("mx.example:25")->starttls_session == 4);
  for (std::size_t i = 0; i < 2 * RunHistory::kMaxServers; ++i) history.server(std::to_string(i));
  history.server("mx.example:25");
  CHECK(history.find_server("mx.example:25") != nullptr);
}

}  // namespace
}  // namespace smtpscope
