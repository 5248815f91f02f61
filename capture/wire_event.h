#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/close_kind.h"
#include "base/side.h"
#include "base/tcp_figures.h"
#include "base/time.h"
#include "capture/fidelity.h"
#include "capture/tls_facts.h"
#include "parser/message_scanner.h"

namespace smtpscope {

/// Sessions of a run are numbered from 1 in the order in which they were accepted.
using SessionId = std::uint64_t;
inline constexpr SessionId kWholeRun = 0;

/// A client has connected.
struct SessionOpened {
  std::string_view client;    // "192.0.2.10:50114", "[2001:db8::1]:50114", "unix:…"
  std::string_view listener;  // the address it connected to
  std::string_view upstream;  // what the user asked for: "mx.example:25", "unix:/path", "sink"
  bool mid_session = false;   // the trace began after the session had
  /// Round trip to the client as the kernel measured it (TCP_INFO), if it did.
  std::optional<Duration> rtt = {};
  Fidelity fidelity = {};  // what the trace can know
  /// The peer that has named the client, and how: "192.0.2.1:40000 (PROXY v2)"; "" for a client
  /// that has connected itself.
  std::string_view announced_by = {};
  std::string_view route = {};  // the user's name for the way through the proxy; "": it has none
};

/// The server side accepted, or did not.
struct UpstreamConnected {
  std::string_view server;            // the address that answered
  Duration took{};                    // from the first attempt
  std::uint32_t failed_attempts = 0;  // addresses tried before that did not answer
  /// Round trip to the server as the kernel measured it (TCP_INFO), if it did.
  std::optional<Duration> rtt = {};
};
struct UpstreamFailed {
  std::string_view reason;  // "mx.example:25: connection refused (2 addresses tried)"
};

/// Octets that are not in the event because message capture is bounded; they lie between `head`
/// and `tail`. `after` is the message scanner's state behind them, facts included.
struct LeftOut {
  std::uint64_t octets = 0;
  MessageScanner after = MessageScanner();
};

/// One more hole in a read that has one already, and what follows it. Only a read with chunks of
/// several messages, or several chunks, has such.
struct FurtherPart {
  LeftOut left_out;
  std::span<const std::uint8_t> octets;
};

/// Octets that were overwritten with '#' because they hold credentials.
struct Masked {
  std::uint32_t offset = 0;  // in what is there of the read: head, tail and further, joined
  std::uint32_t octets = 0;
};

/// One read from one side: head + left out + tail + further. One event per read, so that read
/// boundaries and their times survive.
struct Bytes {
  Side from = Side::kClient;
  std::span<const std::uint8_t> head;
  std::shared_ptr<const LeftOut> left_out;  // rare and large, so not in every event
  std::span<const std::uint8_t> tail;       // empty without left_out
  std::span<const FurtherPart> further;     // empty without left_out
  std::span<const Masked> masked;           // in order, without overlap
  bool by_proxy = false;     // made by smtpscope itself (the 421 for an unreachable upstream)
  bool undelivered = false;  // these octets never reached the other side: it was gone, or nothing
                             // may stand behind STARTTLS
  bool tls = false;          // they came inside TLS, and this is what was in it
  /// Said between smtpscope and the server alone: no part of the client's dialogue.
  bool aside = false;
  /// What the other side was given at this moment, where that is not what came (--tls strip). May
  /// be empty: nothing, or nothing yet.
  std::optional<std::span<const std::uint8_t>> instead = {};
  /// The line of a scenario that made these octets or kept them from the other side; "" for none.
  std::string_view scenario = {};

  /// Of the read, whether they are here or left out.
  std::uint64_t octets() const {
    std::uint64_t sum = head.size() + (left_out ? left_out->octets : 0) + tail.size();
    for (const FurtherPart& part : further) sum += part.left_out.octets + part.octets.size();
    return sum;
  }
};

/// A TLS handshake of smtpscope with one of the sides is over; it began `took` before the event's
/// time. What comes from that side afterwards came inside TLS.
struct TlsHandshake {
  Side with = Side::kClient;
  Duration took{};
  std::shared_ptr<const TlsFacts> facts;  // never nullptr
};

/// A TLS alert (RFC 8446 6) outside a handshake, close_notify aside, that `from` sent to smtpscope,
/// or (by_proxy) smtpscope to the other one.
struct TlsAlerted {
  Side from = Side::kClient;
  bool by_proxy = false;
  std::uint8_t level = 0;
  std::uint8_t description = 0;
};

/// The proxy could not hand octets on to `to` from `since` until the event's time: that side did
/// not read. Recorded when it lasted 100 ms or more.
struct Blocked {
  Side to = Side::kServer;
  Time since;
  std::uint64_t octets = 0;  // that waited
};

/// The proxy itself did not run from `since` until the event's time (suspended, starved).
struct ProxyStalled {
  Time since;
};

/// What is not in the record. Octets of one side (`from` is set); or octets of nobody knows which
/// side; or events without octets (only `events` is set). In session 0: of nobody knows which
/// sessions, so it concerns all that are open.
struct Gap {
  std::optional<Side> from;  // whose octets are missing
  std::uint64_t octets = 0;  // 0: unknown
  std::uint64_t events = 0;  // lost, as far as counted
  std::string_view why;      // "the disk was full", "not captured"

