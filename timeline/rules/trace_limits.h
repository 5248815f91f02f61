#pragma once

#include <string_view>

#include "timeline/state/session_state.h"

namespace smtpscope {

// Why a rule cannot be decided, for RuleContext::not_evaluated().
inline constexpr std::string_view kHiddenByTls = "what is inside TLS is not visible";
inline constexpr std::string_view kHiddenByHoles = "octets are missing from the trace";

/// What hides a part of the dialogue from a rule that needs all of it, or "".
inline std::string_view hidden_part(const SessionState& session) {
  if (session.tls_hides()) return kHiddenByTls;
  if (session.holes > 0) return kHiddenByHoles;
  return {};
}

}  // namespace smtpscope
