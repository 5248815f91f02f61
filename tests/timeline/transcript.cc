#include "tests/timeline/transcript.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/octets.h"

namespace smtpscope::test {
namespace {

class Reader {
 public:
  explicit Reader(Transcript& into) : into_(into) {}

  void read() {
    std::istringstream lines(into_.source);
    std::string line;
    while (std::getline(lines, line) && into_.error.empty()) {
      ++number_;
      while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
      if (!line.empty() && line[0] != '#') read_line(line);
    }
    if (!opened_) open(true);
    into_.said = into_.events.size();
    for (const SessionId session : open_) {
      session_ = session;
      pause_ = Duration::zero();
      add(SessionEnded{});
    }
  }

 private:
  static constexpr Duration kUsual = std::chrono::milliseconds(1);

  void fail(std::string_view why) {
    if (into_.error.empty()) into_.error = fmt::format("line {}: {}", number_, why);
  }

  static bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
  }

  static std::vector<std::string> words(std::string_view text) {
    std::istringstream in{std::string(text)};
    std::vector<std::string> all;
    for (std::string word; in >> word;) all.push_back(word);
    return all;
  }

  Duration duration(std::string_view text) {
    double value = 0;
    std::size_t used = 0;
    try {
      value = std::stod(std::string(text), &used);
    } catch (const std::exception&) {
      fail(fmt::format("\"{}\" is no duration", text));
    }
    const std::string_view unit = text.substr(std::min(used, text.size()));
    const double scale = unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : 0;
    if (scale == 0) fail(fmt::format("\"{}\" has no unit of s, ms, us", text));
    return Duration(std::llround(value * scale));
  }

  void read_line(std::string_view line) {
    const std::size_t before = into_.events.size();
    take_line(line);
    // A line that begins a session is two events.
    if (into_.events.size() > before) before_line_ = before;
  }

  void take_line(std::string_view line) {
    if (line == "strict") {
      into_.strict = true;
    } else if (take(line, "set: ")) {
      if (const auto done = into_.rules.set(line); !done) fail(done.error().message);
    } else if (take(line, "off: ")) {
      if (const auto done = into_.rules.switch_off(line); !done) fail(done.error().message);
    } else if (take(line, "client: ")) {
      if (opened_) return fail("client: must come before what happens");
      client_ = line;
    } else if (take(line, "server: ")) {
      server_ = upstream_ = kept(line);
    } else if (take(line, "rtt: ")) {
      if (opened_) return fail("rtt: must come before what happens");
      rtt_ = duration(line);
    } else if (take(line, "unknown: ")) {
      if (opened_) return fail("unknown: must come before what happens");
      for (const std::string& name : words(line)) {
        const auto bit = static_cast<std::size_t>(std::ranges::find(kUnknownNames, name) -
                                                  kUnknownNames.begin());
        if (bit == kUnknowns) fail(fmt::format("a trace does not know \"{}\"", name));
        fidelity_.unknown |= static_cast<std::uint16_t>(1 << bit);
      }
    } else if (take(line, "resolution: ")) {
      if (opened_) return fail("resolution: must come before what happens");
      fidelity_.resolution = duration(line);
    } else if (line == "inside tls") {
      if (opened_) return fail("inside tls must come before what happens");
      fidelity_.inside_tls = true;
    } else if (take(line, "session: ")) {
      turn_to(words(line));
    } else if (line == "end") {
      if (!opened_) open(true);
      add(SessionEnded{});
      std::erase(open_, session_);
    } else if (take(line, "start: ")) {
      if (opened_) return fail("start: must come first");
      into_.mid_session = line == "mid-session";
      if (!into_.mid_session && line != "unconnected") return fail("unknown start");
      open(false);
    } else if (!read_expectation(line)) {
      if (!opened_) open(true);
      if (!read_event(line)) fail(fmt::format("cannot read \"{}\"", line));
    }
  }

  /// Texts that events point to for as long as tests run.
  static std::string_view kept(std::string_view text) {
    static std::set<std::string, std::less<>> texts;
    return *texts.emplace(text).first;
  }

  /// "session: N [from ADDRESS]": what follows is of session N, which begins if it is new.
  void turn_to(const std::vector<std::string>& how) {
    if (how.empty() || (how.size() != 1 && (how.size() != 3 || how[1] != "from"))) {
      return fail("session: N [from ADDRESS]");
    }
    if (!opened_) open(true);
    session_ = std::stoull(how[0]);
    if (std::ranges::find(open_, session_) != open_.end()) return;
    if (how.size() == 3) client_ = how[2];
    open(true);
  }

