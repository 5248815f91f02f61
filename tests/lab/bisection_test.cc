#include "lab/bisection.h"

#include <algorithm>
#include <set>

#include "tests/catch.h"

namespace smtpscope {
namespace {

using Traits = Bisection::Traits;
using End = Bisection::End;

/// The client behaves when one of these sets is altered whole.
Bisection::Answer find(std::size_t traits, const std::vector<Traits>& cures) {
  std::set<Traits> asked;
  Bisection bisection(traits, 1, [&](const Traits& altered) {
    CHECK(asked.insert(altered).second);  // nothing is tried twice
    const bool good = std::ranges::any_of(
        cures, [&](const Traits& cure) { return std::ranges::includes(altered, cure); });
    return good ? LabJudgement::kGood : LabJudgement::kBad;
  });
  return bisection.find();
}

}  // namespace

TEST_CASE("a trait that is enough alone is found", "[lab]") {
  const auto answer = find(9, {{4}, {7}});
  CHECK(answer.end == End::kFound);
  CHECK(answer.alone == std::vector<Traits>{{4}, {7}});
  CHECK(answer.minimal == Traits{4});
  CHECK(answer.runs == 11);
}

TEST_CASE("traits that only help together are found, whichever they are", "[lab]") {
  for (std::size_t a = 0; a < 8; ++a) {
    for (std::size_t b = a + 1; b < 8; ++b) {
      CHECK(find(8, {{a, b}}).minimal == Traits{a, b});
      if (b < 7) CHECK(find(8, {{a, b, 7}}).minimal == Traits{a, b, 7});
    }
  }
}

TEST_CASE("what cannot be found is said", "[lab]") {
  CHECK(find(3, {{}}).end == End::kNeverBad);
  CHECK(find(3, {}).end == End::kNeverGood);
}

TEST_CASE("a client that flickers is inconclusive, with counts", "[lab]") {
  int run = 0;
  Bisection bisection(4, 4, [&](const Traits& altered) {
    if (altered.size() != 1 || altered[0] != 2) {
      return altered.size() == 4 ? LabJudgement::kGood : LabJudgement::kBad;
    }
    return ++run == 2 ? LabJudgement::kGood : LabJudgement::kBad;
  });
  const auto answer = bisection.find();
  CHECK(answer.end == End::kInconclusive);
  CHECK(answer.last == Traits{2});
  CHECK(answer.trial.good == 1);
  CHECK(answer.trial.bad == 3);
}

}  // namespace smtpscope
