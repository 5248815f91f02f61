#pragma once

#include <re2/re2.h>

namespace smtpscope {

/// How the patterns of the table of reasons are read. Octets: what is looked for in Chinese or
/// Cyrillic is found as it is written.
inline RE2::Options pattern_options() {
  RE2::Options how;
  how.set_encoding(RE2::Options::EncodingLatin1);
  how.set_log_errors(false);
  how.set_never_capture(true);
  return how;
}

}  // namespace smtpscope
