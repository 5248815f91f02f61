#include "tests/proxy/recording_tap.h"

#include <algorithm>

#include "tests/proxy/playbook.h"

namespace smtpscope {
namespace {

class RecordingSessionTap : public SessionTap {
 public:
  RecordingSessionTap(RecordingTap& run, RecordingTap::Seen& seen) : run_(run), seen_(seen) {
    ++run_.taps_alive;
  }
  ~RecordingSessionTap() override { --run_.taps_alive; }

  void feed(const WireEvent& event) override {
    if (event.time < seen_.last || seen_.ended) seen_.in_order = false;
    seen_.last = event.time;
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      ++seen_.reads;
      const std::string_view octets(reinterpret_cast<const char*>(bytes->head.data()),
                                    bytes->head.size());
      (bytes->by_proxy ? seen_.by_proxy : seen_.octets[index(bytes->from)]) += octets;
      if (bytes->undelivered) seen_.undelivered[index(bytes->from)] += octets;
      return;
    }
    seen_.events.push_back(Playbook::words_of(event));
    if (const auto* opened = std::get_if<SessionOpened>(&event.body)) {
      seen_.client = opened->client;
      seen_.listener = opened->listener;
      seen_.upstream = opened->upstream;
    } else if (const auto* connected = std::get_if<UpstreamConnected>(&event.body)) {
      seen_.server = connected->server;
      seen_.failed_attempts = connected->failed_attempts;
    } else if (const auto* failed = std::get_if<UpstreamFailed>(&event.body)) {
      seen_.failure = failed->reason;
    } else if (std::holds_alternative<SessionEnded>(event.body)) {
      seen_.ended = true;
    }
  }
  bool fate_open() const override { return run_.fate_open; }

 private:
  RecordingTap& run_;
  RecordingTap::Seen& seen_;
};

}  // namespace

bool RecordingTap::Seen::has(std::string_view event) const {
  return std::ranges::any_of(events, [&](const std::string& each) { return each == event; });
}

std::unique_ptr<SessionTap> RecordingTap::open(SessionId session) {
  return std::make_unique<RecordingSessionTap>(*this, sessions[session]);
}

}  // namespace smtpscope
