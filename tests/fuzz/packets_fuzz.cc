// Captures of packets, made of the input: whatever they hold, events come out in a sound order and
// in bounded memory, however the file is cut into reads.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "base/octets.h"
#include "readers/packets/packet_source.h"
#include "readers/packets/pcap_reader.h"
#include "readers/packets/pcapng_reader.h"
#include "tests/readers/memory_octets.h"

using namespace smtpscope;

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// What every reader of wire events relies on (docs/capture-format.md).
class Checker : public WireSink {
 public:
  void on_wire(const WireEvent& event) override {
    require(event.session > 0, "an event of no session");
    State& state = sessions_[event.session];
    require(!state.ended, "an event behind the end of its session");
    require(event.time >= state.last, "time runs backwards in a session");
    require(state.opened == !std::holds_alternative<SessionOpened>(event.body),
            "a session does not begin with its opening");
    state.opened = true;
    state.last = event.time;
    state.ended = std::holds_alternative<SessionEnded>(event.body);
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      require(!bytes->head.empty(), "a read without octets");
      log_.append(text_of(bytes->head));
    }
    if (const auto* gap = std::get_if<Gap>(&event.body)) {
      require(gap->from && gap->octets > 0, "a gap of nothing");
      log_ += "gap " + std::to_string(gap->octets);
    }
  }
  const std::string& log() const { return log_; }

 private:
  struct State {
    bool opened = false;
    bool ended = false;
    Time last = Time::min();  // packets may be older than the first: their times are below 0
  };
  std::map<SessionId, State> sessions_;
  std::string log_;
};

std::string run(std::string_view file, std::size_t piece) {
  auto octets = std::make_unique<test::MemoryOctets>(std::string(file), piece);
  auto reader = begins_pcap(octets_of(file)) ? PcapReader::open(std::move(octets))
                                             : PcapngReader::open(std::move(octets));
  if (!reader) return reader.error().message;
  PacketSource source(std::move(reader.value()), "fuzz", {});
  Checker checker;
  while (source.next(checker).value()) {
  }
  source.finish(checker);
  static_cast<void>(source.notices());
  return checker.log();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file = text_of({data, size});
  if (!begins_pcap(octets_of(file)) && !begins_pcapng(octets_of(file))) return 0;
  require(run(file, ~std::size_t{0}) == run(file, 7), "the reads make a difference");
  return 0;
}
