#pragma once

#include <string>
#include <vector>

namespace smtpscope {

/// Puts together those of `runs` that are one file each and one log that was rotated
/// (logrotate(8)): "mail.log", "mail.log.1" and "mail.log.2.gz", or "maillog-20261130" with
/// "maillog"; the oldest first, where the first of them stands. Told by their names, and only what
/// may be a log is joined.
std::vector<std::vector<std::string>> with_rotated_logs(std::vector<std::vector<std::string>> runs);

/// These files, which are read as one, are such a log.
bool is_rotated_log(const std::vector<std::string>& files);

}  // namespace smtpscope
