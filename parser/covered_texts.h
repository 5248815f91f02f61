#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parser/recent_secrets.h"
#include "parser/stream_range.h"

namespace smtpscope {

/// What a Conversation needs to show lines without the credentials in them; only those that have
/// seen credentials have it. Views of items point into it.
struct CoveredTexts {
  RecentSecrets secrets;
  std::uint64_t since =
      0;                // stream offset of the replying side: what came before was not held back
  std::string command;  // the line being given, with '#'
  std::string reply;    // the reply line that was read last, with '#'
  std::vector<StreamRange> in_reply;  // of the reply being read
  std::vector<StreamRange> shown;     // of the item given last
};

}  // namespace smtpscope
