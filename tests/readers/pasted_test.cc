// What people paste: each text of tests/readers/pasted, read as open_source() reads it. NAME.told
// has what is to come of NAME.txt; with SMTPSCOPE_APPROVE in the environment it is written instead.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/octets.h"
#include "readers/reader_list.h"
#include "readers/text/omission.h"
#include "readers/text/paste_plan.h"
#include "tests/catch.h"
#include "tests/readers/told_log.h"

using namespace smtpscope;

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<fs::path> samples() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(SMTPSCOPE_SOURCE_DIR "/tests/readers/pasted")) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string told_in_lines(const std::string& text) {
  std::string lines = fmt::format("format {}\n", format_of(octets_of(text)));
  const ToldLog told = tell_text(text);
  for (const std::string& line : told.lines) lines += line + "\n";
  for (const SourceNotice& notice : told.notices) {
    // The year of a stamp without one is that of the day of the test.
    const std::string said = notice.text.substr(0, notice.text.find(" and no year"));
    lines += fmt::format("notice {}\n", said);
  }
  return lines;
}

std::vector<std::string> unwrapped(const std::string& text) {
  PastePlan plan = PastePlan::of(text);
  std::vector<std::string> lines;
  std::string rest = plan.unwrapped(text);
  for (std::size_t at = 0; at < rest.size();) {
    const std::size_t end = rest.find('\n', at);
    lines.push_back(rest.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("pasted texts") {
  for (const fs::path& path : samples()) {
    INFO(path.stem().string());
    fs::path golden = path;
    golden.replace_extension(".told");
    const std::string told = told_in_lines(content(path));
    if (std::getenv("SMTPSCOPE_APPROVE") != nullptr) std::ofstream(golden) << told;
    CHECK(told == content(golden));
  }
}

TEST_CASE("a text that went through other hands tells the same") {
  for (const fs::path& path : samples()) {
    const std::string text = content(path);
    const std::string name = path.stem().string();
    INFO(name);
    // Those that have something around them already, or whose line ends are part of the format.
    if (name.find("general") != std::string::npos || name.find("container") != std::string::npos ||
        name.find("recordio") != std::string::npos || name.ends_with("-json")) {
      continue;
    }
    const Lines whole = tell_text(text).lines;
    const auto around = [&](const std::string& before_each, const std::string& before,
                            const std::string& after) {
      std::string changed = before;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        changed += before_each + text.substr(at, end - at) + "\r\n";
        at = end + 1;
      }
      return changed + after;
    };
    CHECK(tell_text(around("", "", "")).lines == whole);
    CHECK(tell_text(around("", "Hello,\n\n```text\n", "```\nThanks\n")).lines == whole);
    CHECK(tell_text(around("web-1  | ", "", "")).lines == whole);
    CHECK(tell_text(around("/var/log/app.log:", "", "")).lines == whole);
  }
}

TEST_CASE("an error alone is a server that could not be reached") {
  struct Error {
    std::string text;
    std::string server;
  };
  const std::vector<Error> errors = {
      {"ConnectionRefusedError: [Errno 111] Connection refused", ""},
      {"socket.gaierror: [Errno -2] Name or service not known", ""},
      {"OSError: [Errno 113] No route to host", ""},
      {"TimeoutError: [Errno 110] Connection timed out", ""},
      {"curl: (7) Failed to connect to mx.example.net port 587 after 3 ms: Connection refused",
       "mx.example.net:587"},
      {"curl: (7) Failed to connect to mx.example.net port 587 after 3 ms: Couldn't connect to "
       "server",
       "mx.example.net:587"},
      {"curl: (6) Could not resolve host: nowhere.example", "nowhere.example"},
      {"msmtp: cannot connect to mx.example.net, port 25: Connection refused", "mx.example.net:25"},
      {"msmtp: cannot locate host nowhere.example: Name or service not known", "nowhere.example"},
      {"Error: connect ECONNREFUSED 192.0.2.25:587", "192.0.2.25:587"},
      {"Error: getaddrinfo ENOTFOUND nowhere.example", "nowhere.example"},
      {"dial tcp [2001:db8::25]:587: connect: connection refused", "[2001:db8::25]:587"},
      {"dial tcp: lookup nowhere.example: no such host", "nowhere.example"},
      {"java.net.UnknownHostException: nowhere.example", "nowhere.example"},
      {"Trying 192.0.2.26...\ntelnet: Unable to connect to remote host: Connection refused",
       "192.0.2.26"},
      {"nc: connect to 192.0.2.25 port 25 (tcp) failed: Connection refused", "192.0.2.25:25"},
      {"SMTP ERROR: Failed to connect to server: Connection refused (111)", ""},
      {"fsockopen(): unable to connect to ssl://mx.example.net:465 (Connection timed out)",
       "mx.example.net:465"},
      {"No connection could be made because the target machine actively refused it. "
       "192.0.2.25:587",
       "192.0.2.25:587"},
      {"=== Trying 192.0.2.25:25...\n*** Error connecting to 192.0.2.25:25:\n*** "
       "\tIO::Socket::INET6: connect: Connection refused",
       "192.0.2.25:25"},
  };
  for (const Error& error : errors) {
    INFO(error.text);
    const Lines told = tell_text(error.text + "\n").lines;
    REQUIRE(told.size() == 3);
    const std::string opened = told[0].substr(told[0].find("open ") + 5);
    CHECK(opened.substr(opened.find("> ") + 2) == error.server);
    CHECK(told[1].find(" unconnected: ") != std::string::npos);
  }
  // Another service's.
  CHECK(format_of(octets_of("connect ECONNREFUSED 127.0.0.1:5432\n")).empty());
}

TEST_CASE("stamps behind an error without one tell how far they are apart") {
  const Lines told =
      tell_text(
          "ConnectionRefusedError: [Errno 111] Connection refused\n\n"
          "2024/05/01 10:00:00 dial tcp 192.0.2.25:25: connect: connection refused\n"
          "2024/05/01 10:00:05 dial tcp 192.0.2.26:25: connect: connection refused\n")
          .lines;
  REQUIRE(told.size() == 9);
  CHECK(told[3].starts_with("2 +0.000 open"));
  CHECK(told[6].starts_with("3 +5.000 open"));
}

TEST_CASE("quotes and indentation come off only where they are such") {
  CHECK(unwrapped("> S: 220 mx\n> C: QUIT\n> S: 221 bye\n") ==
        Lines{"S: 220 mx", "C: QUIT", "S: 221 bye"});
  CHECK(unwrapped("> > 220 mx\n> > QUIT\n> > 221 bye\n") == Lines{"220 mx", "QUIT", "221 bye"});
  const Lines curl = {"< 220 mx", "> QUIT", "< 221 bye"};
  CHECK(unwrapped("< 220 mx\n> QUIT\n< 221 bye\n") == curl);
  CHECK(unwrapped("Look:\n\n    220 mx\n    QUIT\n    221 bye\n") ==
        Lines{"Look:", "", "220 mx", "QUIT", "221 bye"});
  CHECK(unwrapped("  SMTP<< 250-mx\n         250 HELP\n  SMTP>> QUIT\n").at(1) ==
        "         250 HELP");
}

TEST_CASE("what shows that lines were left out") {
  for (const std::string line : {"...", " [...] ", "(…)", "[snip]", "<snip>", "-- snipped --",
                                 "... 12 lines omitted ...", "[output truncated]"}) {
    INFO(line);
    CHECK(marks_omission(line));
  }
  for (const std::string line : {"", ".", "..", "---", "====", "cut", "snip", "[8]", "(waits)",
                                 "... and so on", "250-..."}) {
    INFO(line);
    CHECK(!marks_omission(line));
  }
}
