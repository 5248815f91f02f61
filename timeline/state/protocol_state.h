#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/close_kind.h"
#include "base/side.h"
#include "base/time.h"
#include "parser/verb.h"

namespace smtpscope {

/// What a scenario has done to a session.
struct ScenarioNotes {
  static constexpr std::size_t kMostLines = 8;

  std::vector<std::string> lines;  // of it that changed something, the first kMostLines
  bool more = false;               // there were others
  std::string told;                // the line that the timeline told of last
};

/// How a side's direction was closed.
struct CloseRecord {
  CloseKind kind = CloseKind::kFin;
  bool by_proxy = false;
  bool behind_fin = false;  // a reset: the side had closed in an orderly way before
  Time time;
  Time left;  // when the side closed first: of a reset behind a FIN, when that came
};

/// A hello, accepted or not.
struct LastHello {
  std::uint64_t entry = 0;  // of EHLO, HELO or LHLO; 0: none yet
  Verb verb = Verb::kUnknown;
  std::uint16_t code = 0;  // of its reply; 0 while none
  std::string name;        // its argument, the first 255 octets (RFC 5321 4.5.3.1.2)
};

/// What the protocol is in: what both sides have agreed on, and who they are. Bounded.
struct ProtocolState {
  enum class Greeting : std::uint8_t { kPending, kOk, kRefused };
  enum class Hello : std::uint8_t { kNone, kHelo, kEhlo, kLhlo };

  Greeting greeting = Greeting::kPending;
  Hello hello = Hello::kNone;
  bool mid_session = false;
  bool tls = false;        // opaque from here on
  bool encrypted = false;  // TLS was agreed on, whether the trace sees what is inside or not
  bool authenticated = false;
  bool connected = false;  // the server side accepted the connection
  bool connect_failed = false;
  bool quit_sent = false;
  bool quit_answered = false;    // with 221
  bool client_is_local = true;   // loopback or Unix socket
  bool client_is_told = false;   // a PROXY header names another client than the one connected
  bool greeted_oddly = false;    // a line without a code came before any greeting
  bool turned_away = false;      // smtpscope itself refused the session in the server's place
  bool server_extended = false;  // the greeting says ESMTP
  bool greeting_masked = false;  // something has overwritten the greeting with asterisks
  bool reply_rewritten = false;  // the client was given another EHLO reply than the server's
  std::unique_ptr<ScenarioNotes> scenario;  // nullptr: none changed anything
  std::uint16_t hangup_code = 0;            // 421 or 521 once the server said it
  std::uint64_t hangup_entry = 0;
  /// Of the last command whose reply decided what the octets behind it were: DATA, AUTH …
  /// (Barrier). Says behind what an early command (kEarly) came.
  Verb barrier = Verb::kUnknown;
  /// What a side says comes inside TLS, into which smtpscope sees (index: of the speaker).
  std::array<bool, 2> in_tls{};

  Time opened;
  Time connected_at;
  std::array<std::optional<CloseRecord>, 2> closes;  // by index(Side): how it closed first
  std::optional<Side> first_closer;
  std::unique_ptr<const std::string> proxys_reason;  // for which smtpscope closed; nullptr: none

  // Who is who. Names as sent, for the eye and for comparing.
  std::string client_host;        // its address without the port; "unix" for a Unix socket
  std::uint64_t client_hash = 0;  // of it
  std::string upstream;           // the server, as the user named it
  std::string server_name;        // first word of the greeting's text; "" if it has none
  std::uint64_t server_hash = 0;  // of the host that answered; 0: none did, or it is not known
  LastHello last_hello;           // accepted or not
};

}  // namespace smtpscope
