#pragma once

#include <string_view>

namespace smtpscope {

/// reasons.txt, which CMake compiles in.
extern const std::string_view kBuiltInReasons;

}  // namespace smtpscope
