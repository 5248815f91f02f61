#include "capture/event_line.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "base/time_bounds.h"
#include "capture/event_format.h"
#include "capture/event_names.h"
#include "capture/octet_text.h"
#include "capture/wall_time.h"

namespace smtpscope {
namespace {

using Json = simdjson::dom::element;

/// Ours lies at most eight deep, candidates in after in left_out in further; there is room for what
/// later versions may add.
constexpr std::size_t kMaxDepth = 64;

/// Nobody starts a run after 2105, which is as far as the times of packets go.
constexpr Duration kLatestStart = std::chrono::seconds(std::int64_t{1} << 32);

/// What is quoted of a line in a complaint about it.
constexpr std::size_t kQuoted = 32;

/// The line as JSON; nothing when it is none. It lives until the next call on this thread.
std::optional<Json> parse_json(std::string_view line) {
  // A hostile line can nest as deep as it is long.
  constexpr std::size_t kUsualLine = 1 << 16;  // grows with longer ones
  static thread_local simdjson::dom::parser parser;
  static thread_local const bool kReady =
      parser.allocate(kUsualLine, kMaxDepth) == simdjson::SUCCESS;
  Json root;
  if (!kReady || parser.parse(line.data(), line.size(), true).get(root) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return root;
}

template <typename Number>
std::optional<Number> as_number(const Json& value) {
  if (std::uint64_t natural = 0; value.get(natural) == simdjson::SUCCESS) {
    if (std::in_range<Number>(natural)) return static_cast<Number>(natural);
  } else if (std::int64_t integer = 0; value.get(integer) == simdjson::SUCCESS) {
    if (std::in_range<Number>(integer)) return static_cast<Number>(integer);
  }
  return std::nullopt;
}

std::optional<std::string_view> as_text(const Json& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? std::optional(text) : std::nullopt;
}

std::optional<Json> member(const Json& object, std::string_view key) {
  simdjson::dom::object members;
  Json value;
  if (object.get(members) != simdjson::SUCCESS) return std::nullopt;
  if (members.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace

Result<RunInfo> parse_header(std::string_view line) {
  const std::optional<Json> header = parse_json(line);
  const std::optional<Json> version = header ? member(*header, "smtpcap") : std::nullopt;
  const std::optional<int> major = version ? as_number<int>(*version) : std::nullopt;
  if (!major || *major < 1) {
    return Error{"its first line is not {\"smtpcap\":1,...}, so it is no capture of smtpscope"};
  }
  const auto text = [&](const char* key) {
    const std::optional<Json> value = member(*header, key);
    return std::string(value ? as_text(*value).value_or("") : "");
  };
  if (*major > kCaptureVersion) {
    return Error{fmt::format(
        "it is in version {} of the capture format, written by {}; this "
        "smtpscope reads up to version {}, so use a newer one",
        *major, text("writer").empty() ? "a newer smtpscope" : text("writer"), kCaptureVersion)};
  }
  RunInfo run;
  const std::optional<WallTime> started = parse_wall_time(text("started"));
  // Times of the run are added to it.
  if (!started || started->time_since_epoch() < Duration::zero() ||
      started->time_since_epoch() > kLatestStart) {
    return Error{"its first line does not say when it was started"};
  }
  run.started = *started;
  run.writer = text("writer");
  run.tap = text("tap");
  run.source = text("source");
  run.credentials_kept = text("credentials") == "kept";
  run.message_kept = text("message");
  run.redacted = text("redacted");
  run.run = text("run");
  const std::optional<Json> part = member(*header, "part");
  if (part) run.part = as_number<std::uint64_t>(*part).value_or(0);
  return run;
}

/// Takes one line's JSON apart. The first thing that is wrong ends it: get() and its kin then give
/// nothing more that matters.
class EventLine::Reader {
 public:
  Reader(EventLine& line, const Json& object) : line_(line), object_(object) {}

  bool read() {
    line_.event_ = {};
    line_.event_.time = time("t");
    line_.event_.session = number<SessionId>("s");
    line_.event_.seam = flag("seam");
    line_.name_ = std::string(word("e"));
    return ok();
  }

  /// False when the kind is not known.
  bool read_body() {
    auto& body = line_.event_.body;
    const std::string_view kind = line_.name_;
    if (kind == "bytes") {
      body = bytes();
    } else if (kind == "open") {
      body = SessionOpened{text(0, "client"),
                           text(1, "listener"),
                           text(2, "upstream"),
                           flag("mid_session"),
                           round_trip(),
                           fidelity(),
                           find("announced_by") ? text(3, "announced_by") : std::string_view(),
                           find("route") ? text(4, "route") : std::string_view()};
    } else if (kind == "connected") {
      body = UpstreamConnected{text(0, "server"), span("took"),
                               number_or_zero<std::uint32_t>("failed_attempts"), round_trip()};
    } else if (kind == "failed") {
      body = UpstreamFailed{text(0, "reason")};
    } else if (kind == "blocked") {
      body = Blocked{side("to"), since(), number<std::uint64_t>("octets")};
    } else if (kind == "stalled") {
      body = ProxyStalled{since()};
    } else if (kind == "gap") {
      body = gap();
    } else if (kind == "close") {
      body = Closed{side("from"), named_word<CloseKind>("kind", kCloseKindNames), flag("by_proxy"),
                    find("reason") ? text(0, "reason") : std::string_view()};
    } else if (kind == "end") {
      body = SessionEnded{};
    } else if (kind == "tls") {
      body = tls_handshake();
    } else if (kind == "tls_alert") {
      body = TlsAlerted{side("from"), flag("by_proxy"), number<std::uint8_t>("level"),
                        number<std::uint8_t>("description")};
    } else if (kind == "remark") {
      body = remark();
    } else if (kind == "tcp") {
      body = tcp_report();
    } else {
      return false;
    }
    if (line_.event_.session == kWholeRun && !std::holds_alternative<Gap>(body)) {
      complain("s", "is 0, which stands for the whole run: it has gaps only");
    }
    return true;
  }

  bool ok() const { return line_.complaint_.empty(); }

 private:
  void complain(std::string_view key, std::string_view what) {
    if (ok()) line_.complaint_ = fmt::format("\"{}\" {}", key, what);
  }

  std::optional<Json> find(std::string_view key) const { return member(object_, key); }

  std::optional<Json> get(std::string_view key) {
    const std::optional<Json> value = find(key);
    if (!value) complain(key, "is missing");
    return value;
  }

  template <typename Number>
  Number number_of(std::string_view key, const std::optional<Json>& value) {
    if (!value) return 0;
    const std::optional<Number> number = as_number<Number>(*value);
    if (!number) complain(key, "is no number of the right size");
    return number.value_or(Number{0});
  }
  template <typename Number>
  Number number(std::string_view key) {
    return number_of<Number>(key, get(key));
  }
  template <typename Number>
  Number number_or_zero(std::string_view key) {
    return number_of<Number>(key, find(key));
  }

  Time time(std::string_view key) {
    const Duration since_start(number<std::int64_t>(key));
    if (since_start >= -kFurthestTime && since_start <= kFurthestTime) return Time(since_start);
    complain(key, "is no time that a run can have");
    return {};
  }
  /// Of something that lasted until the event.
  Time since() {
    const Time began = time("since");
    if (began > line_.event_.time) complain("since", "is after the event");
    return began;
  }
  Duration span(std::string_view key) {
    const Duration length(number<std::int64_t>(key));
    if (length >= Duration::zero() && length <= kFurthestTime) return length;
    complain(key, "is no time that anything can take");
    return {};
  }

  std::optional<Duration> round_trip() {
    if (!find("rtt")) return std::nullopt;
    return span("rtt");
  }

  Remark remark() {
    Remark remark;
    remark.kind = named_word<RemarkKind>("kind", kRemarkKindNames);
    if (find("by")) remark.by = side("by");
    if (find("length")) remark.length = span("length");
    remark.text = text(0, "text");
    return remark;
  }

  TcpReport tcp_report() {
    TcpReport report;
    report.with = side("with");
    report.figures.unconfirmed = number_or_zero<std::uint64_t>("unconfirmed");
    report.figures.unsent = number_or_zero<std::uint64_t>("unsent");
    report.figures.sent_again = number_or_zero<std::uint32_t>("sent_again");
    report.figures.probes = number_or_zero<std::uint32_t>("probes");
    report.figures.segment = number_or_zero<std::uint32_t>("segment");
    report.figures.out_of_order = number_or_zero<std::uint32_t>("out_of_order");
    report.figures.unheard = span("unheard");
    return report;
  }

  /// A hash in hexadecimal; 0 where there is none.
  std::uint64_t hash_or_zero(std::string_view key) {
    if (!find(key)) return 0;
    const std::string_view digits = word(key);
    std::uint64_t hash = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), hash, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      complain(key, "is no hash");
      return 0;
    }
    return hash;
  }

  bool flag(std::string_view key) {
    const std::optional<Json> value = find(key);
    bool set = false;
    if (value && value->get(set) != simdjson::SUCCESS) {
      complain(key, "is neither true nor false");
    }
    return set;
  }

  std::string_view word(std::string_view key) {
    const std::optional<Json> value = get(key);
    if (!value) return {};
    const std::optional<std::string_view> text = as_text(*value);
    if (!text) complain(key, "is no string");
    return text.value_or("");
  }
  template <typename Enum, std::size_t N>
  Enum named_word(std::string_view key, const std::array<std::string_view, N>& names) {
    const std::string_view value = word(key);
    const std::optional<Enum> enumerator = named<Enum>(names, value);
    if (!enumerator) {
      complain(key, fmt::format("is \"{}\", which means nothing here", value.substr(0, kQuoted)));
    }
    return enumerator.value_or(Enum{});
  }
  Side side(std::string_view key) { return named_word<Side>(key, kSideNames); }

  std::string_view text(std::size_t place, std::string_view key) {
    line_.texts_[place] = std::string(word(key));
    return line_.texts_[place];
  }

  /// Appends the octets of `key`, or of `base64_key`, to line_.octets_. Gives how many.
  std::size_t octets(std::string_view key, std::string_view base64_key) {
    const std::size_t before = line_.octets_.size();
    const bool base64 = find(base64_key).has_value();
    if (!base64 && !find(key)) return 0;
    const std::string_view spelled = word(base64 ? base64_key : key);
    if (base64 && !append_base64_octets(spelled, line_.octets_)) {
      complain(base64_key, "is no base64");
    } else if (!base64 && !append_text_octets(spelled, line_.octets_)) {
      complain(key, "has a character that stands for no octet");
    }
    return line_.octets_.size() - before;
  }

  Fidelity fidelity() {
    Fidelity fidelity;
    each_of("unknown", [&](const Json& name) {
      const std::optional<std::string_view> word = as_text(name);
      if (!word) complain("unknown", "has an entry that is no word");
      // A word of a later version is skipped, like a field that is not known.
      for (std::size_t bit = 0; bit < kUnknowns; ++bit) {
        if (kUnknownNames[bit] == word) fidelity.unknown |= static_cast<std::uint16_t>(1 << bit);
      }
    });
    fidelity.resolution = Duration(number_or_zero<std::uint32_t>("resolution"));
    fidelity.inside_tls = flag("inside_tls");
    return fidelity;
  }

  Bytes bytes() {
    line_.octets_.clear();
    line_.further_.clear();
    line_.masks_.clear();
    Bytes bytes;
    bytes.from = side("from");
    const std::size_t head = octets("data", "b64");
    std::size_t tail = 0;
    std::vector<std::size_t> further;
    std::size_t instead = 0;
    const bool has_instead = find("instead") || find("instead_b64");
    if (const std::optional<Json> hole = find("left_out")) {
      bytes.left_out = std::make_shared<const LeftOut>(left_out(*hole));
      tail = octets("tail", "tail_b64");
      further = further_parts();
    } else if (!find("data") && !find("b64")) {
      complain("data", "is missing");
    }
    const std::size_t here = line_.octets_.size();
    if (has_instead) instead = octets("instead", "instead_b64");
    // All octets are in place now: views into them stay valid.
    std::span<const std::uint8_t> rest = line_.octets_;
    const auto take = [&rest](std::size_t n) {
      const std::span<const std::uint8_t> part = rest.first(n);
      rest = rest.subspan(n);
      return part;
    };
    bytes.head = take(head);
    bytes.tail = take(tail);
    for (std::size_t i = 0; i < further.size(); ++i) line_.further_[i].octets = take(further[i]);
    bytes.further = line_.further_;
    if (has_instead) bytes.instead = take(instead);
    masks(here);
    bytes.masked = line_.masks_;
    bytes.by_proxy = flag("by_proxy");
    bytes.undelivered = flag("undelivered");
    bytes.tls = flag("tls");
    bytes.aside = flag("aside");
    if (find("scenario")) bytes.scenario = text(0, "scenario");
    return bytes;
  }

  /// Runs `read` with `value` in the place of the line's object.
  template <typename Read>
  auto inside(const Json& value, Read read) {
    const Json outer = std::exchange(object_, value);
    auto result = read();
    object_ = outer;
    return result;
  }

  LeftOut left_out(const Json& value) {
    return inside(value, [&] {
      LeftOut hole;
      hole.octets = number<std::uint64_t>("octets");
      const std::optional<Json> after = get("after");
      if (!after) return hole;
      const std::optional<MessageScanner> scanner = inside(*after, [&] { return scanner_state(); });
      if (scanner) {
        hole.after = *scanner;
      } else {
        complain("after", "is no state that a message can leave");
      }
      return hole;
    });
  }

  std::optional<MessageScanner> scanner_state() {
    MessageScanner::Saved saved;
    saved.framing = named_word<MessageScanner::Framing>("framing", kFramingNames);
    saved.state = named_word<MessageScanner::State>("state", kScannerStateNames);
    saved.wire_octets = number<std::uint64_t>("wire_octets");
    saved.line_octets = number_or_zero<std::uint64_t>("line_octets");
    for (const FactName& each : kFactNames) {
      saved.facts.*each.fact = number_or_zero<std::uint64_t>(each.name);
    }
    saved.facts.unseen = flag("unseen");
    saved.facts.digest = hash_or_zero("digest");
    if (const std::optional<Json> candidates = find("candidates")) {
      inside(*candidates, [&] {
        for (std::size_t i = 0; i < kEodCandidateKinds; ++i) {
          saved.facts.candidates[i] = number_or_zero<std::uint32_t>(kCandidateNames[i]);
        }
        return true;
      });
      saved.facts.first_candidate = named_word<EodCandidate>("first_candidate", kCandidateNames);
      saved.facts.first_candidate_end = number<std::uint64_t>("first_candidate_end");
    }
    if (const std::optional<Json> watch = find("watch")) {
      saved.watch = inside(*watch, [&] {
        EodWatch read;
        read.seen = named_word<LineEndSeen>("seen", kLineEndNames);
        read.nul_behind = flag("nul_behind");
        if (find("dot_after")) {
          read.dot_after = named_word<LineEndSeen>("dot_after", kLineEndNames);
        }
        read.nul_beside_dot = flag("nul_beside_dot");
        read.cr_end = number_or_zero<std::uint64_t>("cr_end");
        return read;
      });
    }
    saved.after_cr_cr = flag("after_cr_cr");
    if (const std::optional<Json> facts = find("header")) {
      saved.facts.header = inside(*facts, [&] { return header_facts(); });
    }
    const std::optional<Json> header = find("in_header");
    saved.header =
        header ? inside(*header, [&] { return header_scanner(); }) : HeaderScanner::stopped();
    return MessageScanner::restore(saved);
  }

  HeaderFacts header_facts() {
    HeaderFacts facts;
    facts.ended = flag("ended");
    facts.eight_bit = number_or_zero<std::uint64_t>("eight_bit");
    facts.message_id = hash_or_zero("message_id");
    facts.scanner_fields = number_or_zero<std::uint32_t>("scanner_fields");
    return facts;
  }

  HeaderScanner header_scanner() {
    HeaderScanner header;
    header.stage = named_word<HeaderScanner::Stage>("stage", kHeaderStageNames);
    header.reads_id = flag("reads_id");
    header.id = hash_or_zero("id");
    if (!find("name")) return header;
    const std::string_view name = word("name");
    if (name.size() > HeaderScanner::kLongestName) {
      complain("name", "is longer than any that is kept");
      return header;
    }
    std::copy(name.begin(), name.end(), header.name_octets.begin());
    header.name_size = static_cast<std::uint8_t>(name.size());
    return header;
  }

  /// Fills line_.further_ but for the octets. Gives how many octets each has.
  std::vector<std::size_t> further_parts() {
    std::vector<std::size_t> sizes;
    each_of("further", [&](const Json& part) {
      inside(part, [&] {
        const std::optional<Json> hole = get("left_out");
        line_.further_.push_back({hole ? left_out(*hole) : LeftOut{}, {}});
        sizes.push_back(octets("data", "b64"));
        return true;
      });
    });
    return sizes;
  }

  /// `here`: octets of the read that are in the event.
  void masks(std::size_t here) {
    std::size_t end = 0;
    each_of("masked", [&](const Json& mask) {
      simdjson::dom::array pair;
      const bool two = mask.get(pair) == simdjson::SUCCESS && pair.size() == 2;
      const auto offset = two ? as_number<std::uint32_t>(pair.at(0).value_unsafe()) : std::nullopt;
      const auto octets = two ? as_number<std::uint32_t>(pair.at(1).value_unsafe()) : std::nullopt;
      if (!offset || !octets || *offset < end || *octets > here || *offset > here - *octets) {
        return complain("masked", "does not lie in the octets");
      }
      end = std::size_t{*offset} + *octets;
      line_.masks_.push_back({*offset, *octets});
    });
  }

  Gap gap() {
    Gap gap;
    if (find("from")) gap.from = side("from");
    gap.octets = number_or_zero<std::uint64_t>("octets");
    gap.events = number_or_zero<std::uint64_t>("events");
    gap.why = text(0, "why");
    return gap;
  }

  std::string text_or_empty(std::string_view key) {
    return find(key) ? std::string(word(key)) : std::string();
  }

  /// A list that may be missing; `read` is called inside each of its elements.
  template <typename Read>
  void each_of(std::string_view key, Read read) {
    const std::optional<Json> list = find(key);
    simdjson::dom::array elements;
    if (!list) return;
    if (list->get(elements) != simdjson::SUCCESS) return complain(key, "is no list");
    for (const Json element : elements) {
      if (ok()) read(element);
    }
  }
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> read;
    each_of(key, [&](const Json& element) {
      const std::optional<std::string_view> value = as_text(element);
      if (!value) complain(key, "holds something that is no string");
      if (value) read.emplace_back(*value);
    });
    return read;
  }

  TlsCertificate certificate() {
    TlsCertificate read;
    for (const CertificateTextName& each : kCertificateTextNames) {
      read.*each.text = text_or_empty(each.name);
    }
    read.names = texts("names");
    return read;
  }

  TlsHandshake tls_handshake() {
    auto facts = std::make_shared<TlsFacts>();
    TlsHandshake handshake{side("with"), span("took"), facts};
    facts->completed = flag("completed");
    facts->waited = find("waited") ? span("waited") : Duration::zero();
    for (const TlsTextName& each : kTlsTextNames) (*facts).*each.text = text_or_empty(each.name);
    for (const TlsListName& each : kTlsListNames) (*facts).*each.list = texts(each.name);
    if (find("failed_by")) facts->failed_by = side("failed_by");
    if (find("alert")) facts->alert = number<std::uint8_t>("alert");
    facts->resumed = flag("resumed");
    facts->ciphers_offered = number_or_zero<std::uint32_t>("ciphers_offered");
    if (find("certificates_of")) {
      facts->origin = named_word<TlsCertificateOrigin>("certificates_of", kTlsOriginNames);
    }
    each_of("certificates", [&](const Json& element) {
      facts->certificates.push_back(inside(element, [&] { return certificate(); }));
    });
    facts->client_certificate_asked = flag("client_certificate_asked");
    if (const std::optional<Json> shown = find("client_certificate")) {
      facts->client_certificate = inside(*shown, [&] { return certificate(); });
    }
    return handshake;
  }

  EventLine& line_;
  Json object_;
};

EventLine::Kind EventLine::parse(std::string_view line) {
  complaint_.clear();
  const std::optional<Json> object = parse_json(line);
  if (!object || !object->is_object()) {
    complaint_ = "it is not a JSON object";
    return Kind::kCorrupt;
  }
  Reader reader(*this, *object);
  if (!reader.read()) return Kind::kCorrupt;
  if (!reader.read_body()) return Kind::kUnknown;
  return reader.ok() ? Kind::kEvent : Kind::kCorrupt;
}

}  // namespace smtpscope
