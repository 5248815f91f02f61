// The first octet chooses the framing, the second the size of the pieces; the rest is the content.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "parser/message_scanner.h"

namespace {

using smtpscope::MessageScanner;

void must(bool holds) {
  if (!holds) std::abort();
}

/// Scans in pieces of `piece` octets, saving and restoring the scanner between them.
MessageScanner scanned(std::span<const std::uint8_t> octets, MessageScanner::Framing framing,
                       std::size_t piece) {
  MessageScanner scanner(framing);
  while (!octets.empty() && !scanner.ended()) {
    const auto part = octets.first(std::min(piece, octets.size()));
    const std::size_t taken = scanner.scan(part);
    must(taken == part.size() || scanner.ended());
    octets = octets.subspan(taken);
    const auto restored = MessageScanner::restore(scanner.save());
    must(restored.has_value() && *restored == scanner);
    scanner = *restored;
  }
  return scanner;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto framing = data[0] % 2 == 0 ? MessageScanner::Framing::kDotTerminated
                                        : MessageScanner::Framing::kCounted;
  const std::size_t piece = 1 + data[1];
  const std::span octets(data + 2, size - 2);

  const MessageScanner whole = scanned(octets, framing, std::max<std::size_t>(octets.size(), 1));
  must(whole == scanned(octets, framing, 1));
  must(whole == scanned(octets, framing, piece));

  // The end is where a search finds it (RFC 5321 4.1.1.4).
  std::string text = "\r\n";
  text.append(octets.begin(), octets.end());
  const std::size_t end =
      framing == MessageScanner::Framing::kCounted ? std::string::npos : text.find("\r\n.\r\n");
  must(whole.ended() == (end != std::string::npos));
  must(whole.wire_octets() == (whole.ended() ? end + 3 : octets.size()));

  // The first of its kind is one, and what is said of the header section agrees with the whole.
  const smtpscope::MessageFacts& facts = whole.facts();
  const std::span content = octets.first(static_cast<std::size_t>(whole.wire_octets()));
  const auto stands = [&](std::uint64_t count, std::uint64_t first_end, std::uint8_t octet) {
    must((count == 0) == (first_end == 0));
    if (first_end != 0) must(content[static_cast<std::size_t>(first_end - 1)] == octet);
  };
  stands(facts.bare_cr, facts.first_bare_cr_end, '\r');
  stands(facts.bare_lf, facts.first_bare_lf_end, '\n');
  stands(facts.cr_cr_lf, facts.first_cr_cr_lf_end, '\n');
  stands(facts.nul, facts.first_nul_end, 0);
  stands(facts.unstuffed_dots, facts.first_unstuffed_dot_end, '.');
  must((facts.long_lines > 0) == (facts.longest_line > smtpscope::kLongestTextLine));
  must((facts.long_lines > 0) == (facts.first_long_line > 0));
  must(facts.header.eight_bit <= facts.eight_bit);
  return 0;
}
