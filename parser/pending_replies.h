#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "parser/item.h"

namespace smtpscope {

/// The replies that the server owes, oldest first. Replies are matched by counting, never by code
/// or text (RFC 2920 3.1): take() says what the next one answers.
///
/// Like neighbours share a run, so that a thousand pipelined RCPTs cost one. Bounded: beyond
/// kMaxRuns runs further elements are still counted and numbered, but no longer told apart.
/// Not thread-safe.
class PendingReplies {
 public:
  static constexpr std::size_t kMaxRuns = 4096;

  /// What must be known of an element when its reply comes, as bits.
  enum Mark : std::uint8_t {
    kPrdr = 1 << 0,          // MAIL with the parameter PRDR
    kLastChunk = 1 << 1,     // BDAT LAST
    kBehindBareLf = 1 << 2,  // the line before it ended in a bare LF and was unanswered then
  };

  /// What a reply answers.
  struct Answered {
    Answers answers = Answers::kOrphan;
    Verb verb = Verb::kUnknown;
    Exchange exchange = kNoExchange;
    std::uint32_t ordinal = 0;
    std::uint8_t marks = 0;
    bool last = true;  // the element is owed no more
  };

  /// Something is owed `replies` replies (at least 1); gives its number.
  Exchange add(Answers answers, Verb verb, std::uint8_t marks = 0, std::uint32_t replies = 1);
  /// The octets of XEXCH50 are owed a second reply under the number of their command.
  void add_second(Exchange exchange, Verb verb);

  /// What the next reply answers, without counting it. Must not be empty().
  Answered oldest() const;
  /// What is owed behind the oldest element. At least two elements must be pending.
  Answered second() const;
  /// Counts one reply for the oldest element. Must not be empty().
  Answered take();
  /// The oldest element is owed `replies` in all, those given included; 0 removes it.
  void set_oldest(std::uint32_t replies);

  bool empty() const { return owed_ == 0; }
  std::uint32_t owed() const { return owed_; }
  /// How many messages wait for the reply to their end.
  std::uint32_t ends_of_message() const;
  bool has_hello() const;

  /// Nothing is owed any more; the numbers stay used.
  void void_all();
  /// Replies to what is owed now may have been lost.
  void suspect_all() { suspect_below_ = next_; }
  /// Some of what is owed is suspect.
  bool suspect() const { return owed_ > 0 && runs_[head_].exchange < suspect_below_; }
  /// Suspect elements are owed nothing any more.
  void void_suspects();
  /// All that is owed belongs to lines behind a bare LF: the server may have read them as part of
  /// a line that it has answered.
  bool only_behind_bare_lf() const { return owed_ > 0 && owed_ == behind_bare_lf_; }

 private:
  struct Run {
    Exchange exchange = 0;      // of the first element
    std::uint32_t replies = 0;  // still owed: one per element, or all by the only one
    std::uint32_t ordinal = 0;  // of the next reply to the first element
    Answers answers = Answers::kCommand;
    Verb verb = Verb::kUnknown;
    std::uint8_t marks = 0;
    bool several = false;  // one element that is owed them all
  };

  std::size_t runs() const { return runs_.size() - head_; }
  void push(const Run& run);
  /// `replies` fewer are owed by the oldest run, which goes when nothing is left.
  void shorten_oldest(std::uint32_t replies);

  std::vector<Run> runs_;  // [head_, end)
  std::size_t head_ = 0;
  Exchange next_ = 0;
  Exchange suspect_below_ = 0;
  std::uint32_t owed_ = 0;
  std::uint32_t behind_bare_lf_ = 0;
};

}  // namespace smtpscope
