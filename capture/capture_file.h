#pragma once

#include <string>

#include "base/result.h"

namespace smtpscope {

/// Creates the file that a capture is written to, for its owner's eyes only (mode 0600), and gives
/// its descriptor. A file that exists is never overwritten: it is refused, or with `force` removed
/// first, so that who reads it goes on reading the old one. Pipes and devices, which cannot be
/// overwritten, are opened as they are. "-" is the standard output.
Result<int> create_capture_file(const std::string& path, bool force);

/// Opens a capture for reading. "-" is the standard input.
Result<int> open_capture_file(const std::string& path);

}  // namespace smtpscope
