#include "capture/event_format.h"

#include <charconv>
#include <cstring>
#include <type_traits>

#include "capture/event_names.h"
#include "capture/octet_text.h"
#include "capture/wall_time.h"

namespace smtpscope {
namespace {

/// Room for the numbers, keys and words of a line, and for those of a hole and of a mask.
constexpr std::size_t kMostFixed = 512;
constexpr std::size_t kMostHole = 2560;
constexpr std::size_t kMostMask = 24;
/// Digits of the longest number, with its sign.
constexpr std::size_t kMostDigits = 20;
/// Of a hash in hexadecimal.
constexpr std::size_t kHashDigits = 16;

/// Writes JSON behind `at`, without looking whether there is room: most_event_line() has.
class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}

  char* at() const { return at_; }

  void put(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  template <typename Number>
  void put_number(Number number) {
    at_ = std::to_chars(at_, at_ + kMostDigits, number).ptr;
  }
  void put_key(std::string_view key) {
    put(",\"");
    put(key);
    put("\":");
  }

  template <typename Number>
  void number(std::string_view key, Number value) {
    put_key(key);
    put_number(value);
  }
  /// A number that says nothing when it is zero.
  template <typename Number>
  void number_if(std::string_view key, Number value) {
    if (value != 0) number(key, value);
  }
  /// A hash, which says nothing when it is zero. Spelled as a word, for some programs that read
  /// JSON round numbers of this size.
  void hash_if(std::string_view key, std::uint64_t value) {
    if (value == 0) return;
    put_key(key);
    put("\"");
    for (std::size_t digit = kHashDigits; digit-- > 0;) {
      *at_++ = "0123456789abcdef"[value >> (4 * digit) & 0xf];
    }
    put("\"");
  }
  void flag(std::string_view key, bool set) {
    if (!set) return;
    put_key(key);
    put("true");
  }
  /// A word of ours, which needs no escape.
  void word(std::string_view key, std::string_view value) {
    put_key(key);
    put("\"");
    put(value);
    put("\"");
  }
  void text(std::string_view key, std::string_view value) {
    put_key(key);
    at_ = write_text(at_, value);
  }
  void bare_text(std::string_view value) { at_ = write_text(at_, value); }
  void octets(std::string_view text_key, std::string_view base64_key,
              std::span<const std::uint8_t> value) {
    put(",");
    at_ = write_octets(at_, text_key, base64_key, value);
  }

 private:
  char* at_;
};

void put_watch(Pen& pen, const EodWatch& watch) {
  pen.put_key("watch");
  pen.put("{\"seen\":\"");
  pen.put(name_of(kLineEndNames, watch.seen));
  pen.put("\"");
  pen.flag("nul_behind", watch.nul_behind);
  if (watch.dot_after != LineEndSeen::kNone) {
    pen.word("dot_after", name_of(kLineEndNames, watch.dot_after));
  }
  pen.flag("nul_beside_dot", watch.nul_beside_dot);
  pen.number_if("cr_end", watch.cr_end);
  pen.put("}");
}

void put_candidates(Pen& pen, const MessageFacts& facts) {
  if (facts.first_candidate_end == 0) return;
  pen.put_key("candidates");
  char separator = '{';
  for (std::size_t i = 0; i < kEodCandidateKinds; ++i) {
    if (facts.candidates[i] == 0) continue;
    pen.put({&separator, 1});
    pen.put("\"");
    pen.put(kCandidateNames[i]);
    pen.put("\":");
    pen.put_number(facts.candidates[i]);
    separator = ',';
  }
  pen.put(separator == '{' ? "{}" : "}");
  pen.word("first_candidate", name_of(kCandidateNames, facts.first_candidate));
  pen.number("first_candidate_end", facts.first_candidate_end);
}

void put_header_facts(Pen& pen, const HeaderFacts& facts) {
  pen.put_key("header");
  pen.put("{\"ended\":");
  pen.put(facts.ended ? "true" : "false");
  pen.number_if("eight_bit", facts.eight_bit);
  pen.hash_if("message_id", facts.message_id);
  pen.number_if("scanner_fields", facts.scanner_fields);
  pen.put("}");
}

/// How the scanner of the header section stands in it.
void put_header(Pen& pen, const HeaderScanner& header) {
  pen.put_key("in_header");
  pen.put("{\"stage\":\"");
  pen.put(name_of(kHeaderStageNames, header.stage));
  pen.put("\"");
  pen.flag("reads_id", header.reads_id);
  if (!header.name().empty()) pen.text("name", header.name());
  pen.hash_if("id", header.id);
  pen.put("}");
}

/// The value of "left_out".
void put_hole(Pen& pen, const LeftOut& hole) {
  const MessageScanner::Saved after = hole.after.save();
  pen.put("{\"octets\":");
  pen.put_number(hole.octets);
  pen.put(",\"after\":{\"framing\":\"");
  pen.put(name_of(kFramingNames, after.framing));
  pen.put("\"");
  pen.word("state", name_of(kScannerStateNames, after.state));
  pen.number("wire_octets", after.wire_octets);
  pen.number_if("line_octets", after.line_octets);
  for (const FactName& each : kFactNames) pen.number_if(each.name, after.facts.*each.fact);
  pen.flag("unseen", after.facts.unseen);
  pen.hash_if("digest", after.facts.digest);
  put_candidates(pen, after.facts);
  pen.flag("after_cr_cr", after.after_cr_cr);
  if (after.watch != EodWatch{}) put_watch(pen, after.watch);
  if (after.facts.header != HeaderFacts{}) put_header_facts(pen, after.facts.header);
  if (!after.header.done()) put_header(pen, after.header);
  pen.put("}}");
}

void put_further(Pen& pen, std::span<const FurtherPart> further) {
  pen.put_key("further");
  char separator = '[';
  for (const FurtherPart& part : further) {
    pen.put({&separator, 1});
    pen.put("{\"left_out\":");
    put_hole(pen, part.left_out);
    pen.octets("data", "b64", part.octets);
    pen.put("}");
    separator = ',';
  }
  pen.put("]");
}

void put_masks(Pen& pen, std::span<const Masked> masks) {
  pen.put_key("masked");
  char separator = '[';
  for (const Masked& mask : masks) {
    pen.put({&separator, 1});
    pen.put("[");
    pen.put_number(mask.offset);
    pen.put(",");
    pen.put_number(mask.octets);
    pen.put("]");
    separator = ',';
  }
  pen.put("]");
}

void put_fidelity(Pen& pen, const Fidelity& fidelity) {
  if (fidelity.unknown != 0) {
    pen.put_key("unknown");
    char separator = '[';
    for (std::size_t bit = 0; bit < kUnknowns; ++bit) {
      if ((fidelity.unknown >> bit & 1) == 0) continue;
      pen.put({&separator, 1});
      pen.put("\"");
      pen.put(kUnknownNames[bit]);
      pen.put("\"");
      separator = ',';
    }
    pen.put("]");
  }
  pen.number_if("resolution", fidelity.resolution.count());
  pen.flag("inside_tls", fidelity.inside_tls);
}

void put_body(Pen& pen, const SessionOpened& opened) {
  pen.put("\"open\"");
  pen.text("client", opened.client);
  pen.text("listener", opened.listener);
  pen.text("upstream", opened.upstream);
  pen.flag("mid_session", opened.mid_session);
  if (opened.rtt) pen.number("rtt", opened.rtt->count());
  put_fidelity(pen, opened.fidelity);
  if (!opened.announced_by.empty()) pen.text("announced_by", opened.announced_by);
  if (!opened.route.empty()) pen.text("route", opened.route);
}

void put_body(Pen& pen, const UpstreamConnected& connected) {
  pen.put("\"connected\"");
  pen.text("server", connected.server);
  pen.number("took", connected.took.count());
  pen.number_if("failed_attempts", connected.failed_attempts);
  if (connected.rtt) pen.number("rtt", connected.rtt->count());
}

void put_body(Pen& pen, const UpstreamFailed& failed) {
  pen.put("\"failed\"");
  pen.text("reason", failed.reason);
}

void put_body(Pen& pen, const Bytes& bytes) {
  pen.put("\"bytes\"");
  pen.word("from", name_of(kSideNames, bytes.from));
  if (!bytes.left_out || !bytes.head.empty()) pen.octets("data", "b64", bytes.head);
  if (bytes.left_out) {
    pen.put_key("left_out");
    put_hole(pen, *bytes.left_out);
    if (!bytes.tail.empty()) pen.octets("tail", "tail_b64", bytes.tail);
    if (!bytes.further.empty()) put_further(pen, bytes.further);
  }
  if (!bytes.masked.empty()) put_masks(pen, bytes.masked);
  pen.flag("by_proxy", bytes.by_proxy);
  pen.flag("undelivered", bytes.undelivered);
  pen.flag("tls", bytes.tls);
  pen.flag("aside", bytes.aside);
  if (bytes.instead) pen.octets("instead", "instead_b64", *bytes.instead);
  if (!bytes.scenario.empty()) pen.text("scenario", bytes.scenario);
}

void put_body(Pen& pen, const Blocked& blocked) {
  pen.put("\"blocked\"");
  pen.word("to", name_of(kSideNames, blocked.to));
  pen.number("since", ns_of(blocked.since));
  pen.number("octets", blocked.octets);
}

void put_body(Pen& pen, const ProxyStalled& stalled) {
  pen.put("\"stalled\"");
  pen.number("since", ns_of(stalled.since));
}

void put_body(Pen& pen, const Gap& gap) {
  pen.put("\"gap\"");
  if (gap.from) pen.word("from", name_of(kSideNames, *gap.from));
  pen.number_if("octets", gap.octets);
  pen.number_if("events", gap.events);
  pen.text("why", gap.why);
}

void put_body(Pen& pen, const Closed& closed) {
  pen.put("\"close\"");
  pen.word("from", name_of(kSideNames, closed.from));
  pen.word("kind", name_of(kCloseKindNames, closed.kind));
  pen.flag("by_proxy", closed.by_proxy);
  if (!closed.reason.empty()) pen.text("reason", closed.reason);
}

void put_body(Pen& pen, const SessionEnded&) { pen.put("\"end\""); }

void put_texts(Pen& pen, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  pen.put_key(key);
  std::string_view separator = "[";
  for (const std::string& text : texts) {
    pen.put(separator);
    pen.bare_text(text);
    separator = ",";
  }
  pen.put("]");
}

void put_certificate(Pen& pen, const TlsCertificate& certificate) {
  std::string_view separator = "{";
  for (const CertificateTextName& each : kCertificateTextNames) {
    pen.put(separator);
    pen.put("\"");
    pen.put(each.name);
    pen.put("\":");
    pen.bare_text(certificate.*each.text);
    separator = ",";
  }
  put_texts(pen, "names", certificate.names);
  pen.put("}");
}

void put_body(Pen& pen, const TlsHandshake& handshake) {
  const TlsFacts& facts = *handshake.facts;
  pen.put("\"tls\"");
  pen.word("with", name_of(kSideNames, handshake.with));
  pen.number("took", handshake.took.count());
  pen.number_if("waited", facts.waited.count());
  pen.put_key("completed");
  pen.put(facts.completed ? "true" : "false");
  for (const TlsTextName& each : kTlsTextNames) {
    if (!(facts.*each.text).empty()) pen.text(each.name, facts.*each.text);
  }
  if (facts.failed_by) pen.word("failed_by", name_of(kSideNames, *facts.failed_by));
  if (facts.alert) pen.number("alert", *facts.alert);
  pen.flag("resumed", facts.resumed);
  for (const TlsListName& each : kTlsListNames) put_texts(pen, each.name, facts.*each.list);
  pen.number_if("ciphers_offered", facts.ciphers_offered);
  if (!facts.certificates.empty()) {
    pen.word("certificates_of", name_of(kTlsOriginNames, facts.origin));
    pen.put_key("certificates");
    std::string_view separator = "[";
    for (const TlsCertificate& certificate : facts.certificates) {
      pen.put(separator);
      put_certificate(pen, certificate);
      separator = ",";
    }
    pen.put("]");
  }
  pen.flag("client_certificate_asked", facts.client_certificate_asked);
  if (facts.client_certificate) {
    pen.put_key("client_certificate");
    put_certificate(pen, *facts.client_certificate);
  }
}

void put_body(Pen& pen, const TlsAlerted& alert) {
  pen.put("\"tls_alert\"");
  pen.word("from", name_of(kSideNames, alert.from));
  pen.flag("by_proxy", alert.by_proxy);
  pen.number("level", alert.level);
  pen.number("description", alert.description);
}

void put_body(Pen& pen, const Remark& remark) {
  pen.put("\"remark\"");
  pen.word("kind", to_string(remark.kind));
  if (remark.by) pen.word("by", name_of(kSideNames, *remark.by));
  if (remark.length) pen.number("length", remark.length->count());
  pen.text("text", remark.text);
}

void put_body(Pen& pen, const TcpReport& report) {
  const TcpFigures& figures = report.figures;
  pen.put("\"tcp\"");
  pen.word("with", name_of(kSideNames, report.with));
  pen.number_if("unconfirmed", figures.unconfirmed);
  pen.number_if("unsent", figures.unsent);
  pen.number_if("sent_again", figures.sent_again);
  pen.number_if("probes", figures.probes);
  pen.number_if("segment", figures.segment);
  pen.number_if("out_of_order", figures.out_of_order);
  pen.number("unheard", figures.unheard.count());
}

/// Room for the name of a member, and what stands around it.
constexpr std::size_t kMostKey = 32;

std::size_t most_texts(const std::vector<std::string>& texts) {
  std::size_t most = kMostKey;
  for (const std::string& text : texts) most += 1 + most_text(text.size());
  return most;
}

std::size_t most_certificate(const TlsCertificate& certificate) {
  std::size_t most = kMostKey + most_texts(certificate.names);
  for (const CertificateTextName& each : kCertificateTextNames) {
    most += kMostKey + most_text((certificate.*each.text).size());
  }
  return most;
}

std::size_t most_tls(const TlsFacts& facts) {
  std::size_t most = 0;
  for (const TlsTextName& each : kTlsTextNames) {
    most += kMostKey + most_text((facts.*each.text).size());
  }
  for (const TlsListName& each : kTlsListNames) most += most_texts(facts.*each.list);
  for (const TlsCertificate& each : facts.certificates) most += most_certificate(each);
  if (facts.client_certificate) most += most_certificate(*facts.client_certificate);
  return most;
}

}  // namespace

