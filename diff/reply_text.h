#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parser/capabilities.h"
#include "trace/run_record.h"

namespace smtpscope {

// What can be read from the text of a ReplyRecord: its lines with their codes, joined by LF.

/// The lines, without their codes. Views into `text`.
std::vector<std::string_view> reply_lines(std::string_view text);

/// The first line, with its code.
std::string_view first_reply_line(std::string_view text);

/// The reply tells what the server offers (RFC 5321 4.1.1.1).
bool is_ehlo_offer(const ExchangeRecord& exchange, const ReplyRecord& reply);

/// What such a reply offers.
Capabilities offered_by(std::string_view text);

/// A keyword with its parameters, as one line.
std::string keyword_line(const Capabilities::Keyword& keyword);

}  // namespace smtpscope
