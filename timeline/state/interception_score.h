#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace smtpscope {

/// Points for a program that speaks in somebody's name, and what they are given for. What one trace
/// shows is counted by the rule interception-suspected, what two traces of one dialogue show by the
/// comparison of both. A value.
struct InterceptionScore {
  /// Two traces differ: proof, so it is enough by itself.
  static constexpr std::uint64_t kTracesDiffer = 3;
  /// The greeting or the reply to QUIT, which nobody has a reason to change.
  static constexpr std::uint64_t kGreetingDiffers = 2;
  /// STARTTLS was answered without the server having been asked.
  static constexpr std::uint64_t kStartTlsAnswered = 2;

  std::uint64_t points = 0;
  std::string words;     // what they are given for
  std::string evidence;  // the same with the points of each

  void add(std::uint64_t more, std::string_view what) {
    points += more;
    words += fmt::format("{}{}", words.empty() ? "" : ", ", what);
    evidence += fmt::format("{}{} ({})", evidence.empty() ? "" : ", ", what, more);
  }
};

}  // namespace smtpscope
