#include "parser/item.h"

namespace smtpscope {

std::string_view to_string(JunkReason reason) {
  switch (reason) {
    case JunkReason::kBehindStartTls:
      return "plaintext behind STARTTLS";
    case JunkReason::kNotTls:
      return "not a TLS record";
    case JunkReason::kUndecided:
      return "undecided";
    case JunkReason::kOverflow:
      return "too much to hold";
    case JunkReason::kResync:
      return "skipped after a gap";
    case JunkReason::kMidSession:
      return "before the first command seen";
    case JunkReason::kCut:
      return "cut by a gap";
  }
  return "unknown";
}

}  // namespace smtpscope
