#include "lab/replay/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/octets.h"

namespace smtpscope {
namespace {

// What tests say of a timeline, and of how it was recorded: nothing of it is said on the wire.
constexpr std::array<std::string_view, 16> kUnsaidPrefixes = {
    "expect: ", "folded: ",  "never: ",      "not evaluated: ", "silence: ", "outcome: ",
    "says: ",   "verdict: ", "set: ",        "off: ",           "client: ",  "server: ",
    "rtt: ",    "unknown: ", "resolution: ", "strict"};

// What only a recording can tell.
constexpr std::array<std::string_view, 14> kUnplayable = {
    "P: ",        "undelivered ",    "given instead: ", "blocked ",
    "tls ",       "remark ",         "stalled ",        "gap ",
    "inside tls", "outside tls",     "C> unseen ",      "start: ",
    "connected",  "connect failed: "};

constexpr std::string_view kPlayable =
    "expected 'C: LINE', 'S: LINE', 'C> raw \"...\"', 'S> raw \"...\"', 'pipelined: LINE | LINE', "
    "'@ +TIME', 'close client|server fin|reset', 'session: N', 'end', or '# comment'";

/// Reads one script, line by line, and tells what happens in it.
class ScriptReader {
 public:
  ScriptReader(std::string_view name, WireSink& sink) : name_(name), sink_(sink) {}

  Result<Done> read(std::string_view text) {
    while (!text.empty() && fault_.empty()) {
      ++number_;
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(text.size(), end + 1));
      while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
      if (!line.empty() && line.front() != '#') take(line);
    }
    if (fault_.empty() && !anything_) fault_ = fmt::format("{}: nothing is said in it", name_);
    if (!fault_.empty()) return Error{fault_};
    for (const auto& [session, open] : sessions_) {
      if (open) send(session, SessionEnded{});
    }
    return Done{};
  }

 private:
  static constexpr Duration kUsualStep = std::chrono::milliseconds(1);

  void fail(std::string_view why) {
    if (fault_.empty()) fault_ = fmt::format("{}:{}: {}", name_, number_, why);
  }

  static bool skip(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
  }

  void take(std::string_view line) {
    const std::string_view whole = line;
    const auto begins = [&](std::string_view prefix) { return whole.starts_with(prefix); };
    if (skip(line, "session: ")) return turn_to(line);
    if (line == "end") return end_session();
    if (skip(line, "@ +")) {
      open();
      step_ = duration(line);
      return;
    }
    // An empty line has lost its blank behind the colon.
    if (line == "C:" || line == "S:")
      return say(line == "C:" ? Side::kClient : Side::kServer, "\r\n");
    if (skip(line, "C: ")) return say(Side::kClient, std::string(line) + "\r\n");
    if (skip(line, "S: ")) return say(Side::kServer, std::string(line) + "\r\n");
    if (skip(line, "C> raw ")) return say_raw(Side::kClient, line);
    if (skip(line, "S> raw ")) return say_raw(Side::kServer, line);
    if (skip(line, "pipelined: ")) return say(Side::kClient, joined(line));
    if (skip(line, "close ")) return close(line);
    if (std::ranges::any_of(kUnsaidPrefixes, begins)) return;
    if (std::ranges::any_of(kUnplayable, begins)) {
      return fail(fmt::format("'{}' can be told of a session, but not be played", whole));
    }
    fail(fmt::format("got '{}', {}", whole, kPlayable));
  }

  Duration duration(std::string_view text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, fault] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    const double scale = unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : 0;
    if (fault != std::errc{} || scale == 0 || !(value >= 0) || value * scale > 1e15) {
      fail(fmt::format("got '{}', expected a time such as 10s, 1.5s, 20ms or 5us", text));
      return kUsualStep;
    }
    return Duration(std::llround(value * scale));
  }

  static std::string joined(std::string_view text) {
    std::string all;
    for (;;) {
      const std::size_t bar = text.find(" | ");
      all += text.substr(0, bar);
      all += "\r\n";
      if (bar == std::string_view::npos) return all;
      text.remove_prefix(bar + 3);
    }
  }

  /// "TEXT" or "TEXT" * N, with escapes as in C.
  void say_raw(Side side, std::string_view text) {
    const std::size_t last = text.rfind('"');
    if (!text.starts_with('"') || last == 0) return fail("raw needs a text in double quotes");
    std::string_view times = text.substr(last + 1);
    std::uint32_t count = 1;
    if (!times.empty()) {
      const bool star = skip(times, " * ");
      const auto [rest, fault] = std::from_chars(times.data(), times.data() + times.size(), count);
      if (!star || fault != std::errc{} || rest != times.data() + times.size()) {
        return fail(
            fmt::format("got '{}' behind the text, expected * NUMBER", text.substr(last + 1)));
      }
    }
    const std::optional<std::string> once = unescaped(text.substr(1, last - 1));
    if (!once) return;
    if (once->size() * count > kMostRepeated) return fail("that is more than 64 MiB");
    std::string all;
    all.reserve(once->size() * count);
    for (std::uint32_t i = 0; i < count; ++i) all += *once;
    say(side, all);
  }

