#pragma once

#include <optional>
#include <string_view>

#include "base/octets.h"
#include "capture/wire_event.h"

namespace smtpscope::test {

/// What happens in sessions on the wire, told to a sink a microsecond after one another.
class ReplayScript {
 public:
  explicit ReplayScript(WireSink& sink) : sink_(sink) {}

  ReplayScript& open(SessionId id) {
    sink_.on_wire(
        {id, at(), SessionOpened{.client = "192.0.2.10:50114", .listener = "", .upstream = ""}});
    return *this;
  }
  ReplayScript& say(SessionId id, Side from, std::string_view text) {
    Bytes bytes;
    bytes.from = from;
    bytes.head = octets_of(text);
    sink_.on_wire({id, at(), bytes});
    return *this;
  }
  ReplayScript& end(SessionId id) {
    sink_.on_wire({id, at(), SessionEnded{}});
    return *this;
  }
  ReplayScript& damaged_line() { return gap({std::nullopt, 0, 0, "damaged"}); }
  ReplayScript& lost_events() { return gap({std::nullopt, 0, 2, "lost"}); }

 private:
  ReplayScript& gap(const Gap& what) {
    sink_.on_wire({kWholeRun, at(), what});
    return *this;
  }
  Time at() { return now_ += Duration(1000); }

  WireSink& sink_;
  Time now_;
};

}  // namespace smtpscope::test
