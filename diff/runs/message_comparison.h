#pragma once

#include <vector>

#include "diff/runs/difference.h"
#include "diff/runs/normalizer.h"
#include "diff/runs/set_aside_log.h"
#include "trace/run_record.h"

namespace smtpscope {

/// What is to be told of two messages.
struct MessageComparison {
  std::vector<Difference> differences;  // kHeader…, kBody, kSize, kLineEndings
  /// Some of a message is in neither capture, so its equality rests on facts, or on nothing.
  bool in_part = false;
};

/// Compares the messages of two transactions: header fields by name, the body line by line, line
/// endings, and where content was not kept the facts. Either may have none. `set_aside` takes what
/// the normalizers put aside.
MessageComparison compare_messages(const TransactionRecord& before, const TransactionRecord& after,
                                   const Normalizers& normalizers, SetAsideLog& set_aside);

}  // namespace smtpscope
