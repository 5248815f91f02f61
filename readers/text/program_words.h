#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// What a line that a program wrote of its own is about, and the time that it names.
struct ProgramWords {
  RemarkKind kind = RemarkKind::kException;
  std::optional<Duration> length = {};
};

/// Of a line that neither side said; empty where it is about nothing that decides a session.
std::optional<ProgramWords> program_words(std::string_view line);

/// The line says that no connection came about: refused, unreachable, unknown, too late.
bool says_unreachable(std::string_view line);

/// "30 secs", "5000 milliseconds", "0.00:00:30" in a line; the first of them.
std::optional<Duration> length_named(std::string_view line);

}  // namespace smtpscope
