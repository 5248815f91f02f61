#pragma once

#include <string_view>

#include "parser/conversation.h"
#include "timeline/session_state.h"
#include "timeline/severity.h"

namespace smtpscope {

/// Whose turn it is, and to do what; `what` has static lifetime.
struct Owed {
  Party party = Party::kUnknown;
  std::string_view what;
};

/// Who owes the next octet now (rules 2.0). `awaited` is what the next reply will answer, nullptr
/// if not known.
Owed who_owes(const SessionState& state, const Conversation& conversation,
              const PendingExchange* awaited);

}  // namespace smtpscope
