#pragma once

#include <cstdint>
#include <string_view>

namespace smtpscope {

/// What every record of the jsonl format begins with: {"event":"entry","session":3, …
struct RecordHead {
  std::string_view event;
  std::uint64_t session = 0;  // 0: of none
};

RecordHead head_of_record(std::string_view record);

}  // namespace smtpscope
