#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/side.h"
#include "parser/octet_cursor.h"
#include "parser/tls_messages.h"

namespace smtpscope {

/// Puts the handshake messages of both directions of a TLS connection together from the records
/// that are not encrypted (RFC 8446 5.1: a message may span records, a record may hold several),
/// and reads those that tell something. Of one message it holds kKeptMessage octets at most, and
/// only until its end. One per session with TLS, while its handshake lasts. Not thread-safe.
class TlsHandshakes {
 public:
  /// A chain of certificates is the longest message; what is beyond is stepped over.
  static constexpr std::size_t kKeptMessage = 20 * 1024;

  /// More of the fragment of a handshake record.
  void take(Side side, Octets fragment);
  /// The record is complete, or will never be. What ended in it, valid until the next take() or
  /// end_record() of the side.
  const TlsMessages& end_record(Side side);
  /// Octets of a handshake record are missing: what the side says from here on is not understood.
  void lose(Side side);
  /// The record of the side that is being read began inside a message.
  bool record_continues(Side side) const { return reader(side).continues; }
  /// The server has chosen TLS 1.3, in which no handshake record is encrypted (RFC 8446 5).
  bool chose_tls13() const { return chose_tls13_; }

 private:
  struct Reader {
    std::array<std::uint8_t, 4> head{};  // type and length of the message
    std::uint8_t have = 0;               // octets in head
    std::uint32_t left = 0;              // of the message
    std::string kept;
    TlsMessages messages;
    bool continues = false;
    bool record_open = false;
    bool aside = false;  // the rest of the record is not understood
    bool lost = false;
  };

  Reader& reader(Side side) { return readers_[index(side)]; }
  const Reader& reader(Side side) const { return readers_[index(side)]; }
  void end_message(Reader& reader);
  void read_client_hello(Octets octets, TlsMessages& messages);
  void read_server_hello(Octets octets, TlsMessages& messages);

  std::array<Reader, 2> readers_;
  std::string client_session_;  // session id of the ClientHello, for seeing whether it is resumed
  bool chose_tls13_ = false;
};

}  // namespace smtpscope
