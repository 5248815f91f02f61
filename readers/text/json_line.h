#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smtpscope {

/// What a logging service keeps of a program's line as an object of JSON (RFC 8259): Docker, a
/// container's log in Kubernetes, journalctl -o json. Gives the line with its time before it, as
/// the program or syslog would have written it; empty for what is no such object. The text may have
/// several lines.
std::optional<std::string> text_of_json_line(std::string_view line);

/// Most of the first lines are such objects; prose may stand around.
bool holds_json_lines(std::string_view text);

}  // namespace smtpscope
