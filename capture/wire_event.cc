#include "capture/wire_event.h"

namespace smtpscope {

std::string_view to_string(CloseKind kind) {
  switch (kind) {
    case CloseKind::kFin:
      return "fin";
    case CloseKind::kReset:
      return "reset";
    case CloseKind::kTimeout:
      return "timeout";
    case CloseKind::kError:
      return "error";
  }
  return "error";
}

}  // namespace smtpscope
