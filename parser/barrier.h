#pragma once

#include <cstdint>

namespace smtpscope {

/// The wait of ConversationMachine for a reply that decides what the octets behind its command
/// are: mail data, a chunk, an AUTH response, TLS, or commands. While it stands, they are held.
struct Barrier {
  /// The commands behind which that is so.
  enum class Kind : std::uint8_t { kNone, kData, kAuth, kStartTls, kChunk, kBlob, kTurn };

  std::uint64_t missing = 0;  // octets of the commanding side that a gap behind it has
  Kind kind = Kind::kNone;
  bool gap = false;                // there is one
  bool reply_may_be_lost = false;  // in a gap of the side that replies
  bool overflowed = false;         // more came than is held: octets are only counted

  /// Whether a reply with this code grants what the command asks for. After any other the octets
  /// behind it are ordinary commands.
  bool granted_by(int code) const;
  /// What is held no longer follows the command octet by octet.
  bool lost_track() const { return overflowed || gap; }
  void forget_gap() {
    gap = false;
    missing = 0;
  }
};

}  // namespace smtpscope
