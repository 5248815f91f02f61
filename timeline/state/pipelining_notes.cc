#include "timeline/state/pipelining_notes.h"

#include <algorithm>

namespace smtpscope {
namespace {

/// Message text of a client that did not wait for the reply to DATA, which then was a refusal:
/// data-content-early tells of it. A command that a pipelining client sent behind DATA, in the
/// hope that all would go well, is none.
bool is_early_text(const Command& command, const SessionState& state) {
  if ((command.flags & kEarly) == 0 || state.barrier != Verb::kData) return false;
  return command.verb == Verb::kUnknown || state.last_command.verb != Verb::kData;
}

/// RFC 2920 3.1: the command must be the last of its group, the client has to wait for its reply.
/// `auth` is the exchange that the command began, where it is AUTH. Not so for what that section or
/// a command's own RFC lets others follow, nor for DATA and QUIT, which are looked at by
/// themselves.
bool ends_group(Verb verb, const AuthState* auth) {
  switch (verb) {
    case Verb::kHelo:  // not named in RFC 2920, but of EHLO's kind
    case Verb::kEhlo:
    case Verb::kLhlo:
    case Verb::kVrfy:
    case Verb::kExpn:
    case Verb::kNoop:
    case Verb::kTurn:
    case Verb::kAtrn:
    case Verb::kEtrn:
    case Verb::kStartTls:  // RFC 3207 4
    case Verb::kXanonymousTls:
    case Verb::kXexch50:
    case Verb::kXlink2State:
      return true;
    case Verb::kAuth:
    case Verb::kXexps:
      // RFC 4954 4: a mechanism that needs no challenge, with its initial response.
      if (auth == nullptr || !auth->last.initial_response) return true;
      return auth->last.mechanism != "PLAIN" && auth->last.mechanism != "EXTERNAL";
    default:
      return false;
  }
}

}  // namespace

void note_pipelining(const Command& command, const Entry& entry, const Capabilities& capabilities,
                     SessionState& state) {
  PipelinedRun* run = state.pipelined_run.get();
  if (command.pending_before == 0) {
    if (run != nullptr) run->ended = true;
    return;
  }
  // A line that the stream cut short is no command yet. Behind QUIT nothing may come at all.
  if (command.exchange == kNoExchange || state.quit_sent) return;
  // Exchange 0 is the greeting. With as many replies owed as there were exchanges before, it was
  // among them: client-talks-first has that.
  if (state.greeting == SessionState::Greeting::kPending) return;
  if (command.exchange <= command.pending_before) return;
  if (is_early_text(command, state)) return;

  const bool offered = capabilities.has("PIPELINING");
  const Verb before = state.last_command.verb;
  // DATA is last only where a command, not the message, stands right behind it.
  const bool behind_data = before == Verb::kData && (command.flags & kEarly) != 0;
  if (offered && !behind_data && !ends_group(before, state.auth.get())) return;

  if (run == nullptr) {
    state.pipelined_run = std::make_unique<PipelinedRun>();
    run = state.pipelined_run.get();
  }
  if (run->ended) *run = PipelinedRun{};
  if (!offered) {
    if (run->count == 0) run->first_entry = entry.number;
    run->last_entry = entry.number;
    ++run->count;
    run->depth = std::max(run->depth, command.pending_before);
    run->verbs |= std::uint32_t{1} << static_cast<unsigned>(command.verb);
    return;
  }
  if (run->beyond == 0) {
    run->group_end = before;
    run->group_end_entry = state.last_command.entry;
    run->first_beyond = entry.number;
  }
  ++run->beyond;
}

void end_pipelined_run(SessionState& state) {
  if (state.pipelined_run != nullptr) state.pipelined_run->ended = true;
}

}  // namespace smtpscope
