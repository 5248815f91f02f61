#pragma once

#include <string>
#include <string_view>

#include "parser/item.h"

namespace smtpscope::test {

/// The item in one line: who, what, what it answers, and what is unusual about it.
std::string describe(const Item& item);

/// All that the item holds, in one line.
std::string describe_in_full(const Item& item);

/// `text` with control octets and those beyond ASCII spelled out.
std::string escaped(std::string_view text);

}  // namespace smtpscope::test
