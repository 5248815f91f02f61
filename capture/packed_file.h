#pragma once

#include <atomic>
#include <string>

#include "base/result.h"

namespace smtpscope {

/// Writes what is in the file `from` into the new file `to` (mode 0600), as gzip (RFC 1952) or
/// Zstandard (RFC 8878) has it. Once `stop` is true it gives up. On an Error `to` is not there.
Result<Done> pack_with_gzip(const std::string& from, const std::string& to,
                            const std::atomic<bool>& stop);
Result<Done> pack_with_zstd(const std::string& from, const std::string& to,
                            const std::atomic<bool>& stop);

}  // namespace smtpscope
