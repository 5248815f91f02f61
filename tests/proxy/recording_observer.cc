#include "tests/proxy/recording_observer.h"

#include <algorithm>

#include "tests/proxy/playbook.h"

namespace smtpscope {
namespace {

class RecordingSessionTap : public SessionObserver {
 public:
  RecordingSessionTap(RecordingObserver& run, SessionId id)
      : run_(run), id_(id), seen_(run.sessions[id]) {
    ++run_.observers_alive;
  }
  ~RecordingSessionTap() override {
    run_.asked.erase(id_);
    --run_.observers_alive;
  }

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
      seen_.route = opened->route;
    } else if (const auto* connected = std::get_if<UpstreamConnected>(&event.body)) {
      seen_.server = connected->server;
      seen_.failed_attempts = connected->failed_attempts;
    } else if (const auto* failed = std::get_if<UpstreamFailed>(&event.body)) {
      seen_.failure = failed->reason;
    } else if (std::holds_alternative<SessionEnded>(event.body)) {
      seen_.ended = true;
    }
  }
  void ask_fate(FateListener& asker) override {
    run_.asked[id_] = &asker;
    if (!run_.fate_open) run_.settle();
  }

 private:
  RecordingObserver& run_;
  const SessionId id_;
  RecordingObserver::Seen& seen_;
};

}  // namespace

bool RecordingObserver::Seen::has(std::string_view event) const {
  return std::ranges::any_of(events, [&](const std::string& each) { return each == event; });
}

std::unique_ptr<SessionObserver> RecordingObserver::open(SessionId session) {
  return std::make_unique<RecordingSessionTap>(*this, session);
}

void RecordingObserver::settle() {
  fate_open = false;
  wake_();
}

void RecordingObserver::attend() {
  if (fate_open) return;
  while (!asked.empty()) {
    FateListener& asker = *asked.begin()->second;
    asked.erase(asked.begin());
    asker.on_fate_settled();
  }
}

}  // namespace smtpscope
