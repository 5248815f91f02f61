#include "exporters/text/transcript_exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/octets.h"
#include "capture/wall_time.h"

namespace smtpscope {
namespace {

/// What a line comes after the one before unless it says otherwise.
constexpr Duration kUsual = std::chrono::milliseconds(1);

/// Readers of texts have an end to how long a line may be.
constexpr std::size_t kLongestPlain = 8 * 1024;

/// "1.5s", with as many decimals as it takes.
std::string exact_seconds(Duration duration) {
  std::string text =
      fmt::format("{}.{:09}", duration.count() / 1'000'000'000, duration.count() % 1'000'000'000);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text + "s";
}

/// The octets are a line that can stand as it is: with its end, without blanks that get lost.
bool is_plain_line(std::string_view octets) {
  if (!octets.ends_with("\r\n")) return false;
  octets.remove_suffix(2);
  if (octets.ends_with(' ')) return false;
  return std::all_of(octets.begin(), octets.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// As a literal of C.
std::string literal(std::string_view octets) {
  std::string text = "\"";
  for (const char c : octets) {
    switch (c) {
      case '\r':
        text += "\\r";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\\':
        text += "\\\\";
        break;
      case '"':
        text += "\\\"";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          text += c;
        } else {
          text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  return text + "\"";
}

std::string_view name_of(CloseKind kind) {
  switch (kind) {
    case CloseKind::kFin:
      return "fin";
    case CloseKind::kReset:
      return "reset";
    case CloseKind::kTimeout:
      return "timeout";
    default:
      return "error";
  }
}

/// A name or address that may stand in a line.
std::string in_one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' ' || c == '\x7f'; }, '?');
  return line;
}

/// What is known of a session, as far as it is not as of the one before.
std::string words_of(const Fidelity& now, const Fidelity& before) {
  std::string words;
  if (now.unknown != before.unknown) {
    words += "unknown:";
    for (std::size_t bit = 0; bit < kUnknowns; ++bit) {
      if ((now.unknown >> bit & 1) != 0) words += fmt::format(" {}", kUnknownNames[bit]);
    }
    words += now.unknown == 0 ? " nothing\n" : "\n";
  }
  if (now.resolution != before.resolution) {
    words += fmt::format("resolution: {}\n", exact_seconds(now.resolution));
  }
  if (now.inside_tls != before.inside_tls) {
    words += now.inside_tls ? "inside tls\n" : "outside tls\n";
  }
  return words;
}

}  // namespace

TranscriptExporter::TranscriptExporter(const ExporterOptions& options, Output& output)
    : output_(output), asked_for_(options) {}

void TranscriptExporter::begin_run(const RunInfo& run) {
  output_.write(fmt::format("# smtpscope transcript 1 of {}, started {}\n", in_one_line(run.source),
                            format_wall_time(run.started)));
  asked_for_.begin_run(run.started);
  written_ = false;
  fidelity_ = {};
}

void TranscriptExporter::on_timeline(const TimelineEvent& event) {
  if (asked_for_.on_timeline(event)) wanted_.insert(event.session);
}

void TranscriptExporter::open(SessionId id, Time time, const SessionOpened& opened) {
  auto session = std::make_unique<Session>(spool_);
  session->client = in_one_line(opened.client);
  session->server = in_one_line(opened.upstream.empty() ? opened.listener : opened.upstream);
  session->fidelity = opened.fidelity;
  session->opened = session->last = time;
  session->mid_session = opened.mid_session;
  open_[id] = std::move(session);
}

void TranscriptExporter::on_record(const WireEvent& event) {
  if (const auto* opened = std::get_if<SessionOpened>(&event.body)) {
    open(event.session, event.time, *opened);
    return;
  }
  const auto found = open_.find(event.session);
  if (found == open_.end()) return;
  Session& session = *found->second;
  const auto line = [&](std::string_view text) { happens(session, event.time, text); };
  const auto why = [&](std::string_view text) {
    if (!text.empty()) session.text.add(fmt::format("# why: {}\n", in_one_line(text)));
  };
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, Bytes>) {
          say(session, event.time, body);
        } else if constexpr (std::is_same_v<Body, UpstreamConnected>) {
          // At once, unless the connection took its time.
          if (session.begun) return;
          session.connected =
              fmt::format(", connected to {} in {} after {}", in_one_line(body.server),
                          exact_seconds(body.took), exact_seconds(event.time - session.opened));
          session.rtt = body.rtt;
          session.last = event.time;
        } else if constexpr (std::is_same_v<Body, UpstreamFailed>) {
          session.unconnected = true;
          line(fmt::format("connect failed: {}", in_one_line(body.reason)));
        } else if constexpr (std::is_same_v<Body, Closed>) {
          why(body.reason);
          line(fmt::format("close {} {}{}", to_string(body.from), name_of(body.kind),
                           body.by_proxy ? " by proxy" : ""));
        } else if constexpr (std::is_same_v<Body, Gap>) {
          why(body.why);
          line(fmt::format("gap {} {}", body.from ? to_string(*body.from) : "both", body.octets));
        } else if constexpr (std::is_same_v<Body, Blocked>) {
          line(fmt::format("blocked {} {} {}", to_string(body.to),
                           exact_seconds(event.time - body.since), body.octets));
        } else if constexpr (std::is_same_v<Body, ProxyStalled>) {
          line(fmt::format("stalled {}", exact_seconds(event.time - body.since)));
        } else if constexpr (std::is_same_v<Body, TcpReport>) {
          const TcpFigures& figures = body.figures;
          std::string words = fmt::format("tcp {} unheard={}", to_string(body.with),
                                          exact_seconds(figures.unheard));
          const auto number = [&](std::string_view name, std::uint64_t value) {
            if (value > 0) words += fmt::format(" {}={}", name, value);
          };
          number("unconfirmed", figures.unconfirmed);
          number("unsent", figures.unsent);
          number("sent_again", figures.sent_again);
          number("probes", figures.probes);
          number("segment", figures.segment);
          number("out_of_order", figures.out_of_order);
          line(words);
        } else if constexpr (std::is_same_v<Body, TlsHandshake>) {
          const TlsFacts& facts = *body.facts;
          why(facts.failure);
          const auto fact = [&](std::string_view name, const std::string& value) {
            if (value.empty()) return;
            session.text.add(fmt::format("# {}: {}\n", name, in_one_line(value)));
          };
          fact("version", facts.version);
          fact("cipher", facts.cipher);
          if (body.took > Duration::zero()) fact("took", exact_seconds(body.took));
          if (facts.failed_by) {
            session.text.add(fmt::format("# failed by: {}\n", to_string(*facts.failed_by)));
          }
          line(fmt::format("tls {} {}{}", to_string(body.with), facts.completed ? "ok" : "failed",
                           facts.alert ? fmt::format(" {}", *facts.alert) : ""));
        } else if constexpr (std::is_same_v<Body, TlsAlerted>) {
          session.text.add(fmt::format("# TLS alert {} of the {} side\n", body.description,
                                       to_string(body.from)));
        } else if constexpr (std::is_same_v<Body, Remark>) {
          std::string head = fmt::format("remark {}", to_string(body.kind));
          if (body.by) head += fmt::format(" {}", to_string(*body.by));
          if (body.length) head += fmt::format(" {}", exact_seconds(*body.length));
          const bool plain = in_one_line(body.text) == body.text && !body.text.starts_with('"') &&
                             !body.text.starts_with(' ') && !body.text.ends_with(' ');
          line(fmt::format("{}: {}", head, plain ? std::string(body.text) : literal(body.text)));
        }
      },
      event.body);
  if (std::holds_alternative<SessionEnded>(event.body)) {
    line("end");
    session.ended = true;
    // In the order in which they began.
    while (!open_.empty() && open_.begin()->second->ended) {
      write(open_.begin()->first, *open_.begin()->second);
      open_.erase(open_.begin());
    }
  }
}

