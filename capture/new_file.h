#pragma once

#include <cstdint>
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

/// Begins a file again after what had this name was renamed (logrotate): a new one, or an empty one
/// of ours that is there already (logrotate's `create`), with `beginning` in it. Follows no link.
/// Gives its descriptor, or an errno as a negative number, EEXIST where the name is taken.
int begin_file_again(const std::string& path, std::string_view beginning);

/// Of a file with this name that is open as `descriptor`.
enum class FileName : std::uint8_t {
  kSame,   // it still has it, or never had: a device, a stream
  kFree,   // it was renamed, and begin_file_again() can have the name
  kTaken,  // it was renamed, and another file has the name
};
FileName look_for_name(int descriptor, const std::string& path);

}  // namespace smtpscope
