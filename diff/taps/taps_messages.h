#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "diff/taps/taps_comparison.h"

namespace smtpscope {

/// A message as a tap saw it.
struct TapsMessage {
  const SessionRecord* session = nullptr;
  const TransactionRecord* transaction = nullptr;
};

/// The messages of a dialogue at both taps, those that are the same beside each other.
struct TapsMessages {
  std::vector<std::pair<TapsMessage, TapsMessage>> both;
  /// Of those that one tap only saw.
  std::set<const TransactionRecord*> only_near_client, only_near_server;
};

/// Finds which message is which, by Message-ID or content, then by order.
TapsMessages match_messages(const std::vector<const SessionRecord*>& near_client,
                            const std::vector<const SessionRecord*>& near_server);

/// Adds what is not the same in a message, octet by octet as far as the captures hold it: header
/// fields by name, where the bodies differ first, line ends, stuffed dots (RFC 5321 4.5.2). False
/// if not all of it is in the captures.
bool compare_message(const TapsMessage& near_client, const TapsMessage& near_server,
                     std::vector<TapsChange>& changes);

}  // namespace smtpscope