  /// Octets of either side may be missing.
  bool of_unknown_octets() const { return !from && (octets != 0 || events == 0); }
};

/// A side has closed its direction, or the connection to it is gone.
struct Closed {
  Side from = Side::kClient;
  CloseKind kind = CloseKind::kFin;
  bool by_proxy = false;    // smtpscope ended it (grace period over, upstream failed)
  std::string_view reason;  // kError, kTimeout, by_proxy: in words
};

/// What a remark is about. What a program says of its own in words that fit none of these is left
/// out: the list is closed, so that causes can rest on it.
enum class RemarkKind : std::uint8_t {
  kTimeout,         // it has waited long enough
  kClosed,          // the other side has closed
  kTlsFailed,       // TLS did not come about
  kLostConnection,  // the connection broke
  kLoginBackend,    // the service that checks logins is out of order
  kTarpit,          // it makes the other side wait, on purpose
  kException,       // an error that the program ends with, mostly one of its language
  kNotOffered,      // it needs what the server does not offer
  kPipelining,      // the other side does not wait for replies
};
inline constexpr std::size_t kRemarkKinds = 9;
/// In captures, JSON and transcripts. A name never changes its meaning.
inline constexpr std::array<std::string_view, kRemarkKinds> kRemarkKindNames = {
    "timeout", "closed",    "tls-failed",  "lost-connection", "login-backend",
    "tarpit",  "exception", "not-offered", "pipelining"};
constexpr std::string_view to_string(RemarkKind kind) {
  return kRemarkKindNames[static_cast<std::size_t>(kind)];
}

/// What the program whose log this is wrote of its own. Nobody's words on the wire: no part of
/// either stream.
struct Remark {
  RemarkKind kind = RemarkKind::kException;
  std::optional<Side> by;          // whose program wrote it; empty: nobody knows
  std::optional<Duration> length;  // that it names: of the wait, of the tarpit
  std::string_view text;           // the line, whole
};

/// How the connection of smtpscope with a side did, when both sides had been silent for a while, or
/// at an end behind a silence.
struct TcpReport {
  Side with = Side::kServer;
  TcpFigures figures;
};

/// Both connections are gone; the last event of a session.
struct SessionEnded {};

/// The truth: what happened on the wire (or to our sight of it), in which session, when.
/// Everything else is derived from it. Views are valid only during the call that
/// hands it over, copy what must stay.
struct WireEvent {
  SessionId session = 0;
  Time time;  // of a read: when the read returned
  std::variant<SessionOpened, UpstreamConnected, UpstreamFailed, Bytes, Blocked, ProxyStalled, Gap,
               Closed, SessionEnded, TlsHandshake, TlsAlerted, Remark, TcpReport>
      body;
  /// It stands at the seam of two files of a run, for who reads one of them alone: told in another
  /// file as well, or telling that there is another one.
  bool seam = false;
};

/// Takes wire events. Implementations must not block: mail waits for them.
class WireSink {
 public:
  virtual ~WireSink() = default;
  virtual void on_wire(const WireEvent& event) = 0;
};

/// What is reported once, at the beginning of a run or a capture file.
struct RunInfo {
  WallTime started;    // Time zero
  std::string writer;  // "smtpscope 0.1.0"
  std::string tap;     // label of the vantage point, "" if none
  std::string source;  // "live", or the file it was read from
  bool credentials_kept = false;
  std::string message_kept;  // "full", "none", or octets as decimal digits
  /// "": as it was. Otherwise names were replaced by pseudonyms, and this says what became of the
  /// messages: "drop", "shape", "keep".
  std::string redacted = {};
  /// What the files of a run have in common; "": there is one file only, or nobody knows.
  std::string run = {};
  std::uint64_t part = 0;  // which of them it is, from 1
};

/// Of each message of the run, from which its Subject and Message-ID may be told: as many as were
/// kept. 0 where names are pseudonyms.
std::uint64_t headline_octets(const RunInfo& run);

}  // namespace smtpscope
