#include "cli/nearest_name.h"

#include <array>
#include <string>

#include "tests/catch.h"

namespace smtpscope {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"proxy", "show",    "demo",
                                                    "rules", "explain", "txn-aborted-rset"};

TEST_CASE("slips of the fingers are recognised") {
  struct Case {
    std::string_view typed, meant;
  };
  const auto given = GENERATE(values<Case>({
      {"show", "show"},
      {"shwo", "show"},     // swapped
      {"sho", "show"},      // missing
      {"shhow", "show"},    // doubled
      {"shoe", "show"},     // wrong
      {"expl", "explain"},  // unfinished
      {"porxy", "proxy"},
      {"rule", "rules"},
      {"txn-abort-rset", "txn-aborted-rset"},
      {"txn_aborted_rset", "txn-aborted-rset"},
  }));
  INFO(given.typed);
  CHECK(nearest_name(given.typed, kNames) == given.meant);
}

TEST_CASE("what is no slip gets no answer") {
  for (const std::string& typed : {std::string(), std::string("x"), std::string("capture"),
                                   std::string("version"), std::string(100'000, 's')}) {
    CHECK(nearest_name(typed, kNames).empty());
  }
  CHECK(nearest_name("show", {}).empty());
}

}  // namespace
}  // namespace smtpscope
