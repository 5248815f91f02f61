#include "readers/text/program_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/ascii.h"
#include "readers/text/connection_words.h"
#include "readers/text/line_content.h"

namespace smtpscope {
namespace {

/// Longer ones are no remark: options, objects, dumps.
constexpr std::size_t kLongestRemark = 1000;

template <std::size_t size>
bool says_any(std::string_view text, const std::array<std::string_view, size>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

// All in small letters.
constexpr std::array<std::string_view, 24> kTimeoutWords = {"timed out",
                                                            "timeout (",
                                                            "never received",
                                                            "connection timeout",
                                                            "timeout waiting",
                                                            "timeout while",
                                                            "timeout exceeded",
                                                            "timeout after",
                                                            "timeout expired",
                                                            "timeout was reached",
                                                            "timeout error",
                                                            "read timeout",
                                                            "operation timeout",
                                                            "i/o timeout",
                                                            "timeouterror",
                                                            "timeoutexception",
                                                            "etimedout",
                                                            "sockettimeout",
                                                            "time-out",
                                                            "deadline exceeded",
                                                            "time limit exceeded",
                                                            "waited too long",
                                                            "did not properly respond",
                                                            "error[10060]"};
constexpr std::array<std::string_view, 12> kBackendWords = {"sasl: connect to ",
                                                            "no sasl authentication mechanisms",
                                                            "cannot connect to saslauthd",
                                                            "connect to saslauthd",
                                                            "saslauthd server",
                                                            "lost to authentication server",
                                                            "connect to authentication",
                                                            "auth: connect(",
                                                            "private/auth",
                                                            "auth-client",
                                                            "auth server failed",
                                                            "authentication service is not"};
constexpr std::array<std::string_view, 14> kLostWords = {"lost connection",
                                                         "connection reset",
                                                         "connection was reset",
                                                         "broken pipe",
                                                         "econnreset",
                                                         "epipe",
                                                         "connection was lost",
                                                         "connection lost",
                                                         "connection aborted",
                                                         "forcibly closed",
                                                         "unexpected eof",
                                                         "socketerror",
                                                         "software caused connection abort",
                                                         "connection was aborted"};
constexpr std::array<std::string_view, 13> kClosedWords = {"connection closed",
                                                           "connection unexpectedly closed",
                                                           "closed connection",
                                                           "closed the connection",
                                                           "closed by foreign host",
                                                           "closed by remote host",
                                                           "closed by the remote",
                                                           "closed by peer",
                                                           "closed unexpectedly",
                                                           "unexpectedly disconnected",
                                                           "eof caught",
                                                           "[eof]",
                                                           "eoferror"};
constexpr std::array<std::string_view, 9> kTlsWords = {
    "tls startup failed",   "tls handshake failed",        "tls handshake error",
    "ssl handshake failed", "starttls attempted but fail", "sslerror",
    "ssl_accept error",     "ssl_connect error",           "x509: certificate"};
/// Certificates that are looked at and found wanting, and the session goes on all the same.
constexpr std::array<std::string_view, 3> kGoesOnWords = {"continuing",
                                                          "verify error:", "verify return"};
/// The program has looked at the reply to EHLO in vain.
constexpr std::array<std::string_view, 9> kNotOfferedWords = {
    "does not support auth",    "doesn't support auth", "does not support tls",
    "doesn't support tls",      "not support starttls", "not support smtp auth",
    "not support the starttls", "did not advertise",    "extension not supported by server"};
/// A limit that is told of, and not said to be over.
constexpr std::array<std::string_view, 4> kLimitWords = {"timeout=", "timeout = ", "timeout set",
                                                         "setting "};
constexpr std::array<std::string_view, 8> kOverWords = {
    "timed out", "etimedout", "exceeded", "expired", "reached", "elapsed", "error", "fail"};
constexpr std::array<std::string_view, 31> kUnreachableWords = {"connection refused",
                                                                "econnrefused",
                                                                "connectionrefused",
                                                                "actively refused",
                                                                "timed out",
                                                                "connection timeout",
                                                                "did not properly respond",
                                                                "etimedout",
                                                                "i/o timeout",
                                                                "no route to host",
                                                                "ehostunreach",
                                                                "unreachable",
                                                                "unknown host",
                                                                "unknownhost",
                                                                "name or service not known",
                                                                "name resolution",
                                                                "nodename nor servname",
                                                                "getaddrinfo failed",
                                                                "getaddrinfo error",
                                                                "no address associated",
                                                                "no such host",
                                                                "could not resolve",
                                                                "network is down",
                                                                "host not found",
                                                                "host unknown",
                                                                "host name lookup failure",
                                                                "name service error",
                                                                "enotfound",
                                                                "eai_again",
                                                                "couldn't connect to server",
                                                                "could not connect to server"};

/// People tell of it around what they paste; that is nobody's log.
bool is_prose(std::string_view small) {
  if (small.ends_with('?') || small.starts_with("i ") || small.starts_with("i'")) return true;
  constexpr std::array<std::string_view, 12> kPeople = {" i ",    " i'm ", " i've ",  " my ",
                                                        " we ",   " our ", " you ",   "anyone",
                                                        "please", "thank", " when i", "tried"};
  return says_any(small, kPeople);
}

/// "Setting read timeout to: 5 seconds".
bool sets_limit(std::string_view small) {
  return says_any(small, kLimitWords) && !says_any(small, kOverWords);
}

/// Lines of a listing of calls, which repeat what its last line says.
bool is_of_trace(std::string_view line) {
  line = without_leading_blanks(line);
  constexpr std::array<std::string_view, 8> kBeginnings = {"at ",     "raise ", "throw ", "File \"",
                                                           "except ", "catch ", "from ",  "... "};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view each) { return line.starts_with(each); });
}

bool is_name_octet(char c) {
  return is_alphanumeric(c) || c == '_' || c == '.' || c == '$' || c == '\\';
}

/// "javax.mail.MessagingException: …", "smtplib.SMTPDataError: …", "(Net::SMTPFatalError)": the
/// name of a type, and not the word alone, which stands in any sentence.
bool names_exception(std::string_view line) {
  for (const std::string_view suffix : {std::string_view("Exception"), std::string_view("Error")}) {
    for (std::size_t at = line.find(suffix); at != std::string_view::npos;
         at = line.find(suffix, at + 1)) {
      const std::size_t end = at + suffix.size();
      // The name alone is a heading.
      if (end == line.size() || (line[end] != ':' && line[end] != ')')) continue;
      const bool first = at == 0 || (at == 1 && line[0] == '[');
      if (first || is_name_octet(line[at - 1])) return true;
    }
  }
  // CodeIgniter's, where no reply came; one that stands behind it is told by itself.
  if (line.ends_with("SMTP error was encountered:")) return true;
  // smtplib's names end otherwise.
  if (line.starts_with("smtplib.SMTP") && line.find(": ") != std::string_view::npos) return true;
  return line.starts_with("panic: ") || line.find("Fatal error: ") != std::string_view::npos ||
         line.find("Uncaught ") != std::string_view::npos;
}

std::optional<Duration> unit_named(std::string_view word) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  struct Unit {
    std::string_view name;
    Duration length;
  };
  static constexpr std::array<Unit, 15> kUnits = {{{"s", seconds(1)},
                                                   {"sec", seconds(1)},
                                                   {"secs", seconds(1)},
                                                   {"second", seconds(1)},
                                                   {"seconds", seconds(1)},
                                                   {"ms", milliseconds(1)},
                                                   {"msec", milliseconds(1)},
                                                   {"msecs", milliseconds(1)},
                                                   {"millis", milliseconds(1)},
                                                   {"millisecond", milliseconds(1)},
                                                   {"milliseconds", milliseconds(1)},
                                                   {"min", seconds(60)},
                                                   {"minute", seconds(60)},
                                                   {"minutes", seconds(60)},
                                                   {"m", seconds(60)}}};
  for (const Unit& unit : kUnits) {
    if (equal_ignoring_case(word, unit.name)) return unit.length;
  }
  return std::nullopt;
}

