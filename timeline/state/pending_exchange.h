#pragma once

#include <cstdint>

#include "base/time.h"
#include "parser/item.h"

namespace smtpscope {

/// Something that is owed a reply, from the moment it was sent: a command, an AUTH response, an
/// end of data.
struct PendingExchange {
  Exchange exchange = 0;
  std::uint64_t entry = 0;                 // number of its entry
  Time first, last;                        // arrival of its octets
  std::uint64_t transaction = 0;           // that it belongs to; 0: none
  std::uint32_t recipient = kNoRecipient;  // RCPT: index in the transaction's recipients
  std::uint32_t pending_before = 0;        // replies owed when its first octet arrived
  Verb verb = Verb::kUnknown;
  Answers kind = Answers::kCommand;
  bool has_arguments = false;
  bool ends_message = false;  // end of data, BDAT LAST, BURL LAST: its reply decides the message
  bool answered = false;      // at least once
  bool at_candidate = false;  // end of data: not CRLF.CRLF, but the server took it

  static constexpr std::uint32_t kNoRecipient = ~std::uint32_t{0};
};

}  // namespace smtpscope