/// A line that something happens with, and when.
void TranscriptExporter::happens(Session& session, Time time, std::string_view line) {
  const Duration since = time - session.last;
  if (since != kUsual) session.text.add(fmt::format("@ +{}\n", exact_seconds(since)));
  session.text.add(fmt::format("{}\n", line));
  session.last = time;
  session.begun = true;
}

void TranscriptExporter::say(Session& session, Time time, const Bytes& bytes) {
  if (bytes.aside) {
    session.text.add(
        fmt::format("# between smtpscope and the server: {}\n", literal(text_of(bytes.head))));
    return;
  }
  const std::string_view side = bytes.from == Side::kClient ? "C" : bytes.by_proxy ? "P" : "S";
  const std::string mark = fmt::format("{}{}", bytes.undelivered ? "undelivered " : "", side);
  say_lines(session, time, mark, text_of(bytes.head));
  if (!bytes.left_out) return;
  if (bytes.left_out->after.facts().unseen && text_of(bytes.tail) == ".\r\n") {
    happens(session, time, "C> unseen message");
    return;
  }
  const MessageScanner& after = bytes.left_out->after;
  if (after.facts().unseen && bytes.tail.empty() && bytes.further.empty()) {
    happens(session, time,
            fmt::format("C> unseen chunk {} {}", bytes.left_out->octets, after.facts().octets));
    return;
  }
  const auto leave_out = [&](std::uint64_t octets) {
    happens(session, time, fmt::format("gap {} {}", to_string(bytes.from), octets));
  };
  leave_out(bytes.left_out->octets);
  say_lines(session, time, mark, text_of(bytes.tail));
  for (const FurtherPart& part : bytes.further) {
    leave_out(part.left_out.octets);
    say_lines(session, time, mark, text_of(part.octets));
  }
}

