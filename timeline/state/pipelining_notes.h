#pragma once

#include "parser/capabilities.h"
#include "parser/item.h"
#include "timeline/event.h"
#include "timeline/state/session_state.h"

namespace smtpscope {

/// Takes note of a command that was sent while replies were owed (PipelinedRun), after the rules
/// were asked about it, and before it counts as the last command. `capabilities` are those in force
/// before it.
void note_pipelining(const Command& command, const Entry& entry, const Capabilities& capabilities,
                     SessionState& state);

/// No reply is owed any more; the rules were asked about the last one.
void end_pipelined_run(SessionState& state);

}  // namespace smtpscope
