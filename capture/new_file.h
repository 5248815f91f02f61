#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace smtpscope {

/// Creates a file to be written to, for its owner's eyes only (mode 0600), and gives its
/// descriptor. A file that exists is never written over: it is refused, or with `force` removed
/// first, so that who reads it goes on reading the old one.
///
/// Only regular files are made and replaced. Character devices such as /dev/null are opened as they
/// are, but not through a link that somebody else may have put there. Anything else, a FIFO above
/// all, is refused: whoever planted it would be given what is written.
///
/// `what` is for messages: "the capture". Never waits for a reader.
Result<int> create_new_file(const std::string& path, std::string_view what, bool force);

}  // namespace smtpscope
