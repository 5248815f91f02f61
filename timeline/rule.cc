#include "timeline/rule.h"

#include <array>

namespace smtpscope {

std::string_view to_string(Category category) {
  constexpr std::array<std::string_view, kCategories> kNames = {
      "transaction", "timing", "sequencing", "syntax", "extension", "security",
      "tls",         "auth",   "network",    "server", "client"};
  return kNames[static_cast<std::size_t>(category)];
}

std::string_view to_string(Certainty certainty) {
  constexpr std::array<std::string_view, 3> kNames = {"seen", "likely", "possible"};
  return kNames[static_cast<std::size_t>(certainty)];
}

}  // namespace smtpscope