std::string format_header(const RunInfo& run) {
  std::string line(kMostFixed + most_text(run.writer.size()) + most_text(run.tap.size()) +
                       most_text(run.source.size()) + most_text(run.message_kept.size()) +
                       most_text(run.redacted.size()) + most_text(run.run.size()),
                   '\0');
  Pen pen(line.data());
  pen.put("{\"smtpcap\":");
  pen.put_number(kCaptureVersion);
  pen.text("started", format_wall_time(run.started));
  pen.text("writer", run.writer);
  pen.text("tap", run.tap);
  pen.text("source", run.source);
  pen.word("credentials", run.credentials_kept ? "kept" : "masked");
  pen.text("message", run.message_kept);
  if (!run.redacted.empty()) pen.text("redacted", run.redacted);
  if (!run.run.empty()) {
    pen.text("run", run.run);
    pen.number("part", static_cast<std::int64_t>(run.part));
  }
  pen.put("}\n");
  line.resize(static_cast<std::size_t>(pen.at() - line.data()));
  return line;
}

std::size_t most_event_line(const WireEvent& event) {
  return kMostFixed +
         std::visit(
             [](const auto& body) -> std::size_t {
               using Body = std::decay_t<decltype(body)>;
               if constexpr (std::is_same_v<Body, Bytes>) {
                 std::size_t most = most_octet_text(body.head.size());
                 if (body.left_out) most += kMostHole + most_octet_text(body.tail.size());
                 if (body.instead) most += most_octet_text(body.instead->size());
                 most += most_text(body.scenario.size());
                 for (const FurtherPart& part : body.further) {
                   most += kMostHole + most_octet_text(part.octets.size());
                 }
                 return most + kMostMask * body.masked.size();
               } else if constexpr (std::is_same_v<Body, SessionOpened>) {
                 return most_text(body.client.size()) + most_text(body.listener.size()) +
                        most_text(body.upstream.size()) + most_text(body.announced_by.size()) +
                        most_text(body.route.size());
               } else if constexpr (std::is_same_v<Body, UpstreamConnected>) {
                 return most_text(body.server.size());
               } else if constexpr (std::is_same_v<Body, Gap>) {
                 return most_text(body.why.size());
               } else if constexpr (std::is_same_v<Body, UpstreamFailed> ||
                                    std::is_same_v<Body, Closed>) {
                 return most_text(body.reason.size());
               } else if constexpr (std::is_same_v<Body, TlsHandshake>) {
                 return most_tls(*body.facts);
               } else if constexpr (std::is_same_v<Body, Remark>) {
                 return most_text(body.text.size());
               } else {
                 return 0;
               }
             },
             event.body);
}

char* format_event(char* out, const WireEvent& event) {
  Pen pen(out);
  pen.put("{\"t\":");
  pen.put_number(ns_of(event.time));
  pen.number("s", event.session);
  pen.put_key("e");
  std::visit([&](const auto& body) { put_body(pen, body); }, event.body);
  pen.put("}\n");
  return pen.at();
}

}  // namespace smtpscope
