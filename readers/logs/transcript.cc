// What smtpscope writes with -f transcript, alone or on a page of -f markdown, and the transcripts
// of the project's tests: a line for each thing that happened. All that was known is in it, so
// nothing is unknown of its sessions but what it says.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ascii.h"
#include "base/octets.h"
#include "capture/event_copy.h"
#include "capture/wall_time.h"
#include "parser/message_scanner.h"
#include "readers/logs/catalogue.h"
#include "readers/text/line_content.h"
#include "readers/text/literal.h"
#include "readers/text/log_lines.h"
#include "readers/text/paste_plan.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

constexpr Duration kUsualStep = std::chrono::milliseconds(1);

/// "10s", "1.5ms", "2us". Empty for what is none, or longer than a run can be.
std::optional<Duration> read_duration(std::string_view text) {
  const std::string digits(text.substr(0, text.find_first_not_of("0123456789.")));
  const std::string_view unit = text.substr(digits.size());
  const double scale = unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : 0;
  const double value = std::strtod(digits.c_str(), nullptr) * scale;
  constexpr double kLongest = 70.0 * 365 * 86400 * 1e9;
  if (digits.empty() || scale == 0 || !(value >= 0 && value < kLongest)) return std::nullopt;
  return Duration(std::llround(value));
}

std::optional<Side> side_named(std::string_view name) {
  if (name == "client") return Side::kClient;
  if (name == "server") return Side::kServer;
  return std::nullopt;
}

std::string_view word_off(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  text = without_leading_blanks(text);
  return word;
}

/// Of octets; 0 for what is none, or more than anybody has sent.
std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number > std::uint64_t{1} << 60 ? 0 : number;
}

class TranscriptReader : public LogReader {
 public:
  TranscriptReader(LogRun& run, WallTime latest) : run_(run), started_(latest) {}

  void read(std::string_view line) override {
    if (line.starts_with("# ")) {
      heading(line.substr(2));
    } else if (begun_ && !line.empty() && line.front() != '#') {
      happens(line);
    }
  }
  /// What does not end in it was open when it was written.
  void finish() override { let_go(); }

 private:
  /// How a session begins, as far as it is known before it does.
  struct Head {
    std::string client, server;
    bool mid_session = false;
    bool connected = true;
    std::string address;  // of the server that answered
    Duration took{}, after{};
    std::optional<Duration> rtt;
  };

  enum Said : std::uint8_t { kAsUsual, kByProxy, kUndelivered };

  void heading(std::string_view text) {
    if (text.starts_with(kTranscriptHead)) {
      begun_ = true;
      fidelity_ = {};
      const std::size_t at = text.rfind(", started ");
      if (at == std::string_view::npos) return;
      if (const auto started = parse_wall_time(text.substr(at + 10))) started_ = *started;
    } else if (begun_ && text.starts_with("why: ")) {
      why_ = text.substr(5);
    } else if (begun_ && text.starts_with("failed by: ")) {
      failed_by_ = side_named(text.substr(11));
    } else if (begun_ && text.starts_with("version: ")) {
      tls_.version = text.substr(9);
    } else if (begun_ && text.starts_with("cipher: ")) {
      tls_.cipher = text.substr(8);
    } else if (begun_ && text.starts_with("took: ")) {
      tls_took_ = read_duration(text.substr(6)).value_or(Duration{});
    } else if (begun_ && text.starts_with("session ")) {
      text.remove_prefix(8);
      number_ = std::string(word_off(text));
      if (!text.starts_with("began +")) return;
      text.remove_prefix(7);
      const std::string_view offset = text.substr(0, text.find(','));
      if (const auto duration = read_duration(offset)) now_ = *duration;
      head_.mid_session = text.find("mid-session") != std::string_view::npos;
      head_.connected = text.find(", unconnected") == std::string_view::npos;
      head_.client.clear();
      head_.server.clear();
      head_.took = head_.after = Duration{};
      head_.address = between(text, ", connected to ", " in ");
      if (!head_.address.empty()) {
        head_.took = read_duration(between(text, " in ", " after ")).value_or(Duration{});
        head_.after = read_duration(text.substr(text.rfind(' ') + 1)).value_or(Duration{});
      }
      // An opening at the same time as the head says.
      step_.reset();
      fresh_ = true;
    }
  }

