#include "tests/parser/expect_items.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/catch.h"

namespace smtpscope::test {
namespace {

std::string side_by_side(const std::vector<std::string>& expected,
                         const std::vector<std::string>& actual) {
  std::string result = "  expected / actual\n";
  for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
    const std::string want = i < expected.size() ? expected[i] : "(nothing)";
    const std::string got = i < actual.size() ? actual[i] : "(nothing)";
    result +=
        want == got ? fmt::format("    {}\n", got) : fmt::format("  - {}\n  + {}\n", want, got);
  }
  return result;
}

}  // namespace

void expect_items(const Script& script, const std::vector<std::string>& expected,
                  Conversation::Start start) {
  const Outcome whole = run(script, start, [] { return ~std::size_t{0}; });
  INFO(to_text(script));
  if (whole.items != expected) {
    FAIL_CHECK(side_by_side(expected, whole.items));
  } else {
    CHECK(whole.items == expected);
  }
  CHECK(find_fault(script, start) == "");
}

}  // namespace smtpscope::test
