#include "readers/logs/catalogue.h"

#include <array>

namespace smtpscope {
namespace {

constexpr std::array kAllLogs = {
#define SMTPSCOPE_LOG(kind) &(kind),
#include "readers/logs/catalogue.def"
#undef SMTPSCOPE_LOG
};

}  // namespace

std::span<const LogKind* const> all_logs() { return kAllLogs; }

const LogKind* find_log(std::string_view text, bool whole) {
  for (const LogKind* kind : kAllLogs) {
    if (kind == &kGeneralKind && !whole) return nullptr;
    if (kind->recognises(text)) return kind;
  }
  return nullptr;
}

}  // namespace smtpscope
