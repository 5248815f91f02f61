#pragma once

#include <string>

#include "base/result.h"

namespace smtpscope {

/// Creates the file that a capture is written to (see create_new_file()), and gives its descriptor.
/// "-" is the standard output.
Result<int> create_capture_file(const std::string& path, bool force);

/// Opens a capture for reading. "-" is the standard input.
Result<int> open_capture_file(const std::string& path);

}  // namespace smtpscope
