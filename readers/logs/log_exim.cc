#include "readers/logs/log_exim.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/omission.h"

namespace smtpscope {
namespace {

constexpr std::string_view kIncoming = "is handling incoming connection from ";
constexpr std::string_view kConnecting = "Connecting to ";
constexpr std::string_view kTerminating = "terminating with rc";
constexpr std::string_view kEximRead = "SMTP<<";
/// Said at once, put into the buffer, and said with more to follow.
constexpr std::array<std::string_view, 3> kEximSaid = {"SMTP>>", "SMTP|>", "SMTP+>"};
constexpr std::array<std::string_view, 2> kEximCloses = {"SMTP>>(close", "SMTP(close)>>"};
constexpr std::string_view kPeerClosed = "SMTP(closed)<<";

constexpr std::uint16_t kEximHides =
    kUnknownOctets | kUnknownReads | kUnknownContent | kUnknownCloses;

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

/// The address in "(ws1) [192.0.2.10]", with the port in "mx.example [192.0.2.25]:25"; as addresses
/// are written in captures, with brackets around those of IPv6 only.
std::string address_in(std::string_view peer) {
  const std::size_t open = peer.rfind('[');
  const std::size_t close = open == std::string_view::npos ? open : peer.find(']', open);
  if (close == std::string_view::npos) return std::string(peer);
  std::string address(peer.substr(open + 1, close - open - 1));
  if (address.find(':') != std::string::npos) address = fmt::format("[{}]", address);
  const std::string_view behind = peer.substr(close + 1);
  return behind.starts_with(':') ? address.append(behind) : address;
}

/// A process number and a blank, taken off `line`; "" if there is none. Exim fills numbers up to
/// kNumberWidth with blanks in front; the lines of a reply are indented deeper.
std::string_view take_process_number(std::string_view& line) {
  constexpr std::size_t kNumberWidth = 5;
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t end = std::min(line.find_first_not_of("0123456789", begin), line.size());
  if (end == begin || end == line.size() || line[end] != ' ') return {};
  if (begin > 0 && end != kNumberWidth) return {};
  const std::string_view process = line.substr(begin, end - begin);
  line.remove_prefix(end + 1);
  return process;
}

bool is_dialogue(std::string_view words) {
  return words.starts_with(kEximRead) || begins_with_any(words, kEximSaid);
}

/// The process ends.
bool is_end(std::string_view words) {
  return !is_dialogue(words) && words.find(kTerminating) != std::string_view::npos;
}

/// "== bob@example.net … defer (-37) H=mx.example.net [192.0.2.25]: TLS session:
/// (gnutls_handshake): …"
std::string_view handshake_failure(std::string_view words) {
  const std::size_t at = words.find("TLS session: ");
  if (at != std::string_view::npos) return words.substr(at);
  const std::size_t error = words.find("TLS error on connection ");
  return error == std::string_view::npos ? std::string_view() : words.substr(error);
}

}  // namespace

bool EximLog::recognises(std::string_view beginning) {
  LogStamps stamps{WallTime{}};
  return any_line(beginning, [&](std::string_view line) {
    if (const auto stamp = stamps.read_time_of_day(line)) line.remove_prefix(stamp->size);
    line = trimmed(line);
    take_process_number(line);
    return is_dialogue(trimmed(line));
  });
}

EximLog::Process& EximLog::process(std::string_view key) {
  if (processes_.size() >= kMaxProcesses) processes_.clear();
  return processes_[std::string(key)];
}

void EximLog::read(std::string_view line) {
  read_line(line) ? foreign_.interrupt() : void(foreign_.take(line));
}

bool EximLog::read_line(std::string_view line) {
  fidelity_ = {.unknown = kEximHides, .inside_tls = true};
  if (const auto stamp = stamps_.read_time_of_day(line)) {
    now_ = run_.time_of(*stamp);
    fidelity_.resolution = stamp->resolution;
    line.remove_prefix(std::min(line.size(), stamp->size + 1));
  } else {
    fidelity_.unknown |= kUnknownTimes;
  }
  const std::string_view key = take_process_number(line);
  const std::size_t indented = std::min(line.find_first_not_of(' '), line.size());
  const std::string_view words = line.substr(indented);
  // What stands around a log says nothing of its times.
  if ((fidelity_.unknown & kUnknownTimes) != 0 && is_dialogue(words)) {
    now_ = run_.without_times(latest_);
  }

  if (is_end(words)) {
    sessions_.end(key, now_);
  } else if (begins_with_any(words, kEximCloses)) {
    closed(key);
  } else if (words.starts_with(kPeerClosed)) {
    peer_closed(key);
  } else if (const std::string_view failure = handshake_failure(words);
             !failure.empty() && !is_dialogue(words)) {
    failed_handshake(failure);
  } else if (words.starts_with(kEximRead)) {
    dialogue(key, words.substr(kEximRead.size()), /*by_exim=*/false);
  } else if (begins_with_any(words, kEximSaid)) {
    dialogue(key, words.substr(kEximSaid.front().size()), /*by_exim=*/true);
  } else if (const std::size_t at = words.find(kIncoming); at != std::string_view::npos) {
    process(key).peer = address_in(words.substr(at + kIncoming.size()));
  } else if (words.starts_with(kConnecting)) {
    const std::string_view peer = words.substr(kConnecting.size());
    process(key).peer = address_in(peer.substr(0, peer.find(" ... ")));
  } else if (indented > 0 && is_reply_line(words)) {
    // A further line of the reply above.
    Process& of = process(key);
    if (of.more_to_come) say(key, of, words, of.last_was_exim);
  } else if (marks_omission(line)) {
    if (const std::string* only = sessions_.only_key()) sessions_.find(*only)->omit(now_);
  } else {
    return false;
  }
  return true;
}

void EximLog::dialogue(std::string_view key, std::string_view said, bool by_exim) {
  if (said.starts_with(' ')) said.remove_prefix(1);
  // "(writing message)", and in older versions "writing message and terminating "."".
  if (by_exim && (said.starts_with('(') || said.starts_with("writing message"))) return;
  Process& of = process(key);
  if (of.closing) {
    sessions_.end(key, now_);
    of.closing = false;
  }
  // What Exim puts into its buffer once the other side has gone reaches nobody.
  if (of.closed && by_exim && sessions_.find(key) != nullptr) return;
  if (sessions_.find(key) == nullptr) {
    of.closed = false;
    // Replies are a server's, whoever of the two logs them.
    const bool reply = is_reply_line(said);
    of.exim = by_exim == reply ? Side::kServer : Side::kClient;
    const bool serves = of.exim == Side::kServer;
    sessions_.open(key,
                   {.client = serves ? of.peer : std::string("exim"),
                    .server = serves ? std::string("exim") : of.peer,
                    .fidelity = fidelity_,
                    .mid_session = !reply},
                   now_);
    of.peer.clear();
  }
  say(key, of, said, by_exim);
}

/// A session that ends behind STARTTLS is kept, for the log line that may tell why.
void EximLog::closed(std::string_view key) {
  const LogSession* session = sessions_.find(key);
  if (session == nullptr) return;
  if (session->last_verb() == "STARTTLS") {
    process(key).closing = true;
  } else {
    sessions_.end(key, now_);
  }
}

void EximLog::peer_closed(std::string_view key) {
  LogSession* session = sessions_.find(key);
  Process& of = process(key);
  if (session == nullptr || std::exchange(of.closed, true)) return;
  session->close(other(of.exim), CloseKind::kFin, {}, now_);
}

/// The process that logs it may be another one than that which spoke.
void EximLog::failed_handshake(std::string_view line) {
  for (auto& [key, of] : processes_) {
    LogSession* session = of.closing ? sessions_.find(key) : nullptr;
    if (session != nullptr) session->fail_handshake(std::nullopt, line, now_);
  }
}

void EximLog::finish() {
  foreign_.finish();
  for (auto& [key, of] : processes_) {
    if (std::exchange(of.closing, false)) sessions_.end(key, now_);
  }
  sessions_.forget_all();
}

void EximLog::say(std::string_view key, Process& of, std::string_view said, bool by_exim) {
  LogSession* session = sessions_.find(key);
  if (session == nullptr) return;
  const Side from = by_exim ? of.exim : other(of.exim);
  session->say(from, said, now_);
  of.last_was_exim = by_exim;
  of.more_to_come = is_reply_line(said) && said.size() > 3 && said[3] == '-';
  if (session->over() && !of.more_to_come) sessions_.end(key, now_);
}

const LogKind kEximKind = {
    .name = "exim",
    .description = "what Exim prints with -v or -d",
    .how = "exim -M MESSAGE-ID -d-all+transport+pid+timestamp 2>log.txt",
    .recognises = EximLog::recognises,
    .make = EximLog::make,
};

}  // namespace smtpscope
