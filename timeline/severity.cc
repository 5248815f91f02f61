#include "timeline/severity.h"

#include <array>

namespace smtpscope {
namespace {

constexpr std::array<std::string_view, 4> kSeverities = {"info", "notice", "warning", "error"};

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::string_view to_string(Fault fault) {
  constexpr std::array<std::string_view, 5> kNames = {"client", "server", "network", "proxy",
                                                      "unknown"};
  return kNames[static_cast<std::size_t>(fault)];
}

std::string_view in_words(Fault fault, std::string_view unknown) {
  constexpr std::array<std::string_view, 4> kWords = {
      "the client side", "the server side", "the network between", "smtpscope, or its setup"};
  return fault == Fault::kUnknown ? unknown : kWords[static_cast<std::size_t>(fault)];
}

std::string_view to_string(Party party) {
  constexpr std::array<std::string_view, 4> kNames = {"client", "server", "proxy", "unknown"};
  return kNames[static_cast<std::size_t>(party)];
}

std::optional<Severity> severity_of(std::string_view name) {
  for (std::size_t i = 0; i < kSeverities.size(); ++i) {
    if (kSeverities[i] == name) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

}  // namespace smtpscope
