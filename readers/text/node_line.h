#pragma once

#include <optional>
#include <string_view>

namespace smtpscope {

/// A line of nodemailer's and smtp-server's logger behind its stamp: "DEBUG [J0dHor0TW1k] C: QUIT".
/// Views into the line.
struct NodeLine {
  std::string_view level;
  std::string_view session;  // "" if it is about none
  std::string_view text;
};

/// Empty when the line is none.
std::optional<NodeLine> read_node_line(std::string_view line);

/// The same of a line with its stamp.
std::optional<NodeLine> read_stamped_node_line(std::string_view line);

}  // namespace smtpscope
