#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/headline.h"
#include "parser/item.h"
#include "parser/message_scanner.h"

namespace smtpscope {

/// Octets kept behind a possible end of data, in case the server's answer shows that it was one.
/// Enough for a smuggled message of the usual size; what is longer is not found again.
inline constexpr std::size_t kMaxTail = 16 * 1024;

/// The message that is being read: the scanner's state, and from the first end-of-data candidate
/// (or a gap that may have swallowed the end) on, what followed it. Offsets are those of the
/// stream. About a kilobyte, and up to kMaxTail more. Not thread-safe.
class PendingMessage {
 public:
  /// Where the message may have ended although no strict end was seen there.
  struct ResyncPoint {
    DataEnd how = DataEnd::kCandidate;
    std::uint64_t end = 0;         // behind the last octet of the message
    std::uint64_t tail_begin = 0;  // of the first octet kept behind it; a gap may lie between
    MessageFacts facts;            // up to `end`; the dot line counts as content
    std::vector<std::uint8_t> tail;
    bool tail_may_hold_credentials = false;  // if it is commands
  };

  /// `headline_octets`: of its content, in which its Subject and Message-ID are looked for.
  PendingMessage(MessageScanner::Framing framing, std::uint64_t begin,
                 std::uint64_t headline_octets);

  const MessageScanner& scanner() const { return scanner_; }
  const MessageFacts& facts() const { return scanner_.facts(); }

  /// Scans `octets`, which begin at stream offset `at`, up to the strict end at most. Gives how
  /// many were taken.
  std::size_t scan(std::span<const std::uint8_t> octets, std::uint64_t at);
  /// Octets were left out of the trace; the scanner stood at `after` behind them.
  void left_out(const MessageScanner& after);
  /// `n` octets are missing at stream offset `at`.
  void gap(std::uint64_t n, std::uint64_t at);

  /// Where to resume if the server answers now; nullptr when nowhere.
  ResyncPoint* resync_point() { return point_.get(); }
  const ResyncPoint* resync_point() const { return point_.get(); }

  /// What has followed the first candidate, without the strict end's ".CRLF"; empty when there was
  /// none, or when more followed than is kept. A view into this message.
  std::string_view behind_candidate() const;

  /// For people; views into this message. Nothing is to be scanned afterwards.
  Headline headline();

  std::uint64_t missing = 0;        // octets lost in gaps
  std::uint64_t early_until = 0;    // octets before came before the reply to DATA
  Exchange answered = kNoExchange;  // of the final reply that came before the end
  bool assumed = false;             // taken for content without having seen the 354
  bool awaits_data_reply = false;   // the reply to DATA is still owed
  bool refused = false;             // it came and was no 354: the end owes nothing

 private:
  void read_headline(std::span<const std::uint8_t> octets, std::uint64_t scanned_before);
  void keep_tail(std::span<const std::uint8_t> octets);
  void watch(std::span<const std::uint8_t> octets, std::uint64_t at, std::uint64_t scanned_before);
  MessageScanner replay(std::span<const std::uint8_t> octets) const;
  void advance_anchor(std::span<const std::uint8_t> octets);
  void give_up();

  MessageScanner scanner_;
  HeadlineReader headline_;
  std::string subject_;
  std::string message_id_;
  // A candidate that ends in CR is only known once the octets behind the CRs are. The anchor is
  // the scanner before the CRs that came last, so that the state at the candidate can be made.
  MessageScanner anchor_;
  std::uint64_t crs_behind_anchor_ = 0;
  std::unique_ptr<ResyncPoint> point_;
  bool watches_;  // for a candidate
};

}  // namespace smtpscope
