#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "timeline/reasons/reason_table.h"

namespace smtpscope {

/// What is compiled in, with the file that --reasons names asked first; "" for none.
Result<ReasonTable> read_reasons(const std::string& path);

/// Appends what to check, numbered, beside the word "check".
void put_checks(std::string& out, std::span<const std::string> checks, std::size_t width);

/// One reply judged, for readers, wrapped to `width` columns (0: not wrapped).
std::string judged_reply(const ReplyText& reply, const ReasonVerdict& verdict,
                         const ReasonTable& table, std::size_t width);

}  // namespace smtpscope