/// No wait of a session is longer than a week.
constexpr std::uint64_t kMostSeconds = 7 * 86400;

std::optional<std::uint64_t> take_count(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// "0.00:00:30" of .NET (days before the point), "00:00:30".
std::optional<Duration> clock_length(std::string_view text) {
  std::uint64_t days = 0;
  std::string_view rest = text;
  if (const auto first = take_count(rest); first && rest.starts_with('.')) {
    days = *first;
    rest.remove_prefix(1);
    text = rest;
  }
  std::array<std::uint64_t, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view before = text;
    const auto number = take_count(text);
    if (!number || before.size() - text.size() != 2) return std::nullopt;
    parts[i] = *number;
    if (i + 1 == parts.size()) break;
    if (!text.starts_with(':')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (days > 7) return std::nullopt;
  const std::uint64_t seconds = ((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2];
  if (seconds > kMostSeconds) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

}  // namespace

std::optional<Duration> length_named(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (!is_digit(line[at]) || (at > 0 && (is_name_octet(line[at - 1]) || line[at - 1] == ':'))) {
      continue;
    }
    const std::string_view here = line.substr(at);
    const std::string_view before = line.substr(0, at);
    // Elsewhere it is a time of the day.
    if (before.ends_with("for ") || before.ends_with('\'')) {
      if (const auto clock = clock_length(here)) return clock;
    }
    std::string_view rest = here;
    const auto number = take_count(rest);
    if (!number || *number > kMostSeconds * 1000) continue;
    // "30.0s" of Go; the tenths do not matter.
    if (rest.size() > 1 && rest[0] == '.' && is_digit(rest[1])) {
      rest.remove_prefix(1);
      rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
    }
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    std::size_t size = 0;
    while (size < rest.size() && is_alphanumeric(rest[size])) ++size;
    const auto unit = unit_named(rest.substr(0, size));
    if (!unit) continue;
    const Duration length = *unit * static_cast<std::int64_t>(*number);
    if (length > std::chrono::seconds(kMostSeconds)) continue;
    return length;
  }
  return std::nullopt;
}

bool says_unreachable(std::string_view line) {
  if (line.size() > kLongestRemark || is_of_trace(line)) return false;
  const std::string small = in_lower_case(line);
  return !is_prose(small) && !sets_limit(small) && says_any(small, kUnreachableWords);
}

std::optional<ProgramWords> program_words(std::string_view line) {
  line = trimmed_blanks(line);
  if (line.empty() || line.size() > kLongestRemark || is_of_trace(line)) return std::nullopt;
  const std::string small = in_lower_case(line);
  if (is_prose(small) || says_any(small, kGoesOnWords)) return std::nullopt;
  if (small.starts_with("verification error:")) return std::nullopt;  // s_client goes on
  const auto found = [&](RemarkKind kind, bool names_time = false) {
    return ProgramWords{kind, names_time ? length_named(line) : std::nullopt};
  };
  if (small.find("tarpit for ") != std::string::npos) return found(RemarkKind::kTarpit, true);
  if (says_any(small, kBackendWords)) return found(RemarkKind::kLoginBackend);
  if (says_any(small, kTlsWords) || handshake_failed(line)) return found(RemarkKind::kTlsFailed);
  if (says_any(small, kTimeoutWords) && !sets_limit(small)) {
    return found(RemarkKind::kTimeout, true);
  }
  if (says_any(small, kNotOfferedWords) && !is_digit(line.front())) {
    return found(RemarkKind::kNotOffered);
  }
  if (says_any(small, kLostWords)) return found(RemarkKind::kLostConnection);
  if (says_any(small, kClosedWords)) return found(RemarkKind::kClosed);
  if (names_exception(line)) return found(RemarkKind::kException);
  return std::nullopt;
}

}  // namespace smtpscope
