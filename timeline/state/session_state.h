#pragma once

#include "base/side.h"
#include "capture/fidelity.h"
#include "timeline/state/evidence.h"
#include "timeline/state/pending_exchange.h"
#include "timeline/state/protocol_state.h"

namespace smtpscope {

/// A session as the tracker keeps it and rules read it: where it stands, and what was noticed on
/// the way. Bounded, whatever the session's length.
struct SessionState : ProtocolState, Evidence {
  Fidelity fidelity;  // what the trace can know

  /// The client has agreed on TLS with smtpscope, and has not said a word in it.
  bool silent_in_tls() const {
    const TlsFacts* facts = tls_ends == nullptr ? nullptr : tls_ends->facts(Side::kClient);
    return facts != nullptr && facts->completed && !in_tls[index(Side::kClient)];
  }
  /// The server was named with the port for submission with TLS from the first octet (RFC
  /// 8314 7.3).
  bool on_submissions_port() const { return upstream.ends_with(":465"); }
  /// The session is encrypted, and what is inside cannot be seen.
  bool tls_hides() const { return tls && tls_ends == nullptr; }
};

}  // namespace smtpscope
