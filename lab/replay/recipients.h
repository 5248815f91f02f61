#pragma once

#include <string>
#include <vector>

#include "lab/replay/recorded_dialogue.h"

namespace smtpscope {

/// Has the client name `address` in every RCPT. `ignore` gets an expression for each address that
/// this replaces, and for the new one: what a comparison has to set aside.
void replace_recipients(RecordedDialogue& dialogue, const std::string& address,
                        std::vector<std::string>& ignore);

}  // namespace smtpscope