  void happens(std::string_view line) {
    std::string_view text;
    if (take_mark(line, "@ +", text)) {
      step_ = read_duration(text);
    } else if (take_mark(line, "client: ", text)) {
      head_.client = text;
    } else if (take_mark(line, "server: ", text)) {
      head_.server = text;
    } else if (take_mark(line, "unknown: ", text)) {
      fidelity_.unknown = 0;
      while (!text.empty()) {
        const auto name = std::find(kUnknownNames.begin(), kUnknownNames.end(), word_off(text));
        if (name == kUnknownNames.end()) continue;
        fidelity_.unknown |= static_cast<std::uint16_t>(1 << (name - kUnknownNames.begin()));
      }
    } else if (take_mark(line, "resolution: ", text)) {
      fidelity_.resolution = read_duration(text).value_or(Duration{});
    } else if (line == "inside tls" || line == "outside tls") {
      fidelity_.inside_tls = line == "inside tls";
    } else if (take_mark(line, "rtt: ", text)) {
      head_.rtt = read_duration(text);
    } else if (take_mark(line, "start: ", text)) {
      head_.mid_session = text == "mid-session";
      head_.connected = false;
    } else if (take_mark(line, "session: ", text)) {
      number_ = std::string(word_off(text));
      if (text.starts_with("from ")) head_.client = text.substr(5);
    } else {
      event(line);
      why_.clear();
      failed_by_.reset();
    }
  }

  void event(std::string_view line) {
    std::string_view text;
    const bool undelivered = take_mark(line, "undelivered ", text);
    if (undelivered) line = text;
    if (take_mark(line, "C: ", text)) {
      say(Side::kClient, std::string(text) + "\r\n", undelivered ? kUndelivered : kAsUsual);
    } else if (take_mark(line, "S: ", text)) {
      say(Side::kServer, std::string(text) + "\r\n", undelivered ? kUndelivered : kAsUsual);
    } else if (take_mark(line, "P: ", text)) {
      say(Side::kServer, std::string(text) + "\r\n", kByProxy);
    } else if (line == "C> unseen message") {
      unseen(MessageScanner::Framing::kDotTerminated, 0, 0, ".\r\n");
    } else if (take_mark(line, "C> unseen chunk ", text)) {
      const std::uint64_t octets = number_in(word_off(text));
      unseen(MessageScanner::Framing::kCounted, octets, number_in(text), {});
    } else if (line.size() > 7 && line.substr(1, 6) == "> raw ") {
      if (!read_literal(line.substr(7), octets_)) return;
      say(line[0] == 'C' ? Side::kClient : Side::kServer, repeated(line),
          line[0] == 'P' ? kByProxy
          : undelivered  ? kUndelivered
                         : kAsUsual);
    } else if (take_mark(line, "pipelined: ", text)) {
      std::string lines;
      for (std::size_t bar = 0; bar != std::string_view::npos;) {
        bar = text.find(" | ");
        lines.append(text.substr(0, bar)).append("\r\n");
        if (bar != std::string_view::npos) text.remove_prefix(bar + 3);
      }
      say(Side::kClient, lines, kAsUsual);
    } else if (line == "end") {
      end();
    } else {
      other_event(line);
    }
  }

