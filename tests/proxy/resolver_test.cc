#include "net/resolver.h"

#include <string>

#include "tests/catch.h"
#include "tests/proxy/peer.h"

namespace smtpscope {
namespace {

class Asker : public ResolverEvents {
 public:
  void on_resolved(const Addresses& addresses) override { found = addresses; }
  void on_not_resolved(std::string_view why) override { reason = why; }
  bool told() const { return found || !reason.empty(); }

  Addresses found;
  std::string reason;
};

/// Asks once, waits for the answer, and asks again at once: what is known then.
Addresses asked_twice(Duration reuse) {
  const std::unique_ptr<Loop> loop = std::move(Loop::make().value());
  Asker asker;
  Resolver resolver(*loop, "localhost", 25, reuse);
  CHECK(resolver.ask(asker) == nullptr);
  run_until(*loop, [&] { return asker.told(); });
  REQUIRE(asker.reason == "");
  Asker second;
  const Addresses known = resolver.ask(second);
  if (known == nullptr) run_until(*loop, [&] { return second.told(); });
  return known;
}

TEST_CASE("an answer serves those that ask soon, and is looked up anew once it is old") {
  const Addresses known = asked_twice(std::chrono::hours(1));
  REQUIRE(known != nullptr);
  CHECK(known->front().port() == 25);
  CHECK(asked_twice(Duration::zero()) == nullptr);
}

TEST_CASE("those that ask at the same time share a lookup, and one that forgot is not told") {
  const std::unique_ptr<Loop> loop = std::move(Loop::make().value());
  Asker first, second, gone;
  Resolver resolver(*loop, "localhost", 25, std::chrono::hours(1));
  CHECK(resolver.ask(gone) == nullptr);
  CHECK(resolver.ask(first) == nullptr);
  CHECK(resolver.ask(second) == nullptr);
  resolver.forget(gone);
  run_until(*loop, [&] { return first.told() && second.told(); });
  CHECK(first.found != nullptr);
  CHECK(first.found == second.found);  // the very same
  CHECK(!gone.told());
}

}  // namespace
}  // namespace smtpscope
