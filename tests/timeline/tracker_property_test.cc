// What holds for every timeline, whatever comes over the wire. The dialogues are made by chance
// from pieces that matter, with a fixed seed.

#include "capture/sanitizer.h"
#include "tests/catch.h"
#include "tests/timeline/random_session.h"
#include "tests/timeline/timeline_checker.h"
#include "timeline/tracker.h"

namespace smtpscope::test {
namespace {

class IntoTracker : public WireSink {
 public:
  explicit IntoTracker(TimelineSink& sink)
      : tracker_(1, rules_, history_, sink),
        sanitizer_({.keep_credentials = true}, nullptr, &tracker_) {}
  void on_wire(const WireEvent& event) override { sanitizer_.feed(event); }

 private:
  RuleSet rules_;
  RunHistory history_;
  Tracker tracker_;
  Sanitizer sanitizer_;
};

TEST_CASE("every timeline is consistent, whatever comes over the wire") {
  std::uint64_t annotations = 0;
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    TimelineChecker checker;
    IntoTracker tracker(checker);
    RandomSession(seed).run(tracker, 5 + static_cast<int>(seed % 60));
    INFO("seed " << seed);
    REQUIRE(checker.violation == "");
    REQUIRE(checker.ended);
    annotations += checker.annotations;
  }
  // Otherwise the dialogues got nowhere and nothing was tested.
  CHECK(annotations > 3000);
}

}  // namespace
}  // namespace smtpscope::test
