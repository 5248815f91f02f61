#include "timeline/thresholds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace smtpscope {
namespace {

constexpr std::int64_t operator""_ms(unsigned long long n) {
  return static_cast<std::int64_t>(n) * 1'000'000;
}
constexpr std::int64_t operator""_s(unsigned long long n) {
  return static_cast<std::int64_t>(n) * 1'000'000'000;
}

constexpr std::array<ThresholdKind, kThresholds> all_kinds() {
  using enum Threshold;
  using enum Unit;
  return {{
      // A nominal timer of one second must not be lost to rounding: hence 0.95.
      {kGapNote, "gap", "note", kDuration, 950_ms, "the shortest silence that is reported"},
      {kGapNotice, "gap", "notice", kDuration, 5_s, "a silence worth a look"},
      {kGapClientWarning, "gap-client", "warning", kDuration, 60_s,
       "a silence of the client that is a warning"},
      {kGapServerWarning, "gap-server", "warning", kDuration, 30_s,
       "a silence of the server that is a warning"},
      {kGapServerShare, "gap-server", "share", kPercent, 50,
       "of the time that RFC 5321 allows the server: a warning too"},
      {kRsetServerClosedWithin, "rset-server-closed", "within", kDuration, 100_ms,
       "a close within this time of the reply to RSET counts as caused by it"},
      {kRsetProbeSilence, "rset-liveness-probe", "silence", kDuration, 500_ms,
       "idle for so long before the RSET"},
      {kRsetProbeNext, "rset-liveness-probe", "next", kDuration, 500_ms,
       "MAIL follows the reply within this"},
      {kGreylistRetryWithin, "greylist-retry-same-session", "within", kDuration, 60_s,
       "a retry so soon is pointless"},
      {kDuplicateMemory, "duplicate-message", "memory", kDuration, 3600_s,
       "how long messages of other sessions are remembered"},
      {kTimeoutClient, "txn-aborted-timeout", "client", kDuration, 60_s,
       "the client's silence before the server gave up"},
      {kTimeoutServer, "txn-aborted-timeout", "server", kDuration, 30_s,
       "the server's silence before the client gave up"},
      {kEodReplyNotice, "eod-reply-slow", "notice", kDuration, 10_s, "the reply took longer"},
      {kEodReplyWarning, "eod-reply-slow", "warning", kDuration, 60_s, "the reply took longer"},
      {kEodReplyError, "eod-reply-slow", "error", kDuration, 300_s, "the reply took longer"},
      {kPreDotPause, "pre-dot-pause", "pause", kDuration, 900_ms,
       "between the content and its dot"},
      {kReplyDripped, "reply-dripped", "pause", kDuration, 1_s, "inside one reply"},
      {kGreetingInfo, "greeting-delay", "info", kDuration, 1_s, "until the greeting was complete"},
      {kGreetingNotice, "greeting-delay", "notice", kDuration, 5_s,
       "until the greeting was complete"},
      {kGreetingWarning, "greeting-delay", "warning", kDuration, 30_s,
       "until the greeting was complete"},
      {kGreetingError, "greeting-delay", "error", kDuration, 300_s,
       "until the greeting was complete"},
      {kTarpitFloor, "tarpit-pattern", "floor", kDuration, 800_ms, "shorter delays do not count"},
      {kTarpitReplies, "tarpit-pattern", "replies", kCount, 3,
       "so many replies with the same delay"},
      {kTarpitSpread, "tarpit-pattern", "spread", kPercent, 10, "how far the delays may differ"},
      {kDataStallNotice, "data-stall", "notice", kDuration, 2_s, "without an octet of the message"},
      {kDataStallWarning, "data-stall", "warning", kDuration, 30_s,
       "without an octet of the message"},
      {kDataStallError, "data-stall", "error", kDuration, 180_s, "without an octet of the message"},
      // A timer never fires early; the clocks at both ends of a measurement may disagree a little.
      {kRoundEarly, "round-pause", "early", kDuration, 5_ms, "short of the round length"},
      {kRoundLate, "round-pause", "late", kDuration, 60_ms, "beyond it (or two round trips)"},
      // resolv.conf(5): RES_TIMEOUT is 5 s.
      {kDnsPeriod, "dns-timeout-signature", "period", kDuration, 5_s, "a resolver's time limit"},
      {kDnsExcess, "dns-timeout-signature", "excess", kDuration, 300_ms, "beyond a multiple of it"},
      {kNearTimeoutShare, "near-rfc-timeout", "share", kPercent, 80,
       "of the least that RFC 5321 4.5.3.2 asks to wait"},
      {kClientTimeoutShare, "client-timeout-short", "share", kPercent, 80,
       "of the least that RFC 5321 4.5.3.2 asks to wait"},
      {kIdleHeld, "idle-connection", "held", kDuration, 30_s, "silent without a transaction"},
      {kIdleTimedOut, "idle-connection", "timeout", kDuration, 300_s,
       "a server should wait at least this (RFC 5321 4.5.3.2.7)"},
      {kContentLines, "content-parsed-as-commands", "lines", kCount, 3,
       "lines in a row that are no commands"},
      {kCommandLine, "command-line-too-long", "limit", kOctets, 512,
       "with CRLF, before what extensions add (RFC 5321 4.5.3.1.4)"},
      {kTextLineWarning, "text-line-too-long", "warning", kOctets, 2048, "the longest line"},
      {kTextLineError, "text-line-too-long", "error", kOctets, 65536, "the longest line"},
      {kDotStuffingLines, "dot-stuffing-suspect", "lines", kCount, 3,
       "lines after the message that are no commands"},
      {kDotStuffingMissing, "dot-stuffing-suspect", "missing", kOctets, 5,
       "of the declared size, more than this"},
      {kSizeShare, "size-declared-mismatch", "share", kPercent, 5, "larger than declared, and"},
      {kSizeSlack, "size-declared-mismatch", "slack", kOctets, 1024, "this many octets more"},
      {kBdatStall, "bdat-size-mismatch", "stall", kDuration, 5_s, "with octets of a chunk missing"},
      {kInterceptionScore, "interception-suspected", "score", kCount, 3,
       "points from which it is reported"},
      {kInterceptionPause, "interception-suspected", "pause", kDuration, 5_s,
       "the shortest round pause before a replay that counts"},
      {kTwoPointDelay, "two-point-divergence", "delay", kDuration, 1_s,
       "held between the two taps for this long"},
      {kAuthRetryNotice, "auth-retry", "notice", kCount, 2, "attempts"},
      {kAuthRetryWarning, "auth-retry", "warning", kCount, 3, "attempts"},
      {kReplyLine, "reply-line-too-long", "line", kOctets, 512,
       "of one line with CRLF (RFC 5321 4.5.3.1.5)"},
      {kReplyLines, "reply-line-too-long", "lines", kCount, 100, "lines of one reply"},
      {kReplyOctets, "reply-line-too-long", "reply", kOctets, 65536, "of one reply"},
      {kReplyMissingAfter, "reply-missing", "after", kDuration, 600_s, "without a reply"},
      {kClosedAfterError, "server-closed-without-421", "after-error", kDuration, 1_s,
       "a close within this time of an error reply counts as caused by it"},
      {kServerLingers, "server-closed-without-421", "lingers", kDuration, 5_s,
       "a server that is still open so long after its 221"},
      {kTooManyErrors, "too-many-errors", "errors", kCount, 5,
       "error replies before any accepted message"},
      {kLmtpWait, "lmtp-reply-count", "wait", kDuration, 2_s, "for one more reply"},
      {kNoDialogueLifetime, "no-dialogue", "lifetime", kDuration, 60_s, "of the connection"},
      {kParallelInfo, "parallel-sessions", "info", kCount, 2, "connections at a time"},
      {kParallelNotice, "parallel-sessions", "notice", kCount, 10, "connections at a time"},
      {kReconnects, "parallel-sessions", "storm", kCount, 5, "new connections within the window"},
      {kReconnectWindow, "parallel-sessions", "window", kDuration, 10_s, "of the new connections"},
  }};
}

constexpr std::array<ThresholdKind, kThresholds> kKinds = all_kinds();

consteval bool in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<std::size_t>(kKinds[i].threshold) != i) return false;
  }
  return true;
}
static_assert(in_order());

