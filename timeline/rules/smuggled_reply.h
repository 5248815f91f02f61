#pragma once

#include "timeline/rule_context.h"

namespace smtpscope {

/// The reply that is being judged answers a command that was hidden in a message (SMTP smuggling).
inline bool answers_smuggled(const RuleContext& context) {
  const SmuggledEnvelope* envelope = context.session().smuggled.get();
  if (envelope == nullptr || envelope->replies_seen == 0) return false;
  if (envelope->replies_seen > envelope->replies_due) return false;
  const std::size_t last = envelope->replies_seen - 1;
  return last < SmuggledEnvelope::kKeptReplies &&
         envelope->replies[last] == context.entry()->number;
}

}  // namespace smtpscope
