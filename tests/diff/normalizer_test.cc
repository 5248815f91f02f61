#include "diff/runs/normalizer.h"

#include "tests/catch.h"

namespace smtpscope {
namespace {

Normalizers normalizers(const Normalizers::Options& options = {}) {
  Result<Normalizers> made = Normalizers::make(options);
  REQUIRE(made.ok());
  return std::move(made.value());
}

std::string reply(std::string_view text) { return normalizers().apply(text, kInReply).text; }
std::string header(std::string_view text) { return normalizers().apply(text, kInHeader).text; }

TEST_CASE("what servers say of a message that they took") {
  CHECK(reply("250 2.0.0 Ok: queued as 4F1B2A0C3D") == "250 2.0.0 Ok: queued as <queue-id>");
  CHECK(reply("250 2.0.0 Ok: queued as 4cZxYQ1hBvz3r9") == "250 2.0.0 Ok: queued as <queue-id>");
  CHECK(reply("250 OK id=1rABcd-000123-4E") == "250 OK id=<queue-id>");
  CHECK(reply("250 2.0.0 3AO9x1Yz012345 Message accepted for delivery") ==
        "250 2.0.0 <queue-id> Message accepted for delivery");
  CHECK(reply("250 ok 1700000000 qp 12345") == "250 ok <time-stamp> qp <process-id>");
  CHECK(reply("250 2.0.0 <bob@example.net> kP5qGzJcR2VkAAAA8xQ Saved") ==
        "250 2.0.0 <bob@example.net> <queue-id> Saved");
  CHECK(reply("250 2.6.0 <a1@x.example> [InternalId=4711, Hostname=h.example] Queued mail for "
              "delivery") ==
        "250 2.6.0 <message-id> [InternalId=<queue-id>, Hostname=h.example] Queued mail for "
        "delivery");
  CHECK(reply("250 2.0.0 OK  1700000000 x13-20020a05si123456wmj.60 - gsmtp") ==
        "250 2.0.0 OK  <time-stamp> <session-id> - gsmtp");
}

TEST_CASE("what servers say in greetings") {
  CHECK(reply("220 mx.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000") ==
        "220 mx.example ESMTP Exim 4.96 <date>");
  CHECK(reply("220 mx.example ESMTP 5b1f17b1804b1-45f00a00a00si1 - gsmtp") ==
        "220 mx.example ESMTP <session-id> - gsmtp");
  CHECK(reply("220 mx.example ESMTP Postfix") == "220 mx.example ESMTP Postfix");
  CHECK(reply("250-mx Hello ws1 [192.0.2.10]:50114, pleased to meet you") ==
        "250-mx Hello ws1 [192.0.2.10]:<port>, pleased to meet you");
  CHECK(reply("334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+") == "334 <challenge>");
  CHECK(reply("334 VXNlcm5hbWU6") == "334 VXNlcm5hbWU6");
}

TEST_CASE("what a client writes into each message") {
  CHECK(header("Date: Tue, 24 Nov 2026 10:00:00 +0100 (CET)") == "Date: <date>");
  CHECK(header("Subject: test Tue, 24 Nov 2026 10:00:00 +0000") == "Subject: test <date>");
  CHECK(header("Message-Id: <20261124100000.012345@ws1>") == "Message-Id: <message-id>");
  CHECK(header("Content-Type: multipart/mixed; boundary=\"=-abc\"; x=y") ==
        "Content-Type: multipart/mixed; boundary=\"<boundary>\"; x=y");
  CHECK(header("\tboundary=abc123") == "\tboundary=<boundary>");
  CHECK(header("Received: by ws1 (sSMTP sendmail emulation); Tue, 24 Nov 2026 10:00:00 +0000") ==
        "Received: by ws1 (sSMTP sendmail emulation); <date>");
  CHECK(header("To: bob@example.net") == "To: bob@example.net");
}

TEST_CASE("what was set aside is told") {
  const NormalizedText text =
      normalizers().apply("250 OK id=1rABcd-000123-4E at 2026-11-24T10:00:00Z", kInReply);
  CHECK(text.text == "250 OK id=<queue-id> at <date>");
  REQUIRE(text.values.size() == 2);
  CHECK(text.values[0].normalizer == "date");
  CHECK(text.values[0].value == "2026-11-24T10:00:00Z");
  CHECK(text.values[1].value == "1rABcd-000123-4E");
}

TEST_CASE("a place that is not concerned is left alone") {
  CHECK(normalizers().apply("queued as 4F1B2A0C3D", kInBody).text == "queued as 4F1B2A0C3D");
  CHECK(normalizers().apply("MAIL FROM:<id=1@example.com>", kInCommand).text ==
        "MAIL FROM:<id=1@example.com>");
}

TEST_CASE("each can be switched off") {
  const Normalizers some = normalizers({.off = {"queue-id"}, .ignore = {}});
  CHECK(some.apply("250 queued as ABC at 2026-11-24T10:00:00Z", kInReply).text ==
        "250 queued as ABC at <date>");
  CHECK_FALSE(some.is_on("queue-id"));
  CHECK(some.is_on("date"));
  const Normalizers none = normalizers({.off = {"all"}, .ignore = {}});
  CHECK(none.apply("250 queued as ABC", kInReply).text == "250 queued as ABC");
  CHECK_FALSE(none.is_on(kEhloOrder));
}

TEST_CASE("the user's expressions set aside their first group, or all they match") {
  const Normalizers own = normalizers({.off = {}, .ignore = {"ticket (\\d+)", "x+"}});
  CHECK(own.apply("250 ticket 123 xxx, ticket 4", kInReply).text ==
        "250 ticket <ignored> <ignored>, ticket <ignored>");
  CHECK(own.apply("xx", kInBody).text == "<ignored>");
  // An expression that matches nothing at all must not loop.
  CHECK(normalizers({.off = {}, .ignore = {"y*"}}).apply("abc", kInBody).text == "abc");
}

TEST_CASE("wrong options are errors that say what is wrong") {
  const Result<Normalizers> name = Normalizers::make({.off = {"queue"}, .ignore = {}});
  REQUIRE_FALSE(name.ok());
  CHECK(name.error().message.find("\"queue\"") != std::string::npos);
  CHECK(name.error().message.find("queue-id") != std::string::npos);
  const Result<Normalizers> expression = Normalizers::make({.off = {}, .ignore = {"a(b"}});
  REQUIRE_FALSE(expression.ok());
  CHECK(expression.error().message.find("\"a(b\"") != std::string::npos);
}

TEST_CASE("octets that are no text do no harm") {
  CHECK(reply(std::string_view("250 \0\xff\x80 queued as A1", 21)) ==
        std::string("250 \0\xff\x80 queued as <queue-id>", 29));
}

}  // namespace
}  // namespace smtpscope
