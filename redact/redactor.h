#pragma once

#include <map>
#include <memory>

#include "capture/untold_sessions.h"
#include "capture/wire_event.h"
#include "redact/content_redactor.h"
#include "redact/pseudonyms.h"

namespace smtpscope {

/// Redacts a recorded run: each session's events through a SessionRedactor, and what that gives
/// through a Sanitizer, which masks credentials and leaves messages out as it does for the proxy.
/// Not thread-safe.
class Redactor : public WireSink {
 public:
  /// `names` and `out` must outlive it.
  Redactor(Pseudonyms& names, BodyPolicy policy, WireSink& out);
  ~Redactor() override;

  void on_wire(const WireEvent& event) override;
  /// Nothing more comes: what sessions without an end still hold back is handed on.
  void finish();

 private:
  class Session;

  void feed(const WireEvent& event);
  void pass_gap(const WireEvent& event, const Gap& gap);

  Pseudonyms& names_;
  const BodyPolicy policy_;
  WireSink& out_;
  std::map<SessionId, std::unique_ptr<Session>> open_;
  UntoldSessions untold_;
};

/// What the header of the redacted capture says of the run.
RunInfo redacted_run(const RunInfo& run, Pseudonyms& names, BodyPolicy policy);

}  // namespace smtpscope
