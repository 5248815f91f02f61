#pragma once

#include <span>
#include <string_view>

namespace smtpscope {

/// The one of `names` that `typed` was probably meant to be, by edit distance; "" if none is near
/// enough to be worth a question.
std::string_view nearest_name(std::string_view typed, std::span<const std::string_view> names);

}  // namespace smtpscope
