#pragma once

#include <optional>
#include <vector>

#include "diff/taps/taps_clock.h"
#include "diff/taps/taps_comparison.h"

namespace smtpscope {

/// What the two taps saw of one exchange.
struct TapsExchange {
  const RunRecord& run_near_client;
  TapsStep near_client;  // neither of them is empty
  const RunRecord& run_near_server;
  TapsStep near_server;
};

/// The first reply that the client got, or the server gave; nullptr if there is none.
const ReplyRecord* first_reply_of(const TapsStep& step);
/// The text of a reply, all its lines with their codes, joined by LF.
std::string_view text_of(const RunRecord& run, const ReplyRecord& reply);

/// What the exchange says of the two clocks; empty unless it was surely passed on, both ways: the
/// answer names the server, or the message that it took. What every server says, such as "250 Ok",
/// may have been said in between.
std::optional<OffsetSample> offset_sample(const TapsExchange& exchange);

/// Fills in the row's times.
void measure(const TapsExchange& exchange, const ClockOffset& clock, TapsRow& row);

/// Adds what is not the same in it, by octets and by time.
void compare_exchange(const TapsExchange& exchange, const ClockOffset& clock, const TapsRow& row,
                      Duration delay_threshold, std::vector<TapsChange>& changes);

/// A change that is about these steps; either may be empty.
TapsChange change_at(TapsChangeKind kind, const RunRecord& run, const TapsStep& near_client,
                     const TapsStep& near_server);

}  // namespace smtpscope
