// Parts written by several threads come out as if one had written them.

#include "cli/output_order.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.h"

using namespace smtpscope;

namespace {

class Text : public Output {
 public:
  void write(std::string_view text) override { all += text; }
  std::string all;
};

}  // namespace

TEST_CASE("parts go out in the order of their numbers, whoever is first") {
  Text text;
  OutputOrder order(text);
  std::string told;
  order.write(1, "second ");
  order.write(2, "third ");
  order.end(2, [&] { told += text.all + "|"; });
  CHECK(text.all.empty());
  order.write(0, "first ");
  CHECK(text.all == "first ");
  order.end(0, [&] { told += text.all + "|"; });
  order.write(1, "more ");
  CHECK(text.all == "first second more ");
  order.end(1, [&] { told += text.all + "|"; });
  CHECK(text.all == "first second more third ");
  // Each is told of when it is out, before the next.
  CHECK(told == "first |first second more |first second more third |");
}

TEST_CASE("many threads, more text than may wait") {
  constexpr std::size_t kParts = 24;
  constexpr std::size_t kLines = 2000;
  const std::string filling(1000, '.');
  Text text;
  OutputOrder order(text);
  std::atomic<std::size_t> next{0};
  std::vector<std::size_t> ended;
  const auto work = [&] {
    for (std::size_t part = next++; part < kParts; part = next++) {
      OrderedPart output(order, part);
      for (std::size_t i = 0; i < kLines; ++i) {
        output.write(std::to_string(part) + filling + "\n");
      }
      order.end(part, [&ended, part] { ended.push_back(part); });
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();

  std::string expected;
  std::vector<std::size_t> all;
  for (std::size_t part = 0; part < kParts; ++part) {
    for (std::size_t i = 0; i < kLines; ++i) expected += std::to_string(part) + filling + "\n";
    all.push_back(part);
  }
  CHECK((text.all == expected));  // not printed when it fails: it is 48 MB
  CHECK(ended == all);
}
