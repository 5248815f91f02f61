#pragma once

#include <string>

#include "parser/item.h"
#include "trace/run_record.h"

namespace smtpscope {

/// An exchange in a few words: its command, "greeting", "mail data" …
std::string exchange_name(const RunRecord& run, const ExchangeRecord& exchange);

/// How a line ended, in words: "ends in bare LF".
std::string ending_words(LineEnding ending);

}  // namespace smtpscope