  void open(bool connected) {
    opened_ = true;
    inside_tls_ = {};
    open_.push_back(session_);
    // The first session opens at time 0, another one when its turn comes.
    if (!pause_) pause_ = Duration::zero();
    add(SessionOpened{.client = {},
                      .listener = "127.0.0.1:2525",
                      .upstream = upstream_,
                      .mid_session = into_.mid_session,
                      .fidelity = fidelity_},
        client_);
    if (connected) {
      pause_ = Duration::zero();
      add(UpstreamConnected{.server = server_, .rtt = rtt_});
    }
  }

  bool read_event(std::string_view line) {
    const bool undelivered = take(line, "undelivered ");
    // An empty line has lost its blank behind the colon.
    if (line == "C:") return bytes(Side::kClient, "\r\n");
    if (take(line, "C: ")) {
      return bytes(Side::kClient, std::string(line) + "\r\n", false, undelivered);
    }
    if (take(line, "S: ")) {
      return bytes(Side::kServer, std::string(line) + "\r\n", false, undelivered);
    }
    if (take(line, "P: ")) return bytes(Side::kServer, std::string(line) + "\r\n", true);
    if (take(line, "C> raw ")) return bytes(Side::kClient, unescape(line));
    if (take(line, "S> raw ")) return bytes(Side::kServer, unescape(line));
    if (take(line, "pipelined: ")) return bytes(Side::kClient, lines_of(line));
    if (line == "C> unseen message") {
      return unseen(MessageScanner::Framing::kDotTerminated, 0, 0, ".\r\n");
    }
    if (take(line, "C> unseen chunk ")) {
      const auto sizes = words(line);
      return sizes.size() == 2 && unseen(MessageScanner::Framing::kCounted, std::stoull(sizes[0]),
                                         std::stoull(sizes[1]), {});
    }
    if (take(line, "@ +")) {
      pause_ = duration(line);
      return true;
    }
    if (take(line, "given instead: ")) {
      into_.events.back().text = std::string(line) + "\r\n";
      return true;
    }
    if (take(line, "scenario: ")) {
      auto* bytes = std::get_if<Bytes>(&into_.events.back().event.body);
      if (bytes != nullptr) bytes->scenario = kept(line);
      return bytes != nullptr;
    }
    if (take(line, "close ")) return close(words(line));
    if (take(line, "blocked ")) return blocked(words(line));
    if (take(line, "tls ")) return tls(words(line));
    if (take(line, "remark ")) return remark(line);
    if (take(line, "stalled ")) {
      const Duration length = duration(line);
      advance();
      return add_at(ProxyStalled{.since = now_ - length});
    }
    if (take(line, "tcp ")) return tcp(words(line));
    if (take(line, "gap ")) return gap(words(line));
    if (line == "connected") return add(UpstreamConnected{.server = server_, .rtt = rtt_});
    if (take(line, "connect failed: ")) {
      return add(UpstreamFailed{}, std::string(line));
    }
    return false;
  }

  static std::string lines_of(std::string_view text) {
    std::string all;
    for (;;) {
      const std::size_t bar = text.find(" | ");
      all += text.substr(0, bar);
      all += "\r\n";
      if (bar == std::string_view::npos) return all;
      text.remove_prefix(bar + 3);
    }
  }

