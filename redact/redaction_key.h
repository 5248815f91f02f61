#pragma once

#include <string>

#include "base/result.h"

namespace smtpscope {

/// A new key from the kernel's random numbers, as hexadecimal text.
Result<std::string> random_redaction_key();

/// The key in the file at `path`, at least 32 octets, which only its owner may read. Where there is
/// no such file a new key is written to it, with mode 0600, and `made` is set.
Result<std::string> read_redaction_key(const std::string& path, bool& made);

}  // namespace smtpscope
