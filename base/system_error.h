#pragma once

#include <string>
#include <system_error>

namespace smtpscope {

/// What an errno means, in words.
inline std::string system_words(int error) { return std::system_category().message(error); }

}  // namespace smtpscope
