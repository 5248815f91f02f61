#pragma once

#include <span>
#include <string_view>

#include "readers/text/log_kind.h"

namespace smtpscope {

#define SMTPSCOPE_LOG(kind) extern const LogKind kind;
#include "readers/logs/catalogue.def"
#undef SMTPSCOPE_LOG

/// All of them. Adding one: a file with its reader and its kind, one row in catalogue.def, one
/// test.
std::span<const LogKind* const> all_logs();

/// The one whose program wrote `text`, which has been unwrapped; nullptr if none is known. Those
/// that read any program's text are asked only about a `whole` one, or as much of it as is looked
/// at.
const LogKind* find_log(std::string_view text, bool whole);

}  // namespace smtpscope
