#include "timeline/state/envelope_hash.h"

#include "tests/catch.h"

namespace smtpscope {
namespace {

TEST_CASE("envelopes are equal but for the case of domains") {
  const auto envelope = [](const char* from, const char* first, const char* second) {
    return with_recipient(with_recipient(sender_hash(from), first), second);
  };
  const std::uint64_t hash = envelope("a@example.com", "b@example.net", "c@example.net");
  CHECK(hash == envelope("a@EXAMPLE.com", "b@example.NET", "c@example.net"));
  CHECK(hash != envelope("A@example.com", "b@example.net", "c@example.net"));
  CHECK(hash != envelope("a@example.com", "c@example.net", "b@example.net"));
  CHECK(hash != envelope("a@example.com", "b@example.netc", "@example.net"));
  CHECK(hash != with_recipient(sender_hash("a@example.com"), "b@example.net"));
}

TEST_CASE("a quoted @ begins no domain") {
  CHECK(sender_hash("\"a@B\"@c") != sender_hash("\"a@b\"@c"));
  CHECK(sender_hash("\"a@b\"@C") == sender_hash("\"a@b\"@c"));
}

}  // namespace
}  // namespace smtpscope
