// A live timeline whose reader is too slow has a mark where it has a hole.

#include "trace/background_output.h"

#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "exporters/exporter.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

std::string hole(std::uint64_t octets) { return "<" + std::to_string(octets) + " missing>\n"; }

}  // namespace

TEST_CASE("what is dropped leaves a mark that says how much it was") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::string got;
  std::vector<std::string> taken;
  std::uint64_t dropped = 0;
  {
    BackgroundOutput output(ends[1], hole);
    const auto write = [&](const std::string& line) {
      output.write(line);
      const bool fits = output.dropped() == dropped;
      dropped = output.dropped();
      if (fits) taken.push_back(line);
      return fits;
    };
    int n = 0;
    const auto next = [&] { return std::to_string(n++) + std::string(1000, '.') + "\n"; };
    while (write(next())) {
    }
    for (int i = 0; i < 10; ++i) CHECK(!write(next()));
    const std::uint64_t first_hole = dropped;
    std::thread reader([&] {
      char buffer[65536];
      for (ssize_t size = 1; size > 0;) {
        size = ::read(ends[0], buffer, sizeof buffer);
        if (size > 0) got.append(buffer, static_cast<std::size_t>(size));
      }
    });
    // There is room again as soon as the thread has noted it.
    while (!write(next())) std::this_thread::yield();
    CHECK(dropped >= first_hole);
    taken.insert(taken.end() - 1, hole(dropped));
    write("last\n");
    output.close();
    CHECK(output.dropped() == dropped);
    ::close(ends[1]);
    reader.join();
  }
  ::close(ends[0]);
  std::string expected;
  for (const std::string& line : taken) expected += line;
  CHECK((got == expected));
}

TEST_CASE("formats for live runs have words for a hole, and no others are for them") {
  CHECK(find_exporter("jsonl")->hole(17) == "{\"event\":\"output-gap\",\"octets\":17}\n");
  CHECK(find_exporter("text")->hole(17).find("17 octets of this timeline are missing here") !=
        std::string::npos);
  for (const char* document : {"json", "pcapng", "eml"}) {
    CHECK(find_exporter(document)->hole == nullptr);
  }
}