/// A decimal number, not negative; what follows it is left in `text`.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || !(value >= 0)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::string ThresholdKind::name() const { return fmt::format("{}.{}", rule, key); }

std::span<const ThresholdKind> all_thresholds() { return kKinds; }

const ThresholdKind* find_threshold(std::string_view name) {
  const auto found =
      std::ranges::find_if(kKinds, [&](const ThresholdKind& kind) { return kind.name() == name; });
  return found == kKinds.end() ? nullptr : &*found;
}

Thresholds::Thresholds() {
  for (const ThresholdKind& kind : kKinds) set(kind.threshold, kind.standard);
}

std::optional<std::int64_t> parse_threshold(Unit unit, std::string_view text) {
  const std::optional<double> number = take_number(text);
  if (!number) return std::nullopt;
  double scale = 1;
  if (unit == Unit::kDuration) {
    if (text == "s" || text.empty()) {
      scale = 1e9;
    } else if (text == "ms") {
      scale = 1e6;
    } else if (text == "m") {
      scale = 60e9;
    } else {
      return std::nullopt;
    }
  } else if (!text.empty() && !(unit == Unit::kPercent && text == "%")) {
    return std::nullopt;
  }
  // More than a year, or than any message: a slip of the finger.
  constexpr double kMost = 366.0 * 86400 * 1e9;
  const double value = *number * scale;
  if (value > kMost || (unit != Unit::kDuration && value != std::floor(value))) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(value));
}

std::string threshold_text(Unit unit, std::int64_t value) {
  switch (unit) {
    case Unit::kDuration:
      if (value % 1_s == 0) return fmt::format("{}s", value / 1_s);
      return fmt::format("{}ms", static_cast<double>(value) / 1e6);
    case Unit::kPercent:
      return fmt::format("{}%", value);
    default:
      return fmt::format("{}", value);
  }
}

}  // namespace smtpscope