  void other_event(std::string_view line) {
    const std::string_view verb = word_off(line);
    if (verb == "connect" && line.starts_with("failed: ")) {
      emit(UpstreamFailed{.reason = line.substr(8)});
      return;
    }
    if (verb == "connected") {
      emit(UpstreamConnected{.server = head_.server});
      return;
    }
    if (verb == "remark") {
      remark(line);
      return;
    }
    const std::string_view word = word_off(line);
    const auto side = side_named(word);
    if (verb == "stalled") {
      if (const auto length = read_duration(word)) stalled(*length);
      return;
    }
    if (!side && !(verb == "gap" && word == "both")) return;
    if (verb == "close") {
      close(*side, line);
    } else if (verb == "gap") {
      const std::uint64_t octets = number_in(line);
      emit(Gap{
          .from = side, .octets = octets, .why = why_.empty() ? "not in the transcript" : why_});
    } else if (verb == "tls") {
      auto facts = std::make_shared<TlsFacts>(std::exchange(tls_, {}));
      facts->completed = word_off(line) == "ok";
      if (!facts->completed) {
        facts->failed_by = why_.empty() ? side : failed_by_;
        facts->failure = why_.empty() ? "the handshake was not completed" : why_;
      }
      unsigned alert = 0;
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), alert);
      if (error == std::errc() && alert < 256) facts->alert = static_cast<std::uint8_t>(alert);
      inside_tls_[id()][index(*side)] = facts->completed;
      emit(TlsHandshake{
          .with = *side, .took = std::exchange(tls_took_, {}), .facts = std::move(facts)});
    } else if (verb == "blocked") {
      const auto length = read_duration(word_off(line));
      const std::uint64_t octets = number_in(line);
      if (!length) return;
      const SessionId session = id();
      advance();
      hold(session, Blocked{.to = *side, .since = now() - *length, .octets = octets});
    }
  }

  void close(Side from, std::string_view how) {
    const std::string_view kind = word_off(how);
    emit(Closed{.from = from,
                .kind = kind == "reset"     ? CloseKind::kReset
                        : kind == "timeout" ? CloseKind::kTimeout
                        : kind == "error"   ? CloseKind::kError
                                            : CloseKind::kFin,
                .by_proxy = how == "by proxy",
                .reason = why_});
  }

  /// "timeout client 30s: text"
  void remark(std::string_view line) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return;
    std::string_view head = line.substr(0, colon);
    const auto kind = std::find(kRemarkKindNames.begin(), kRemarkKindNames.end(), word_off(head));
    if (kind == kRemarkKindNames.end()) return;
    std::string_view text = line.substr(colon + 2);
    if (text.starts_with('"') && read_literal(text, octets_)) text = octets_;
    Remark remark{.kind = static_cast<RemarkKind>(kind - kRemarkKindNames.begin()),
                  .by = {},
                  .length = {},
                  .text = text};
    while (!head.empty()) {
      const std::string_view word = word_off(head);
      const auto side = side_named(word);
      if (side) remark.by = side;
      if (!side) remark.length = read_duration(word);
    }
    emit(remark);
  }

  void stalled(Duration length) {
    const SessionId session = id();
    advance();
    hold(session, ProxyStalled{.since = now() - length});
  }

  /// "C> raw "x" * 1000", within reason.
  std::string repeated(std::string_view line) const {
    constexpr std::size_t kMost = std::size_t{1} << 20;
    const std::size_t star = line.rfind("\" * ");
    std::size_t times = 1;
    if (star != std::string_view::npos) {
      std::from_chars(line.data() + star + 4, line.data() + line.size(), times);
    }
    times = std::min(times, kMost / std::max<std::size_t>(octets_.size(), 1));
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += octets_;
    return all;
  }

  /// Octets of a message that is not there; `total` of it up to then.
  void unseen(MessageScanner::Framing framing, std::uint64_t octets, std::uint64_t total,
              std::string_view end) {
    MessageScanner::Saved saved = MessageScanner(framing).save();
    saved.facts.unseen = true;
    saved.facts.octets = saved.wire_octets = total;
    saved.header = HeaderScanner::stopped();
    const auto scanner = MessageScanner::restore(saved);
    if (!scanner) return;
    Bytes bytes;
    bytes.left_out = std::make_shared<const LeftOut>(LeftOut{octets, *scanner});
    bytes.tail = octets_of(end);
    emit(bytes);
  }

  void say(Side from, const std::string& octets, Said how) {
    Bytes bytes;
    bytes.from = from;
    bytes.head = octets_of(octets);
    bytes.by_proxy = how == kByProxy;
    bytes.undelivered = how == kUndelivered;
    bytes.tls = inside_tls_[id()][index(from)] && !bytes.by_proxy;
    emit(bytes);
  }

  /// The session that is spoken of; it opens if it has not.
  SessionId id() {
    if (const auto known = open_.find(number_); known != open_.end()) return known->second;
    const SessionId session = run_.next_session();
    open_[number_] = session;
    SessionOpened opened{.client = head_.client, .listener = {}, .upstream = head_.server};
    opened.mid_session = head_.mid_session;
    opened.fidelity = fidelity_;
    if (!fresh_) advance();
    fresh_ = false;
    hold(session, opened);
    if (head_.connected && !head_.mid_session) {
      now_ += head_.after;
      UpstreamConnected connected{.server = head_.address.empty() ? head_.server : head_.address};
      connected.took = head_.took;
      connected.rtt = head_.rtt;
      hold(session, connected);
    }
    head_.mid_session = false;
    head_.connected = true;
    return session;
  }

  void end() {
    emit(SessionEnded{});
    inside_tls_.erase(open_[number_]);
    open_.erase(number_);
  }

  template <typename Body>
  void emit(Body&& body) {
    const SessionId session = id();
    advance();
    hold(session, std::forward<Body>(body));
  }

  /// Sessions stand one behind the other, whenever they were: what happened at a time is told when
  /// all of it is known.
  template <typename Body>
  void hold(SessionId session, Body&& body) {
    constexpr std::size_t kMostHeld = std::size_t{64} * 1024 * 1024;
    Time& last = last_[session];
    last = std::max(last, now());
    held_.emplace_back(WireEvent{session, last, std::forward<Body>(body)});
    held_size_ += held_.back().size();
    if (held_size_ > kMostHeld) let_go();
  }

  void let_go() {
    std::vector<const WireEvent*> in_order;
    in_order.reserve(held_.size());
    for (const EventCopy& each : held_) in_order.push_back(&each.event());
    std::stable_sort(in_order.begin(), in_order.end(),
                     [](const WireEvent* a, const WireEvent* b) { return a->time < b->time; });
    for (const WireEvent* event : in_order) {
      std::visit([&](const auto& body) { run_.emit(event->session, event->time, body); },
                 event->body);
    }
    held_.clear();
    held_size_ = 0;
  }

  void advance() {
    now_ += step_.value_or(kUsualStep);
    step_.reset();
  }
  Time now() {
    run_.time_of({.time = started_, .resolution = Duration(1), .zoned = true});
    return run_.time_of({.time = started_ + now_, .resolution = Duration(1), .zoned = true});
  }

  LogRun& run_;
  WallTime started_;
  bool begun_ = false;
  Head head_;
  Fidelity fidelity_;
  std::string number_ = "1";
  std::map<std::string, SessionId> open_;
  std::map<SessionId, std::array<bool, 2>> inside_tls_;
  Duration now_{};
  std::optional<Duration> step_;
  std::string why_;  // of what comes next
  TlsFacts tls_;     // likewise
  Duration tls_took_{};
  std::deque<EventCopy> held_;
  std::size_t held_size_ = 0;
  std::map<SessionId, Time> last_;
  std::optional<Side> failed_by_;  // likewise
  bool fresh_ = true;              // the session opens at `now_`
  std::string octets_;
};

bool recognises_transcript(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.starts_with("# ") && line.substr(2).starts_with(kTranscriptHead);
  });
}

}  // namespace

const LogKind kTranscriptKind = {
    .name = "transcript",
    .description = "what smtpscope show -f transcript and -f markdown write",
    .how = "smtpscope show -f transcript FILE",
    .recognises = recognises_transcript,
    .make = make_log_reader<TranscriptReader>,
};

}  // namespace smtpscope
