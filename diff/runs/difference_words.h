#pragma once

#include <string>

#include "diff/runs/difference.h"

namespace smtpscope {

/// What a difference comes to, in words for people: "SIZE=300 is gone", "was 1 ms, now 700 ms". ""
/// where the octets say it all.
std::string change_words(const Difference& difference);

}  // namespace smtpscope
