// Any octets as the log of any program: nothing crashes, sessions begin before they go on, times
// never step back, and the parser stays in step with what the reader says.

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "capture/screen.h"
#include "readers/log_exchange.h"
#include "readers/log_exim.h"
#include "readers/log_postfix.h"
#include "readers/log_source.h"
#include "readers/log_ssmtp.h"
#include "readers/log_swaks.h"
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
    demand(opens == (session.screen == nullptr));
    if (opens) {
      session.screen =
          std::make_unique<Screen>(ScreenPolicy{.keep_credentials = true}, nullptr, nullptr,
                                   std::get<SessionOpened>(event.body).mid_session);
    }
    demand(event.time >= session.last);
    session.last = event.time;
    session.screen->feed(event);
    if (std::holds_alternative<SessionEnded>(event.body)) sessions_.erase(event.session);
  }

 private:
  struct Session {
    std::unique_ptr<Screen> screen;
    Time last;
  };
  std::map<SessionId, Session> sessions_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr LogSource::MakeReader kMakers[] = {PostfixLog::make, ExchangeLog::make, SwaksLog::make,
                                               SsmtpLog::make, EximLog::make};
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t piece = data[1] + std::size_t{1};
  LogSource source(std::make_unique<test::MemoryOctets>(text, piece), "fuzz.log",
                   kMakers[data[0] % std::size(kMakers)], WallTime{});
  Checker checker;
  while (true) {
    const Result<bool> more = source.next(checker);
    if (!more || !more.value()) break;
  }
  source.finish(checker);
  source.notices();
  PostfixLog::recognises(text);
  ExchangeLog::recognises(text);
  SwaksLog::recognises(text);
  SsmtpLog::recognises(text);
  EximLog::recognises(text);
  return 0;
}
