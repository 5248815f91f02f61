#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smtpscope {

/// What a program logs by logrus and the like: time="2024-05-01T10:00:00Z" level=debug
/// msg="Client sent: QUIT". Gives the message behind its time; empty for another line. Lines in the
/// message stay lines.
std::optional<std::string> text_of_logfmt_line(std::string_view line);

}  // namespace smtpscope
