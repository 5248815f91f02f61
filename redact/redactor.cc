#include "redact/redactor.h"

#include <string>
#include <utility>

#include "capture/screen.h"
#include "redact/session_redactor.h"
#include "redact/text_redactor.h"

namespace smtpscope {

/// One session on its way.
class Redactor::Session : private WireSink {
 public:
  Session(Redactor& run, bool mid_session)
      : screen_(policy_for(run.policy_), &run.out_, nullptr, mid_session),
        redactor_(run.names_, run.policy_, *this, mid_session) {}

  void feed(const WireEvent& event) { redactor_.feed(event); }
  void pass_gap_of_run(const WireEvent& gap) {
    redactor_.pass_gap_of_run(gap);
    screen_.pass_gap_of_run(gap);
  }
  void finish() {
    redactor_.finish();
    screen_.let_go();
  }

 private:
  static ScreenPolicy policy_for(BodyPolicy body) {
    ScreenPolicy policy;
    if (body == BodyPolicy::kDrop) policy.message_octets = 0;
    return policy;
  }
  void on_wire(const WireEvent& event) override { screen_.feed(event); }

  Screen screen_;
  SessionRedactor redactor_;
};

Redactor::Redactor(Pseudonyms& names, BodyPolicy policy, WireSink& out)
    : names_(names), policy_(policy), out_(out) {}

Redactor::~Redactor() = default;

void Redactor::on_wire(const WireEvent& event) {
  if (event.session != kWholeRun) {
    feed(event);
  } else if (const auto* gap = std::get_if<Gap>(&event.body)) {
    pass_gap(event, *gap);
  } else {
    out_.on_wire(event);  // has no texts
  }
}

void Redactor::feed(const WireEvent& event) {
  std::unique_ptr<Session>& session = open_[event.session];
  if (!session) {
    // Without its beginning a session is read like one that was joined later.
    const auto* opened = std::get_if<SessionOpened>(&event.body);
    session = std::make_unique<Session>(*this, opened == nullptr || opened->mid_session);
  }
  session->feed(event);
  if (std::holds_alternative<SessionEnded>(event.body)) open_.erase(event.session);
}

void Redactor::pass_gap(const WireEvent& event, const Gap& gap) {
  for (const auto& [id, session] : open_) session->pass_gap_of_run(event);
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
  return redacted;
}

}  // namespace smtpscope
