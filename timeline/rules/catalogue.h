#pragma once

#include "timeline/rule.h"

namespace smtpscope {

// One line per rule, in the order of the table in catalogue.cc. Each is defined in the file that
// bears its id.
extern const Rule kTxnAbortedRset;
extern const Rule kRsetNoop;
extern const Rule kRoundPause;

}  // namespace smtpscope
