#include "parser/message_facts.h"

namespace smtpscope {

std::string_view to_string(EodCandidate kind) {
  switch (kind) {
    case EodCandidate::kLfDotLf:
      return "LF . LF";
    case EodCandidate::kLfDotCrLf:
      return "LF . CRLF";
    case EodCandidate::kCrLfDotLf:
      return "CRLF . LF";
    case EodCandidate::kCrDotCr:
      return "CR . CR";
    case EodCandidate::kCrDotCrLf:
      return "CR . CRLF";
    case EodCandidate::kCrLfDotCr:
      return "CRLF . CR";
    case EodCandidate::kCrCrLf:
      return "CRCRLF . CRCRLF";
    case EodCandidate::kNul:
      return "NUL beside the dot";
    case EodCandidate::kOther:
      return "mixed line ends";
  }
  return "";
}

}  // namespace smtpscope