  std::string unescape(std::string_view text) {
    const std::size_t close = text.rfind('"');
    if (!text.starts_with('"') || close == 0) {
      fail("raw needs a text in quotes");
      return "";
    }
    const std::string_view behind = text.substr(close + 1);
    const std::string_view quoted = text.substr(1, close - 1);
    std::string once;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
      if (quoted[i] != '\\') {
        once += quoted[i];
        continue;
      }
      static const std::map<char, char> kEscapes = {{'r', '\r'}, {'n', '\n'},  {'t', '\t'},
                                                    {'0', '\0'}, {'\\', '\\'}, {'"', '"'}};
      const char kind = ++i < quoted.size() ? quoted[i] : '?';
      if (kind == 'x' && i + 2 < quoted.size()) {
        once += static_cast<char>(std::stoi(std::string(quoted.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else if (const auto found = kEscapes.find(kind); found != kEscapes.end()) {
        once += found->second;
      } else {
        fail("unknown escape");
      }
    }
    std::string all;
    const std::string_view star = " * ";
    const int times =
        behind.starts_with(star) ? std::stoi(std::string(behind.substr(star.size()))) : 1;
    for (int i = 0; i < times; ++i) all += once;
    return all;
  }

  bool close(const std::vector<std::string>& how) {
    static const std::map<std::string, CloseKind> kKinds = {{"fin", CloseKind::kFin},
                                                            {"reset", CloseKind::kReset},
                                                            {"timeout", CloseKind::kTimeout},
                                                            {"error", CloseKind::kError}};
    if (how.size() < 2 || kKinds.count(how[1]) == 0) return false;
    return add(Closed{.from = side_of(how[0]),
                      .kind = kKinds.at(how[1]),
                      .by_proxy = how.size() > 2,
                      .reason = {}});
  }

  /// smtpscope has spoken TLS with a side: "client ok", "server failed", "client failed 48". What
  /// the side says afterwards comes inside TLS.
  bool tls(const std::vector<std::string>& how) {
    if (how.size() < 2 || (how[1] != "ok" && how[1] != "failed")) return false;
    auto facts = std::make_shared<TlsFacts>();
    const Side with = side_of(how[0]);
    facts->completed = how[1] == "ok";
    facts->version = facts->completed ? "TLS 1.3" : "";
    if (!facts->completed) {
      facts->failed_by = with;
      facts->failure = "it closed in the middle of the handshake";
    }
    if (how.size() > 2) {
      facts->alert = static_cast<std::uint8_t>(std::stoi(how[2]));
      facts->failure = fmt::format("alert {}", how[2]);
    }
    if (with == Side::kClient) facts->origin = TlsCertificateOrigin::kMade;
    inside_tls_[index(with)] = facts->completed;
    return add(TlsHandshake{.with = with, .facts = std::move(facts)});
  }

  /// "timeout client 30s: text"
  bool remark(std::string_view line) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return false;
    const auto head = words(line.substr(0, colon));
    if (head.empty()) return false;
    const auto kind = std::ranges::find(kRemarkKindNames, head[0]);
    if (kind == kRemarkKindNames.end()) return false;
    Remark remark{.kind = static_cast<RemarkKind>(kind - kRemarkKindNames.begin()),
                  .by = {},
                  .length = {},
                  .text = kept(line.substr(colon + 2))};
    for (std::size_t i = 1; i < head.size(); ++i) {
      if (head[i] == "client" || head[i] == "server") {
        remark.by = side_of(head[i]);
      } else {
        remark.length = duration(head[i]);
      }
    }
    return add(remark);
  }

  bool blocked(const std::vector<std::string>& how) {
    if (how.size() != 3) return false;
    const Duration length = duration(how[1]);
    advance();
    return add_at(
        Blocked{.to = side_of(how[0]), .since = now_ - length, .octets = std::stoull(how[2])});
  }

  /// "server unheard=5s unconfirmed=35 sent_again=4"
  bool tcp(const std::vector<std::string>& how) {
    TcpReport report;
    if (how.empty()) return false;
    report.with = side_of(how[0]);
    TcpFigures& figures = report.figures;
    for (std::size_t i = 1; i < how.size(); ++i) {
      const std::size_t equals = how[i].find('=');
      if (equals == std::string::npos) return false;
      const std::string name = how[i].substr(0, equals);
      const std::string value = how[i].substr(equals + 1);
      if (name == "unheard") {
        figures.unheard = duration(value);
      } else if (name == "unconfirmed") {
        figures.unconfirmed = std::stoull(value);
      } else if (name == "unsent") {
        figures.unsent = std::stoull(value);
      } else {
        static const std::map<std::string, std::uint32_t TcpFigures::*> kCounts = {
            {"sent_again", &TcpFigures::sent_again},
            {"probes", &TcpFigures::probes},
            {"segment", &TcpFigures::segment},
            {"out_of_order", &TcpFigures::out_of_order}};
        const auto count = kCounts.find(name);
        if (count == kCounts.end()) return false;
        figures.*count->second = static_cast<std::uint32_t>(std::stoul(value));
      }
    }
    return add(report);
  }

  /// Octets of a message that the trace does not have, `total` of it up to then, and the end that
  /// it must have had.
  bool unseen(MessageScanner::Framing framing, std::uint64_t octets, std::uint64_t total,
              std::string_view end) {
    MessageScanner::Saved after = MessageScanner(framing).save();
    after.facts.unseen = true;
    after.facts.octets = after.wire_octets = total;
    after.header = HeaderScanner::stopped();
    Bytes read;
    read.left_out =
        std::make_shared<const LeftOut>(LeftOut{octets, *MessageScanner::restore(after)});
    read.tail = octets_of(end);
    return add(read);
  }

  bool gap(const std::vector<std::string>& what) {
    if (what.size() != 2) return false;
    const auto from = what[0] == "both" ? std::nullopt : std::optional(side_of(what[0]));
    return add(Gap{.from = from, .octets = std::stoull(what[1]), .why = "not captured"});
  }

  Side side_of(const std::string& name) {
    if (name != "client" && name != "server") fail("a side is client or server");
    return name == "client" ? Side::kClient : Side::kServer;
  }

  void advance() {
    now_ += pause_.value_or(kUsual);
    pause_.reset();
  }

  bool bytes(Side side, const std::string& octets, bool by_proxy = false,
             bool undelivered = false) {
    Bytes read;
    read.from = side;
    read.by_proxy = by_proxy;
    read.undelivered = undelivered;
    read.tls = inside_tls_[index(side)] && !by_proxy;
    add(read);
    into_.events.back().octets.assign(octets.begin(), octets.end());
    return true;
  }

  template <typename Body>
  bool add(Body body, std::string text = "") {
    advance();
    return add_at(body, std::move(text));
  }

  template <typename Body>
  bool add_at(Body body, std::string text = "") {
    Time time = now_;
    if (const Duration step = fidelity_.resolution; step > Duration::zero()) {
      time -= now_.time_since_epoch() % step;
    }
    into_.events.push_back({.time = time,
                            .octets = {},
                            .text = std::move(text),
                            .event = {.session = session_, .time = time, .body = body}});
    return true;
  }

  bool read_expectation(std::string_view line) {
    Expectation one;
    one.line = number_;
    one.before = before_line_;
    one.after = into_.events.size();
    one.session = session_;
    using Kind = Expectation::Kind;
    if (take(line, "expect: ")) {
      const auto what = words(line);
      one.kind = Kind::kFires;
      one.rule = what.at(0);
      for (std::size_t i = 1; i < what.size(); ++i) {
        const bool is_severity =
            what[i] == "info" || what[i] == "notice" || what[i] == "warning" || what[i] == "error";
        (is_severity ? one.severity : one.variant) = what[i];
      }
    } else if (take(line, "folded: ")) {
      const auto what = words(line);
      if (what.size() != 3 || what[1] != "under") fail("folded: RULE under RULE");
      if (what.size() != 3) return true;
      one.kind = Kind::kFolded;
      one.rule = what[0];
      one.headline = what[2];
    } else if (take(line, "not evaluated: ")) {
      one.kind = Kind::kNotEvaluated;
      one.rule = line;
    } else if (take(line, "never: ")) {
      one.kind = Kind::kNever;
      one.rule = line;
    } else if (take(line, "silence: ")) {
      const auto what = words(line);
      if (what.size() != 2) fail("silence: PARTY LENGTH");
      if (what.size() != 2) return true;
      one.kind = Kind::kSilence;
      one.party = what[0];
      one.milliseconds =
          std::chrono::duration_cast<std::chrono::milliseconds>(duration(what[1])).count();
    } else if (take(line, "outcome: ")) {
      one.kind = Kind::kOutcome;
      const std::size_t by = line.find(" by ");
      if (by != std::string_view::npos) one.cause = line.substr(by + 4);
      const auto what = words(line.substr(0, by));
      if (what.size() != 2) fail("outcome: NUMBER OUTCOME [by CAUSE]");
      if (what.size() != 2) return true;
      one.transaction = std::stoull(what[0]);
      one.words = what[1];
    } else if (take(line, "verdict: ")) {
      one.kind = Kind::kVerdict;
      one.words = line;
    } else if (take(line, "says: ")) {
      one.kind = Kind::kSays;
      one.words = line;
    } else {
      return false;
    }
    into_.expectations.push_back(one);
    return true;
  }

  Transcript& into_;
  std::size_t number_ = 0;
  std::size_t before_line_ = 0;  // events before the last line that was one
  bool opened_ = false;
  SessionId session_ = 1;        // that lines are about
  std::vector<SessionId> open_;  // in the order of their opening
  std::string client_ = "192.0.2.10:50114";
  std::string_view upstream_ = "mx.example:25", server_ = "192.0.2.25:25";
  Fidelity fidelity_;
  std::array<bool, 2> inside_tls_{};  // by index(Side)
  std::optional<Duration> rtt_;
  Time now_;
  std::optional<Duration> pause_;
};

}  // namespace

void Transcript::settle_views() {
  for (OwnedEvent& each : events) {
    if (auto* bytes = std::get_if<Bytes>(&each.event.body)) {
      bytes->head = each.octets;
      if (!each.text.empty()) bytes->instead = octets_of(each.text);
    }
    if (auto* failed = std::get_if<UpstreamFailed>(&each.event.body)) failed->reason = each.text;
    if (auto* opened = std::get_if<SessionOpened>(&each.event.body)) opened->client = each.text;
  }
}

Transcript parse_transcript(std::string name, std::string source) {
  Transcript transcript;
  transcript.name = std::move(name);
  transcript.source = std::move(source);
  Reader(transcript).read();
  return transcript;
}

std::vector<std::string> transcript_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SMTPSCOPE_SOURCE_DIR) +
                                                               "/tests/timeline/transcripts")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Transcript read_transcript(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  Transcript transcript = parse_transcript(std::filesystem::path(path).stem().string(), text.str());
  if (!file) transcript.error = "cannot be read";
  return transcript;
}

}  // namespace smtpscope::test