  std::optional<std::string> unescaped(std::string_view quoted) {
    constexpr std::string_view kNames = "rnt0\\\"";
    constexpr std::string_view kValues("\r\n\t\0\\\"", 6);
    std::string out;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
      if (quoted[i] != '\\') {
        out += quoted[i];
        continue;
      }
      const char kind = ++i < quoted.size() ? quoted[i] : '?';
      const std::size_t known = kNames.find(kind);
      int value = 0;
      if (known != std::string_view::npos) {
        out += kValues[known];
      } else if (kind == 'x' && i + 2 < quoted.size() &&
                 std::from_chars(&quoted[i + 1], &quoted[i + 1] + 2, value, 16).ptr ==
                     &quoted[i + 1] + 2) {
        out += static_cast<char>(value);
        i += 2;
      } else {
        fail(fmt::format("'\\{}' is no escape: \\r \\n \\t \\0 \\\\ \\\" \\xNN are", kind));
        return std::nullopt;
      }
    }
    return out;
  }

  void close(std::string_view how) {
    const bool client = skip(how, "client ");
    if (!client && !skip(how, "server ")) return fail("say who closes: client or server");
    Closed closed;
    closed.from = client ? Side::kClient : Side::kServer;
    if (skip(how, "fin")) {
      closed.kind = CloseKind::kFin;
    } else if (skip(how, "reset")) {
      closed.kind = CloseKind::kReset;
    } else if (skip(how, "timeout")) {
      closed.kind = CloseKind::kTimeout;
    } else if (skip(how, "error")) {
      closed.kind = CloseKind::kError;
    } else {
      return fail(fmt::format("got '{}', expected fin or reset", how));
    }
    if (!how.empty())
      return fail(fmt::format("'{}' can be told of a session, but not be played", how));
    happen(closed);
  }

  /// "N" or "N from ADDRESS".
  void turn_to(std::string_view how) {
    std::uint64_t number = 0;
    const auto [rest, fault] = std::from_chars(how.data(), how.data() + how.size(), number);
    const std::string_view behind(rest, static_cast<std::size_t>(how.data() + how.size() - rest));
    if (fault != std::errc{} || number == 0 || (!behind.empty() && !behind.starts_with(" from "))) {
      return fail(fmt::format("got '{}', expected the number of a session, from 1", how));
    }
    session_ = number;
    open();
  }

  void open() {
    if (!sessions_.emplace(session_, true).second) return;
    now_ += std::exchange(step_, std::nullopt).value_or(Duration::zero());
    SessionOpened opened;
    send(session_, opened);
    send(session_, UpstreamConnected{});
  }

  void end_session() {
    open();
    if (!std::exchange(sessions_[session_], false)) return fail("the session has ended already");
    now_ += std::exchange(step_, std::nullopt).value_or(kUsualStep);
    send(session_, SessionEnded{});
  }

  void say(Side side, std::string_view octets) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = octets_of(octets);
    happen(bytes);
  }

  template <typename Body>
  void happen(const Body& body) {
    open();
    if (!sessions_[session_]) return fail("the session has ended");
    now_ += std::exchange(step_, std::nullopt).value_or(kUsualStep);
    anything_ = true;
    send(session_, body);
  }

  template <typename Body>
  void send(SessionId session, const Body& body) {
    WireEvent event;
    event.session = session;
    event.time = now_;
    event.body = body;
    sink_.on_wire(event);
  }

  static constexpr std::size_t kMostRepeated = std::size_t{64} * 1024 * 1024;

  const std::string_view name_;
  WireSink& sink_;
  std::size_t number_ = 0;  // of the line
  std::string fault_;
  std::map<SessionId, bool> sessions_;  // that have begun; whether they go on
  SessionId session_ = 1;
  std::optional<Duration> step_;  // to what happens next
  Time now_;
  bool anything_ = false;
};

}  // namespace

Result<Done> read_script_events(std::string_view text, std::string_view name, WireSink& sink) {
  return ScriptReader(name, sink).read(text);
}

Result<std::vector<RecordedDialogue>> read_script(std::string_view text, std::string_view name) {
  DialogueRecorder recorder;
  if (auto done = read_script_events(text, name, recorder); !done) return done.error();
  std::vector<RecordedDialogue> all = recorder.take();
  for (const RecordedDialogue& dialogue : all) {
    for (const std::string& why : {dialogue.unfit, dialogue.unfit_server}) {
      if (!why.empty()) {
        return Error{
            fmt::format("{}: session {} cannot be played: {}", name, dialogue.session, why)};
      }
    }
  }
  return all;
}

}  // namespace smtpscope
