#pragma once

#include <vector>

#include "diff/difference.h"
#include "diff/normalizer.h"
#include "diff/run_record.h"
#include "diff/set_aside_log.h"

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
