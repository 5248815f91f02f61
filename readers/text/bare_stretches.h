#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "readers/text/marks.h"

namespace smtpscope {

/// Whole lines of a text, by their octets.
struct TextPart {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Where a text, of whose lines the marks of both sides are known, has a dialogue without marks:
/// what somebody saw, above or below one that is quoted from an RFC or a log. Between two lines
/// with marks such a part has all.
std::vector<TextPart> bare_stretches(std::string_view text, const Marks& marks);

}  // namespace smtpscope
