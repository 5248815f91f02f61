#include "proxy/sink/demo_client.h"

#include <string>

#include "tests/proxy/proxy_fixture.h"

namespace smtpscope {
namespace {

class DemoEnd : public DemoEvents {
 public:
  void on_demo_over(std::string_view why) override {
    over = true;
    failure = why;
  }
  bool over = false;
  std::string failure;
};

}  // namespace

TEST_CASE("the demo client plays the origin story to the sink", "[demo]") {
  ProxyFixture run;
  run.options.upstream = parse_upstream("sink").value();
  run.start();
  DemoEnd end;
  DemoClient client(*run.loop, run.address, std::chrono::milliseconds(1), end);
  client.start();
  run.run_until([&] { return end.over; });
  CHECK(end.failure == "");
  run.run_until_ended();
  const std::string& said = run.seen().octets[index(Side::kClient)];
  CHECK(
      said.find("RCPT TO:<bob@example.net>\r\nRSET\r\nRSET\r\nMAIL FROM:<alice@example.com>\r\n") !=
      std::string::npos);
  CHECK(said.ends_with("\r\n.\r\nQUIT\r\n"));
  run.proxy->stop();
  CHECK(run.proxy->totals().discarded == 1);
}

TEST_CASE("the demo client says why it failed", "[demo]") {
  ProxyFixture run;
  run.start();
  DemoEnd end;
  DemoClient client(*run.loop, run.address, std::chrono::milliseconds(1), end);
  client.start();
  run.run_until([&] { return (run.server = run.server_listener->accept()).is_open(); });
  SECTION("an unexpected reply") {
    run.server.send("554 no\r\n");
    run.run_until([&] { return end.over; });
    CHECK(end.failure == "the server answered 554 where 2yz was expected");
  }
  SECTION("a close") {
    run.server.send("220 mx\r\n");
    run.run_until([&] { return !run.server.received.empty(); });
    CHECK(run.server.received == "EHLO ws1.example.com\r\n");
    run.server.reset();
    run.run_until([&] { return end.over; });
    CHECK(end.failure == "the connection broke");
  }
}

}  // namespace smtpscope
