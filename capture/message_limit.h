#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/side.h"
#include "parser/conversation.h"
#include "parser/item.h"
#include "parser/message_scanner.h"

namespace smtpscope {

/// Decides, while a Conversation reads one read of its commanding side, which octets of it are
/// content beyond what is kept of a message. Made before receive(), told of each item, and asked
/// after the last.
///
/// What is never left out: the last octets of mail data if they are in one read with its end
/// (so that the final dot shows); what may turn out to be commands behind an end-of-data
/// candidate; content that came while a barrier stood, such as before the reply to DATA. Lives for
/// one event only.
class MessageLimit {
 public:
  /// Octets [begin, end) of the read, and how the scanner stands behind them.
  struct Hole {
    std::size_t begin = 0;
    std::size_t end = 0;
    MessageScanner after;
  };

  /// `limit` is in octets of each message, as they go over the wire.
  MessageLimit(std::uint64_t limit, const Conversation& conversation, Side from,
               std::span<const std::uint8_t> octets);

  /// The conversation's next() gave `item`.
  void on_item(const Item& item);
  /// It gave nullptr. The holes are in order, not empty, and do not touch.
  std::span<const Hole> finish();

 private:
  /// Content that began at `begin` of the read, and how the scanner stood there.
  struct Content {
    std::size_t begin = 0;
    MessageScanner before;
  };

  void watch_barrier();
  void begin_content(std::size_t begin, const MessageScanner& before);
  void leave_out(std::size_t end);

  std::uint64_t limit_;
  const Conversation& conversation_;
  Side from_;
  std::span<const std::uint8_t> octets_;
  std::uint64_t at_;      // stream offset of the first octet
  bool barrier_ = false;  // stood in this read
  std::optional<Content> content_;
  std::vector<Hole> holes_;
};

}  // namespace smtpscope
