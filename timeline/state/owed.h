#pragma once

#include <string_view>

#include "parser/conversation.h"
#include "timeline/severity.h"
#include "timeline/state/session_state.h"

namespace smtpscope {

/// Whose turn it is, and to do what; `what` has static lifetime.
struct Owed {
  Party party = Party::kUnknown;
  std::string_view what;
};

/// Who owes the next octet now. `awaited` is what the next reply will answer, nullptr
/// if not known.
Owed who_owes(const SessionState& state, const Conversation& conversation,
              const PendingExchange* awaited);

}  // namespace smtpscope