/// Reads that come at one time count as one, so each line stands for itself.
void TranscriptExporter::say_lines(Session& session, Time time, std::string_view mark,
                                   std::string_view octets) {
  while (!octets.empty()) {
    const std::size_t end = octets.find('\n');
    const std::size_t size = end == std::string_view::npos ? octets.size() : end + 1;
    const std::string_view line = octets.substr(0, size);
    octets.remove_prefix(size);
    if (line.size() > kLongestPlain) {
      // In pieces of one time, which are one read again.
      for (std::size_t at = 0; at < line.size(); at += kLongestPlain) {
        happens(session, time,
                fmt::format("{}> raw {}", mark, literal(line.substr(at, kLongestPlain))));
      }
      continue;
    }
    const bool plain = is_plain_line(line);
    happens(session, time,
            plain ? fmt::format("{}: {}", mark, line.substr(0, line.size() - 2))
                  : fmt::format("{}> raw {}", mark, literal(line)));
  }
}

void TranscriptExporter::write(SessionId id, Session& session) {
  if (!asked_for_.all() && wanted_.erase(id) == 0) return;
  std::string head = fmt::format(
      "\n# session {} began +{}{}{}\n", id, exact_seconds(session.opened.time_since_epoch()),
      session.mid_session ? ", mid-session" : "",
      session.unconnected ? std::string(", unconnected") : session.connected);
  if (!session.server.empty()) head += fmt::format("server: {}\n", session.server);
  head += words_of(session.fidelity, fidelity_);
  fidelity_ = session.fidelity;
  if (!written_) {
    if (!session.client.empty()) head += fmt::format("client: {}\n", session.client);
    if (session.rtt) head += fmt::format("rtt: {}\n", exact_seconds(*session.rtt));
    if (session.mid_session) head += "start: mid-session\n";
    if (!session.mid_session && session.unconnected) head += "start: unconnected\n";
  } else {
    head += fmt::format("session: {}{}{}\n", id, session.client.empty() ? "" : " from ",
                        session.client);
  }
  written_ = true;
  output_.write(head);
  session.text.read([&](std::string_view text) { output_.write(text); });
}

void TranscriptExporter::end_run() {
  for (const SessionId session : asked_for_.end_run()) wanted_.insert(session);
  for (const auto& [id, session] : open_) write(id, *session);
  open_.clear();
  wanted_.clear();
}

}  // namespace smtpscope
