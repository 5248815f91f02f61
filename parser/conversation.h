#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/side.h"
#include "parser/capabilities.h"
#include "parser/item.h"
#include "parser/message_scanner.h"
#include "parser/stream_range.h"

namespace smtpscope {

class ConversationMachine;

/// The octets of both directions of one SMTP session in, Items out. No clock, no socket. Every
/// octet belongs to exactly one item, and any split of the same octets gives the same items in the
/// same order, as long as the order between the two sides stays the same.
///
/// Pull it: after each receive()/left_out()/gap()/eof()/finish(), call next() until it gives
/// nullptr; only then may the octets passed in go away. Bounded memory: kKeptLine octets of a
/// line, kKeptReplyText of a reply, kMaxHeld behind a barrier, kMaxTail behind an end-of-data
/// candidate. An idle conversation costs less than a kilobyte. Not thread-safe.
class Conversation {
 public:
  enum class Start : std::uint8_t { kBeginning, kMidSession };

  /// What the next octet from the command-speaking side would be.
  enum class Phase : std::uint8_t {
    kCommands,
    kAuthResponse,
    kMailData,
    kChunk,
    kBlob,
    kUndecided,  // behind a barrier: waits for a reply
    kTls,
  };

  explicit Conversation(Start start = Start::kBeginning);
  ~Conversation();
  Conversation(Conversation&&) noexcept;
  Conversation& operator=(Conversation&&) noexcept;

  /// Headlines of messages are told, as far as they are in the first `octets` of the content of
  /// each; 0, which is the default: not at all.
  void tell_headlines(std::uint64_t octets);
  /// The octets will be those of an endpoint, which has deciphered them: behind STARTTLS the
  /// dialogue goes on in the clear. To be said before any octets come.
  void see_inside_tls();

  /// More octets of a side's stream, in order.
  void receive(Side side, std::span<const std::uint8_t> octets);
  /// `n` octets of mail data (or a chunk) that came but were not kept; `after` is how the scanner
  /// stood behind them. Legal only where a message is being read; elsewhere it is taken as a gap.
  void left_out(Side side, std::uint64_t n, const MessageScanner& after);
  /// `n` octets are missing (0: unknown how many; stream offsets then go on as if none were).
  void gap(Side side, std::uint64_t n);
  /// Somebody in the session speaks TLS with `side` and sees into it: what `side` says from here on
  /// is SMTP again, not TLS records. With the client, so is what the server says, for a STARTTLS
  /// that was granted on behalf of a server need not reach it.
  void tls_opened(Side side);
  /// The side has closed its direction.
  void eof(Side side);
  /// Nothing more will come from either side.
  void finish();

  /// The next item, or nullptr when more input is needed. The item lives until the next call.
  const Item* next();
  /// Further credentials in the item given last, in order, which stand in the midst of what is
  /// shown of it: there its texts have '#' in their place. What a server repeats in a reply, the
  /// token of a URL.
  std::span<const StreamRange> overwritten() const;

  Phase phase() const;
  /// The side that speaks commands now (TURN/ATRN swap it).
  Side commanding_side() const;
  /// Replies owed now.
  std::uint32_t owed() const;
  /// The end of a message was sent and its final reply has not come: its fate is open.
  bool fate_open() const;
  const Capabilities& capabilities() const;
  /// Octets received that may turn out to be credentials, or what repeats them, are not yet in an
  /// item: nobody may write them down before they are.
  bool secret_pending() const;
  /// Which octets of a side, not yet in an item, have to be overwritten by whoever writes them down
  /// all the same. In order.
  std::vector<StreamRange> undecided(Side side) const;
  /// The scanner of the message being read (Phase kMailData or kChunk), else nullptr.
  const MessageScanner* scanner() const;
  /// False while octets behind an end-of-data candidate must stay at hand for a possible resync.
  bool may_leave_out() const;
  /// Stream offset up to which octets of `side` have been received.
  std::uint64_t received(Side side) const;
  /// Stream offset up to which octets of `side` are in items.
  std::uint64_t itemised(Side side) const;

 private:
  std::unique_ptr<ConversationMachine> machine_;
};

}  // namespace smtpscope
