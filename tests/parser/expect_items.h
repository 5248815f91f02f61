#pragma once

#include <string>
#include <vector>

#include "tests/parser/describe_item.h"
#include "tests/parser/dialogue.h"

namespace smtpscope::test {

/// Checks by Catch2 that the script gives these items and that find_fault() finds none. Prints
/// expected and actual items side by side when they differ.
void expect_items(const Script& script, const std::vector<std::string>& expected,
                  Conversation::Start start = Conversation::Start::kBeginning);

}  // namespace smtpscope::test
