// Any octets as the log of any program: nothing crashes, sessions begin before they go on, times
// never step back, and the parser stays in step with what the reader says.

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "capture/sanitizer.h"
#include "readers/logs/catalogue.h"
#include "readers/text/log_source.h"
#include "readers/text/paste_plan.h"
#include "tests/readers/memory_octets.h"

using namespace smtpscope;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

/// Feeds each session's parser.
class Checker : public WireSink {
 public:
  void on_wire(const WireEvent& event) override {
    demand(event.time.time_since_epoch() >= Duration::zero());
    Session& session = sessions_[event.session];
    const bool opens = std::holds_alternative<SessionOpened>(event.body);
    demand(opens == (session.sanitizer == nullptr));
    if (opens) {
      session.sanitizer =
          std::make_unique<Sanitizer>(SanitizerPolicy{.keep_credentials = true}, nullptr, nullptr,
                                      std::get<SessionOpened>(event.body).mid_session);
    }
    demand(event.time >= session.last);
    session.last = event.time;
    session.sanitizer->feed(event);
    if (std::holds_alternative<SessionEnded>(event.body)) sessions_.erase(event.session);
  }

 private:
  struct Session {
    std::unique_ptr<Sanitizer> sanitizer;
    Time last;
  };
  std::map<SessionId, Session> sessions_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto logs = all_logs();
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t piece = data[1] + std::size_t{1};
  // As the program of the first octet prints it, or, beyond those, as the one that is recognised.
  const std::size_t chosen = data[0] % (2 * logs.size());
  PastePlan plan = PastePlan::of(text);
  const LogKind* kind = chosen < logs.size() ? logs[chosen] : find_log(plan.unwrapped(text), true);
  if (kind == nullptr) return 0;
  LogSource source(std::make_unique<test::MemoryOctets>(text, piece), "fuzz.log", kind->make,
                   WallTime{}, plan);
  Checker checker;
  while (true) {
    const Result<bool> more = source.next(checker);
    if (!more || !more.value()) break;
  }
  source.finish(checker);
  source.notices();
  return 0;
}
