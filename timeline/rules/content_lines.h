#pragma once

#include "timeline/rule_context.h"

namespace smtpscope {

/// A run of lines that are no commands has just, with this line or with this reply to one, become
/// what only a message read as commands can be: content_parsed_as_commands.cc says what that is.
/// True once per run.
bool turns_into_content(const RuleContext& context);

}  // namespace smtpscope
