#include "redact/redactor.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include "capture/sanitizer.h"
#include "redact/session_redactor.h"
#include "redact/text_redactor.h"

namespace smtpscope {

/// One session on its way.
class Redactor::Session : private WireSink {
 public:
  Session(Redactor& run, bool mid_session)
      : sanitizer_(policy_for(run.policy_), &run.out_, nullptr, mid_session),
        redactor_(run.names_, run.policy_, *this, mid_session) {}

  void feed(const WireEvent& event) { redactor_.feed(event); }
  void pass_gap_of_run(const WireEvent& gap) {
    redactor_.pass_gap_of_run(gap);
    sanitizer_.pass_gap_of_run(gap);
  }
  void finish() {
    redactor_.finish();
    sanitizer_.let_go();
  }

 private:
  static SanitizerPolicy policy_for(BodyPolicy body) {
    SanitizerPolicy policy;
    if (body == BodyPolicy::kDrop) policy.message_octets = 0;
    return policy;
  }
  void on_wire(const WireEvent& event) override { sanitizer_.feed(event); }

  Sanitizer sanitizer_;
  SessionRedactor redactor_;
};

Redactor::Redactor(Pseudonyms& names, BodyPolicy policy, WireSink& out)
    : names_(names), policy_(policy), out_(out) {}

Redactor::~Redactor() = default;

void Redactor::on_wire(const WireEvent& event) {
  if (event.session != kWholeRun) {
    feed(event);
    return;
  }
  // The whole run has gaps only; whatever else a source may make up, nobody has read it.
  const auto* gap = std::get_if<Gap>(&event.body);
  assert(gap != nullptr);
  if (gap != nullptr) pass_gap(event, *gap);
}

void Redactor::feed(const WireEvent& event) {
  std::unique_ptr<Session>& session = open_[event.session];
  if (!session) {
    // Without its beginning a session is read like one that was joined later.
    const auto* opened = std::get_if<SessionOpened>(&event.body);
    session = std::make_unique<Session>(*this, opened == nullptr || opened->mid_session);
  }
  untold_.heard(event.session);
  session->feed(event);
  if (!std::holds_alternative<SessionEnded>(event.body)) return;
  untold_.ended(event.session);
  open_.erase(event.session);
}

void Redactor::pass_gap(const WireEvent& event, const Gap& gap) {
  // A session that is not told has handed on all that it held back at the gap before.
  std::vector<SessionId> concerned = untold_.take(gap);
  std::sort(concerned.begin(), concerned.end());
  for (const SessionId id : concerned) open_.at(id)->pass_gap_of_run(event);
  const std::string why = TextRedactor(names_).rewritten(gap.why);
  Gap changed = gap;
  changed.why = why;
  out_.on_wire({kWholeRun, event.time, changed});
}

void Redactor::finish() {
  for (const auto& [id, session] : open_) session->finish();
  open_.clear();
}

RunInfo redacted_run(const RunInfo& run, Pseudonyms& names, BodyPolicy policy) {
  RunInfo redacted = run;
  redacted.tap = TextRedactor(names).rewritten(run.tap);
  redacted.writer = TextRedactor(names).rewritten(run.writer);
  // The file's name is its owner's.
  redacted.source = "capture";
  redacted.credentials_kept = false;
  if (policy == BodyPolicy::kDrop) redacted.message_kept = "none";
  redacted.redacted = to_string(policy);
  // It is a capture of its own: nothing in it says where files meet.
  redacted.run.clear();
  redacted.part = 0;
  return redacted;
}

}  // namespace smtpscope
