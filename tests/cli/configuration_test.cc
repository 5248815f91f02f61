#include "cli/configuration.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace smtpscope {
namespace {

/// A command line with an option of each kind.
struct Line {
  CLI::App app{"", "proxy"};
  std::string upstream, tls, web;
  std::vector<std::string> listen, silence = {"5s"};
  bool xclient = false;
  std::string configuration;

  Line() {
    app.add_option("--upstream", upstream);
    app.add_option("--tls", tls)->check(CLI::IsMember({"pass", "strip"}));
    app.add_option("--upstream-tls", tls);
    app.add_option("--web", web)->expected(0, 1)->default_str("8625");
    app.add_option("--listen", listen)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--silence", silence)->delimiter(',');
    app.add_flag("--xclient", xclient);
    app.add_option("--config", configuration);
  }

  /// What is wrong with `text`, or "".
  std::string apply(std::string_view text, std::vector<std::string> typed = {}) {
    std::vector<std::string> reversed(typed.rbegin(), typed.rend());
    app.parse(reversed);
    auto file = Configuration::parse("a.conf", text);
    if (!file) return file.error().message;
    const auto applied = file.value().main().apply(app);
    return applied ? "" : applied.error().message;
  }
};

TEST_CASE("a configuration gives options their values", "[configuration]") {
  Line line;
  REQUIRE(line.apply("# a comment\r\n"
                     "\n"
                     "  upstream = unix:/run/a, b \"c\" # d  \r\n"
                     "listen=25\n"
                     "listen = [::1]:587\n"
                     "; another\n"
                     "xclient = yes\n"
                     "silence = 1s,2s\n"
                     "web\n"
                     "tls = strip") == "");
  CHECK(line.upstream == "unix:/run/a, b \"c\" # d");
  CHECK(line.listen == std::vector<std::string>{"25", "[::1]:587"});
  CHECK(line.xclient);
  CHECK(line.silence == std::vector<std::string>{"1s", "2s"});
  CHECK(line.web == "8625");
  CHECK(line.tls == "strip");
}

TEST_CASE("a flag of a configuration", "[configuration]") {
  for (const char* on : {"xclient", "xclient = on", "xclient=true"}) {
    Line line;
    CHECK(line.apply(on) == "");
    CHECK(line.xclient);
  }
  for (const char* off : {"xclient = no", "xclient = false", "xclient=off"}) {
    Line line;
    CHECK(line.apply(off) == "");
    CHECK_FALSE(line.xclient);
  }
  CHECK(Line().apply("\nxclient = maybe") == "a.conf:2:11: xclient: 'maybe' is neither yes nor no");
}

TEST_CASE("the command line counts more than a configuration", "[configuration]") {
  Line line;
  REQUIRE(line.apply("listen = 25\nlisten = 26\nupstream = a\nweb = 80",
                     {"--listen", "1", "--upstream", "b"}) == "");
  CHECK(line.listen == std::vector<std::string>{"1"});
  CHECK(line.upstream == "b");
  CHECK(line.web == "80");
}

TEST_CASE("what is wrong with a configuration is told with its line", "[configuration]") {
  CHECK(Line().apply("\n\nlisen = 25") ==
        "a.conf:3:1: there is no option 'lisen'. Did you mean 'listen'?");
  CHECK(Line().apply("--upstream = a") ==
        "a.conf:1:1: there is no option '--upstream'. Did you mean 'upstream'?");
  CHECK(Line().apply("zzzzzzz = 1") ==
        "a.conf:1:1: there is no option 'zzzzzzz'; 'smtpscope help proxy' lists them");
  CHECK(Line().apply("config = b.conf") ==
        "a.conf:1:1: 'config' can only stand on the command line");
  CHECK(Line().apply("= 1") == "a.conf:1:1: there is no name before the '='");
  CHECK(Line().apply("upstream = a\nupstream = b") ==
        "a.conf:2:1: upstream is given a second time; the first is in line 1");
  CHECK(Line().apply("upstream =").starts_with("a.conf:1:1: upstream needs a value"));
  CHECK(Line().apply("upstream").starts_with("a.conf:1:1: upstream needs a value"));
  CHECK(Line().apply("upstream = a\ntls = intrcept").starts_with("a.conf:2:7: --tls: "));
  CHECK(Line().apply("[somewhere]") ==
        "a.conf:1:1: there is no section '[somewhere]'; write [route NAME]");
}

TEST_CASE("the line of what is found out later", "[configuration]") {
  Line line;
  line.app.parse(std::vector<std::string>{});
  auto read =
      Configuration::parse("a.conf", "upstream-tls = x\ntls = pass\nlisten = 25\nlisten = 2x");
  REQUIRE(read);
  REQUIRE(read.value().main().apply(line.app));
  const auto placed = [&](const char* words) {
    return read.value().main().placed({words}).message;
  };
  CHECK(placed("--tls: is not that") == "a.conf:2:7: --tls: is not that");
  CHECK(placed("cannot listen on '2x': no") == "a.conf:4:10: cannot listen on '2x': no");
  CHECK(placed("--listen: '2x' is no port") == "a.conf:4:10: --listen: '2x' is no port");
  CHECK(placed("nothing of it") == "a.conf: nothing of it");
}

TEST_CASE("sections of routes", "[configuration]") {
  auto read = Configuration::parse("a.conf",
                                   "tls = strip\n"
                                   "[route mx]\n"
                                   "  listen = 25\n"
                                   "\t[ route\tsub-mission_2 ]\n"
                                   "listen = 587\n"
                                   "listen = 588\n");
  REQUIRE(read);
  Configuration& file = read.value();
  REQUIRE(file.routes().size() == 2);
  CHECK(file.routes()[0].name() == "mx");
  CHECK(file.routes()[1].name() == "sub-mission_2");
  Line whole, mx, submission;
  for (Line* line : {&whole, &mx, &submission}) line->app.parse(std::vector<std::string>{});
  REQUIRE(file.main().apply(whole.app));
  REQUIRE(file.routes()[0].apply(mx.app));
  REQUIRE(file.routes()[1].apply(submission.app));
  CHECK(whole.tls == "strip");
  CHECK(whole.listen.empty());
  CHECK(mx.listen == std::vector<std::string>{"25"});
  CHECK(mx.tls.empty());
  CHECK(submission.listen == std::vector<std::string>{"587", "588"});
  // Errors have the place in their own section, or that of its head.
  CHECK(file.routes()[0].placed({"--listen: no"}).message == "a.conf:3:12: route mx: --listen: no");
  CHECK(file.routes()[1].placed({"'588' is no port"}).message ==
        "a.conf:6:10: route sub-mission_2: '588' is no port");
  CHECK(file.routes()[1].placed({"--tls: no"}).message ==
        "a.conf:4:2: route sub-mission_2: --tls: no");
  CHECK(file.main().each_placed({"--tls: no\nnothing"}).message ==
        "a.conf:1:7: --tls: no\na.conf: nothing");
}

TEST_CASE("what is wrong with sections of routes", "[configuration]") {
  const auto fault = [](std::string_view text) {
    auto read = Configuration::parse("a.conf", text);
    return read ? std::string() : read.error().message;
  };
  CHECK(fault("\n [router a]") ==
        "a.conf:2:2: there is no section '[router a]'; write [route NAME]");
  CHECK(fault("[route a").starts_with("a.conf:1:1: there is no section '[route a'"));
  CHECK(fault("[]").starts_with("a.conf:1:1: there is no section '[]'"));
  for (const std::string name : {"", "a b", "a.tls", "\xc3\xa4", "../a"}) {
    CHECK(fault("[route " + name + "]")
              .starts_with("a.conf:1:1: '" + name + "' is no name of a route: give up to 32"));
  }
  CHECK(fault("[route " + std::string(33, 'a') + "]").find("no name of a route") !=
        std::string::npos);
  CHECK(fault("[route " + std::string(32, 'a') + "]").empty());
  CHECK(fault("[route a]\n\n[route b]\n[route a]") ==
        "a.conf:4:1: route a is given a second time; the first is in line 1");
  CHECK(fault("[route a]\n = 1") == "a.conf:2:2: there is no name before the '='");
}

TEST_CASE("an option may be for another section", "[configuration]") {
  const auto why_not = [](std::string_view name) {
    return name == "upstream" ? std::string("put it elsewhere") : std::string();
  };
  auto read = Configuration::parse("a.conf", "tls = pass\n  upstream = a");
  REQUIRE(read);
  Line line;
  line.app.parse(std::vector<std::string>{});
  const auto applied = read.value().main().apply(line.app, why_not);
  REQUIRE_FALSE(applied);
  CHECK(applied.error().message == "a.conf:2:3: put it elsewhere");
}

TEST_CASE("a configuration that cannot be read", "[configuration]") {
  CHECK(Configuration::read("/nonexistent/a.conf").error().message ==
        "cannot read /nonexistent/a.conf: No such file or directory");
  CHECK(Configuration::read("/").error().message == "cannot read /: Is a directory");
  CHECK_FALSE(Configuration::read("/dev/zero"));
}

}  // namespace
}  // namespace smtpscope
