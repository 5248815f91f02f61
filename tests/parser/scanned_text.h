#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/octets.h"
#include "parser/message_facts.h"
#include "parser/message_scanner.h"

namespace smtpscope::test {

/// `text` for people.
std::string visible(std::string_view text);

/// Scans `text` in pieces of `piece` octets.
MessageScanner scanned(std::string_view text,
                       MessageScanner::Framing framing = MessageScanner::Framing::kDotTerminated,
                       std::size_t piece = ~std::size_t{0});

/// What a scanner must find, worked out from the whole text at once by searching it: another way
/// than the scanner goes.
struct Expected {
  MessageFacts facts;
  std::uint64_t wire_octets = 0;
  bool ended = false;
};
Expected expected_of(std::string_view wire, MessageScanner::Framing framing);

void check_facts(const MessageFacts& got, const MessageFacts& wanted);
void check_scanner(const MessageScanner& scanner, const Expected& expected, std::string_view text);

}  // namespace smtpscope::test
