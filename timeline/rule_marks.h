#pragma once

#include <cstdint>

#include "parser/item.h"
#include "timeline/event.h"
#include "timeline/state/session_state.h"
#include "timeline/state/transaction.h"
#include "timeline/thresholds.h"

namespace smtpscope {

// The marks (RuleMark bits) that spare rules about rare things from being asked about all others.

/// Mail data.
std::uint8_t marks_of(const Entry& data);
std::uint8_t marks_of(const Command& command, const Entry& entry, const Thresholds& thresholds);
/// `state`: with the reply in it.
std::uint8_t marks_of(const Reply& reply, const Entry& entry, const SessionState& state,
                      const Thresholds& thresholds);
/// It has ended.
std::uint8_t marks_of(const Transaction& ended);

}  // namespace smtpscope
