// Each kind of event, through its line and back.

#include "capture/event_line.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/octets.h"
#include "base/time_bounds.h"
#include "capture/event_copy.h"
#include "capture/event_format.h"
#include "capture/event_names.h"
#include "capture/octet_text.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

std::string line_of(const WireEvent& event) {
  // Guarded on both sides: what is written must stay in the room that was asked for.
  const std::size_t room = most_event_line(event);
  std::string buffer(room + 2, '\x01');
  const char* const end = format_event(buffer.data() + 1, event);
  CHECK(buffer.front() == '\x01');
  CHECK(buffer.back() == '\x01');
  const std::string line(buffer.data() + 1, static_cast<std::size_t>(end - buffer.data() - 1));
  REQUIRE(line.size() <= room);
  REQUIRE(line.ends_with("}\n"));
  REQUIRE(std::count(line.begin(), line.end(), '\n') == 1);
  return line.substr(0, line.size() - 1);
}

std::string describe(const LeftOut& hole) {
  const MessageScanner::Saved saved = hole.after.save();
  std::string text =
      fmt::format("<{} wire={} line={}", hole.octets, saved.wire_octets, saved.line_octets);
  return text + ">";
}

/// All fields of an event, for comparison.
struct Fields {
  std::string operator()(const SessionOpened& e) const {
    return fmt::format("open {}|{}|{}|{}|{:x}|{}|{}|{}|{}", e.client, e.listener, e.upstream,
                       e.mid_session, e.fidelity.unknown, e.fidelity.resolution.count(),
                       e.fidelity.inside_tls, e.announced_by, e.route);
  }
  std::string operator()(const UpstreamConnected& e) const {
    return fmt::format("connected {}|{}|{}", e.server, e.took.count(), e.failed_attempts);
  }
  std::string operator()(const UpstreamFailed& e) const {
    return fmt::format("failed {}", e.reason);
  }
  std::string operator()(const Bytes& e) const {
    std::string text = fmt::format("bytes {}|{}", to_string(e.from), text_of(e.head));
    if (e.left_out) text += describe(*e.left_out);
    text += fmt::format("|{}|", text_of(e.tail));
    for (const FurtherPart& part : e.further) {
      text += fmt::format("{}{}", describe(part.left_out), text_of(part.octets));
    }
    for (const Masked& mask : e.masked) text += fmt::format("|{}+{}", mask.offset, mask.octets);
    if (e.instead) text += fmt::format("|instead {}", text_of(*e.instead));
    return text + fmt::format("|{}|{}|{}|{}", e.by_proxy, e.undelivered, e.tls, e.aside);
  }
  std::string operator()(const Blocked& e) const {
    return fmt::format("blocked {}|{}|{}", to_string(e.to), ns_of(e.since), e.octets);
  }
  std::string operator()(const ProxyStalled& e) const {
    return fmt::format("stalled {}", ns_of(e.since));
  }
  std::string operator()(const Gap& e) const {
    return fmt::format("gap {}|{}|{}|{}", e.from ? to_string(*e.from) : "-", e.octets, e.events,
                       e.why);
  }
  std::string operator()(const Closed& e) const {
    return fmt::format("close {}|{}|{}|{}", to_string(e.from), to_string(e.kind), e.by_proxy,
                       e.reason);
  }
  std::string operator()(const SessionEnded&) const { return "end"; }
  std::string operator()(const TlsHandshake& e) const {
    std::string text = fmt::format("tls {}|{}|{}|{}", to_string(e.with), e.took.count(),
                                   e.facts->completed, e.facts->waited.count());
    for (const TlsTextName& each : kTlsTextNames) text += "|" + (*e.facts).*each.text;
    for (const TlsListName& each : kTlsListNames) {
      for (const std::string& one : (*e.facts).*each.list) text += "|" + one;
    }
    if (e.facts->failed_by) text += fmt::format("|by {}", to_string(*e.facts->failed_by));
    if (e.facts->alert) text += fmt::format("|alert {}", *e.facts->alert);
    text += fmt::format("|{}|{}|{}|{}", e.facts->resumed, e.facts->ciphers_offered,
                        static_cast<int>(e.facts->origin), e.facts->client_certificate_asked);
    const auto add = [&](const TlsCertificate& certificate) {
      for (const CertificateTextName& each : kCertificateTextNames) {
        text += "|" + certificate.*each.text;
      }
      for (const std::string& name : certificate.names) text += "|" + name;
    };
    for (const TlsCertificate& certificate : e.facts->certificates) add(certificate);
    if (e.facts->client_certificate) add(*e.facts->client_certificate);
    return text;
  }
  std::string operator()(const TlsAlerted& e) const {
    return fmt::format("alert {}|{}|{}|{}", to_string(e.from), e.by_proxy, e.level, e.description);
  }
  std::string operator()(const TcpReport& e) const {
    const TcpFigures& f = e.figures;
    return fmt::format("tcp {}|{}|{}|{}|{}|{}|{}|{}", to_string(e.with), f.unconfirmed, f.unsent,
                       f.sent_again, f.probes, f.segment, f.out_of_order, f.unheard.count());
  }
  std::string operator()(const Remark& e) const {
    return fmt::format("remark {}|{}|{}|{}", static_cast<int>(e.kind),
                       e.by ? to_string(*e.by) : "-", e.length ? e.length->count() : -1, e.text);
  }
};

std::string fields(const WireEvent& event) {
  return fmt::format("{}|{}|{}", event.session, ns_of(event.time),
                     std::visit(Fields{}, event.body));
}

void expect_round_trip(const WireEvent& event) {
  const std::string text = line_of(event);
  INFO(text);
  EventLine line;
  const EventLine::Kind kind = line.parse(text);
  INFO(line.complaint());
  REQUIRE(kind == EventLine::Kind::kEvent);
  CHECK(fields(line.event()) == fields(event));
  const auto* before = std::get_if<Bytes>(&event.body);
  if (before && before->left_out) {
    const Bytes& after = std::get<Bytes>(line.event().body);
    CHECK(after.left_out->after == before->left_out->after);
    for (std::size_t i = 0; i < before->further.size(); ++i) {
      CHECK(after.further[i].left_out.after == before->further[i].left_out.after);
    }
  }
}

WireEvent bytes_event(std::string_view text, Side from = Side::kClient) {
  Bytes bytes;
  bytes.from = from;
  bytes.head = octets_of(text);
  return {1, at_ns(5), bytes};
}

MessageScanner scanner_behind(
    std::string_view content,
    MessageScanner::Framing framing = MessageScanner::Framing::kDotTerminated) {
  MessageScanner scanner(framing);
  scanner.scan(octets_of(content));
  return scanner;
}

EventLine::Kind kind_of(std::string_view text) { return EventLine().parse(text); }

std::string complaint_about(std::string_view text) {
  EventLine line;
  INFO(text);
  CHECK(line.parse(text) == EventLine::Kind::kCorrupt);
  return line.complaint();
}

}  // namespace

TEST_CASE("every kind of event survives") {
  expect_round_trip({1, at_ns(0), SessionOpened{"192.0.2.1:5", "127.0.0.1:25", "mx:25", false}});
  expect_round_trip({1, at_ns(0), SessionOpened{"[2001:db8::1]:5", "", "unix:/tmp/\"é\"", true}});
  SessionOpened routed{"192.0.2.1:5", "127.0.0.1:25", "mx:25"};
  routed.route = "submission";
  expect_round_trip({1, at_ns(0), routed});
  // Each text has its room, also where every octet is written as six.
  const std::string long_text(500, '\x01');
  routed.route = long_text;
  routed.announced_by = long_text;
  expect_round_trip({1, at_ns(0), routed});
  SessionOpened logged{"192.0.2.1:5", "", "mx"};
  for (unsigned unknown = 0; unknown < 1U << kUnknowns; ++unknown) {
    logged.fidelity = {.unknown = static_cast<std::uint16_t>(unknown),
                       .resolution = std::chrono::seconds(unknown % 2),
                       .inside_tls = unknown % 3 == 0};
    expect_round_trip({1, at_ns(0), logged});
  }
  expect_round_trip({2, at_ns(7), UpstreamConnected{"127.0.0.1:25", Duration(123456789), 0}});
  expect_round_trip({2, at_ns(7), UpstreamConnected{"127.0.0.1:25", Duration(0), 3}});
  expect_round_trip({3, at_ns(8), UpstreamFailed{"mx:25: connection refused\n\t\x01\\ \"x\""}});
  expect_round_trip({4, at_ns(9), Blocked{Side::kServer, at_ns(1), 65536}});
  expect_round_trip({4, at_ns(9), Blocked{Side::kClient, at_ns(-1), ~std::uint64_t{0}}});
  expect_round_trip({5, at_ns(10), ProxyStalled{at_ns(3)}});
  expect_round_trip({6, at_ns(11), Gap{Side::kServer, 17, 2, "the disk was full"}});
  expect_round_trip({kWholeRun, at_ns(11), Gap{std::nullopt, 0, 2, "not captured"}});
  for (const CloseKind kind :
       {CloseKind::kFin, CloseKind::kReset, CloseKind::kTimeout, CloseKind::kError}) {
    expect_round_trip({7, at_ns(12), Closed{Side::kServer, kind, false, ""}});
    expect_round_trip(
        {7, at_ns(12), Closed{Side::kClient, kind, true, "the grace period is over"}});
  }
  expect_round_trip({~SessionId{0}, Time(kFurthestTime), SessionEnded{}});
  expect_round_trip({1, Time(-kFurthestTime), SessionEnded{}});
}

TEST_CASE("a time that cannot be is not read") {
  const auto number = [](Duration duration) { return std::to_string(duration.count()); };
  const std::string most = number(kFurthestTime);
  const std::string more = number(kFurthestTime + Duration(1));
  struct Place {
    const char* key;
    std::string before, after;
    bool may_be_negative;
  };
  const std::vector<Place> places = {
      {"t", R"({"s":1,"e":"end","t":)", "}", true},
      {"took", R"({"t":9,"s":1,"e":"connected","server":"x","took":)", "}", false},
      {"rtt", R"({"t":9,"s":1,"e":"connected","server":"x","took":1,"rtt":)", "}", false},
      {"rtt", R"({"t":9,"s":1,"e":"open","client":"c","listener":"l","upstream":"u","rtt":)", "}",
       false},
      {"since", R"({"t":)" + most + R"(,"s":1,"e":"blocked","to":"server","octets":1,"since":)",
       "}", true},
      {"since", R"({"t":)" + most + R"(,"s":1,"e":"stalled","since":)", "}", true},
      {"took", R"({"t":9,"s":1,"e":"tls","with":"client","completed":true,"took":)", "}", false},
      {"waited", R"({"t":9,"s":1,"e":"tls","with":"client","completed":true,"took":1,"waited":)",
       "}", false},
  };
  for (const Place& place : places) {
    const auto line = [&](const std::string& value) { return place.before + value + place.after; };
    INFO(place.before);
    CHECK(kind_of(line("0")) == EventLine::Kind::kEvent);
    CHECK(kind_of(line(most)) == EventLine::Kind::kEvent);
    const EventLine::Kind negative =
        place.may_be_negative ? EventLine::Kind::kEvent : EventLine::Kind::kCorrupt;
    CHECK(kind_of(line("-" + most)) == negative);
    CHECK(kind_of(line("-1")) == negative);
    for (const std::string& wrong :
         {more, "-" + more, std::string("9223372036854775807"), std::string("-9223372036854775808"),
          std::string("18446744073709551615")}) {
      CHECK(complaint_about(line(wrong)).find("\"" + std::string(place.key) + "\"") == 0);
    }
  }
  CHECK(complaint_about(R"({"t":5,"s":1,"e":"stalled","since":6})") ==
        "\"since\" is after the event");
  CHECK(complaint_about(R"({"t":5,"s":1,"e":"blocked","to":"server","octets":1,"since":6})") ==
        "\"since\" is after the event");
}

TlsCertificate some_certificate(const std::string& name) {
  return {"CN=" + name,           "CN=A \"CA\"", {name, "192.0.2.1"}, "2026-01-01T00:00:00Z",
          "2026-12-31T23:59:59Z", "EC P-256",    std::string(64, 'a')};
}

TEST_CASE("what is known of a TLS handshake survives") {
  auto facts = std::make_shared<TlsFacts>();
  expect_round_trip({1, at_ns(5), TlsHandshake{Side::kClient, Duration(3), facts}});
  facts = std::make_shared<TlsFacts>();
  facts->completed = true;
  facts->waited = Duration(77);
  facts->server_name = "mx.example";
  facts->versions_offered = {"TLS 1.3", "TLS 1.2"};
  facts->ciphers_offered = 31;
  facts->alpn_offered = {"smtp", "\x01 \"odd\"\n"};
  facts->version = "TLS 1.3";
  facts->cipher = "TLS_AES_256_GCM_SHA384";
  facts->alpn = "smtp";
  facts->resumed = true;
  facts->origin = TlsCertificateOrigin::kMadeForRun;
  facts->certificates = {some_certificate("mx.example"), some_certificate("ca\xff\xc3\xa9")};
  facts->verification = "ok";
  facts->client_certificate_asked = true;
  facts->client_certificate = some_certificate("client");
  facts->differences = {"one", "another"};
  // What is not UTF-8 in words is replaced, as everywhere.
  facts->certificates[1] = some_certificate("ca");
  expect_round_trip({1, at_ns(5), TlsHandshake{Side::kServer, Duration(9), facts}});
  facts = std::make_shared<TlsFacts>();
  facts->failure = "the client does not know the CA";
  facts->failed_by = Side::kClient;
  facts->alert = 48;
  expect_round_trip({1, at_ns(5), TlsHandshake{Side::kClient, Duration(9), facts}});
  expect_round_trip({1, at_ns(5), TlsAlerted{Side::kServer, true, 2, 70}});
}

TEST_CASE("what a program said of its own survives") {
  expect_round_trip({1, at_ns(5), Remark{RemarkKind::kException, {}, {}, "\"odd\"\x01: é"}});
  for (std::size_t kind = 0; kind < kRemarkKinds; ++kind) {
    expect_round_trip({1, at_ns(5),
                       Remark{static_cast<RemarkKind>(kind), Side::kServer,
                              Duration(30'000'000'000), std::string(300, '\n')}});
  }
  EventLine line;
  CHECK(line.parse(R"({"t":1,"s":1,"e":"remark","kind":"gossip","text":"x"})") ==
        EventLine::Kind::kCorrupt);
  CHECK(line.parse(R"({"t":1,"s":1,"e":"remark","kind":"timeout","length":-1,"text":"x"})") ==
        EventLine::Kind::kCorrupt);
}

TEST_CASE("what the kernel knew of a connection survives") {
  expect_round_trip({1, at_ns(5), TcpReport{Side::kServer, {35, 2, 4, 1, 1448, 3, Duration(52)}}});
  const auto most = std::numeric_limits<std::uint32_t>::max();
  expect_round_trip(
      {1, at_ns(5), TcpReport{Side::kClient, {~0ULL, ~0ULL, most, most, most, most, {}}}});
  EventLine line;
  CHECK(line.parse(R"({"t":1,"s":1,"e":"tcp","with":"server","unheard":-1})") ==
        EventLine::Kind::kCorrupt);
}

TEST_CASE("a TLS event that is not as it should be is corrupt") {
  const std::string head = R"({"t":1,"s":1,"e":"tls","with":"client","took":1,"completed":true)";
  for (const char* wrong :
       {R"(,"certificates":7})", R"(,"alert":256})", R"(,"failed_by":"nobody"})",
        R"(,"alpn_offered":[7]})", R"(,"certificates_of":"moon"})", R"(,"version":1})"}) {
    EventLine line;
    INFO(wrong);
    CHECK(line.parse(head + wrong) == EventLine::Kind::kCorrupt);
  }
  EventLine line;
  CHECK(line.parse(head + "}") == EventLine::Kind::kEvent);
}

TEST_CASE("octets survive, whatever they are") {
  expect_round_trip(bytes_event(""));
  expect_round_trip(bytes_event("EHLO x\r\n", Side::kServer));
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
    expect_round_trip(bytes_event(std::string(1, static_cast<char>(i))));
    // Rare enough to be spelled, with all neighbours of a block around it.
    expect_round_trip(bytes_event(std::string(40, 'a') + static_cast<char>(i) + "bc"));
  }
  expect_round_trip(bytes_event(all));
  expect_round_trip(bytes_event(all + std::string(2000, 'x')));
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    const unsigned kind = static_cast<unsigned>(random() % 3);
    std::string text(random() % 200, ' ');
    for (char& c : text) {
      const auto octet = static_cast<unsigned>(random() % 256);
      c = static_cast<char>(kind == 0 ? octet : kind == 1 ? 32 + octet % 95 : octet % 32);
    }
    expect_round_trip(bytes_event(text));
  }
}

TEST_CASE("the flags and masks of a read survive") {
  const Masked masks[] = {{0, 1}, {5, 3}};
  Bytes bytes;
  bytes.from = Side::kServer;
  bytes.head = octets_of("#1234###");
  bytes.masked = masks;
  bytes.by_proxy = true;
  expect_round_trip({1, at_ns(1), bytes});
  bytes.by_proxy = false;
  bytes.undelivered = true;
  expect_round_trip({1, at_ns(1), bytes});
  bytes.tls = true;
  expect_round_trip({1, at_ns(1), bytes});
  bytes.instead = octets_of("");
  expect_round_trip({1, at_ns(1), bytes});
  const std::string much(300, '\xfe');
  bytes.instead = octets_of("250 \x01\r\n" + much);
  bytes.instead = octets_of(much);
  expect_round_trip({1, at_ns(1), bytes});
  bytes.aside = true;
  expect_round_trip({1, at_ns(1), bytes});
}

TEST_CASE("what is told of octets left out survives") {
  const std::string_view contents[] = {
      "",      "a",     "line\r\n", "line\r",         "line\r\n.", "line\r\n.\r",  "line\r\n.\r\n",
      "\n.\n", "\n.\r", "\r.\r",    "\r\r\n.\r\r\nx", "x\n.\r\r",  "\r\n..\r\n.x", "\0\xff\n\r"};
  for (const std::string_view content : contents) {
    for (const auto framing :
         {MessageScanner::Framing::kDotTerminated, MessageScanner::Framing::kCounted}) {
      Bytes bytes;
      bytes.left_out = std::make_shared<const LeftOut>(
          LeftOut{content.size(), scanner_behind(content, framing)});
      expect_round_trip({1, at_ns(1), bytes});
      bytes.head = octets_of("head");
      bytes.tail = octets_of("\r\n.\r\n");
      const FurtherPart further[] = {
          {{7, scanner_behind("seven..", framing)}, octets_of("BDAT 1\r\n")},
          {{1, scanner_behind("x", framing)}, {}}};
      bytes.further = further;
      const Masked masks[] = {{2, 9}};
      bytes.masked = masks;
      expect_round_trip({1, at_ns(1), bytes});
    }
  }
}

TEST_CASE("a scanner in any state survives") {
  std::mt19937 random(2);
  constexpr std::string_view kOctets =
      "\r\r\n\n..\0a\xe9"
      "b";
  const std::string long_line(1500, 'l');
  const std::string_view kFields[] = {"",
                                      "Message-ID: <a",
                                      "message-ID",
                                      "X-AVG: x\n",
                                      "Message-ID: x\r\n",
                                      "X-Antivirus \t",
                                      "a\r\n\r\nx\r",
                                      long_line,
                                      "\r\n"};
  for (int i = 0; i < 5000; ++i) {
    std::string content(random() % 40, ' ');
    for (char& c : content) c = kOctets[random() % kOctets.size()];
    content.insert(0, kFields[random() % std::size(kFields)]);
    Bytes bytes;
    const auto framing = random() % 4 == 0 ? MessageScanner::Framing::kCounted
                                           : MessageScanner::Framing::kDotTerminated;
    bytes.left_out =
        std::make_shared<const LeftOut>(LeftOut{content.size(), scanner_behind(content, framing)});
    expect_round_trip({1, at_ns(1), bytes});
  }
}

TEST_CASE("lines can be read by people and by other programs") {
  CHECK(
      line_of(bytes_event("EHLO \"x\"\r\n\x01\xe9 and more")) ==
      R"({"t":5,"s":1,"e":"bytes","from":"client","data":"EHLO \"x\"\r\n\u0001\u00e9 and more"})");
  CHECK(line_of(bytes_event("\x16\x03\x01\x02\xff")) ==
        R"({"t":5,"s":1,"e":"bytes","from":"client","b64":"FgMBAv8="})");
  CHECK(line_of({1, at_ns(9), Gap{Side::kServer, 17, 0, "why"}}) ==
        R"({"t":9,"s":1,"e":"gap","from":"server","octets":17,"why":"why"})");
  Bytes bytes;
  bytes.head = octets_of("abc");
  bytes.left_out =
      std::make_shared<const LeftOut>(LeftOut{9, scanner_behind("Subject: \xe9\r\n..\n")});
  bytes.tail = octets_of("\r\n.\r\n");
  CHECK(line_of({1, at_ns(9), bytes}) ==
        R"({"t":9,"s":1,"e":"bytes","from":"client","data":"abc","left_out":{"octets":9,"after":)"
        R"({"framing":"dot_terminated","state":"middle","wire_octets":15,"line_octets":2,)"
        R"("octets":14,"lines":1,"longest_line":12,"bare_lf":1,"eight_bit":1,"dot_lines":1,)"
        R"("first_bare_lf_end":15,"digest":"8146c1fdb605395d","watch":{"seen":"lf"},)"
        R"("header":{"ended":false,"eight_bit":1},"in_header":{"stage":"line_start"}}},)"
        R"("tail":"\r\n.\r\n"})");
}

TEST_CASE("what is told of a header section can be read, too") {
  Bytes bytes;
  bytes.left_out = std::make_shared<const LeftOut>(
      LeftOut{9, scanner_behind("Message-ID: <a@b>\r\nX-AVG: x\r\n\r\n")});
  const std::string ended = line_of({1, at_ns(9), bytes});
  CHECK(
      ended.find(R"("header":{"ended":true,"message_id":"d7a03cb3d3fb4692","scanner_fields":1})") !=
      std::string::npos);
  CHECK(ended.find("in_header") == std::string::npos);
  bytes.left_out = std::make_shared<const LeftOut>(LeftOut{9, scanner_behind("message-id: <a")});
  CHECK(line_of({1, at_ns(9), bytes})
            .find(R"("in_header":{"stage":"text","reads_id":true,"id":"08095f07b4c8252e"})") !=
        std::string::npos);
  bytes.left_out = std::make_shared<const LeftOut>(LeftOut{9, scanner_behind("X-\"Av ")});
  CHECK(line_of({1, at_ns(9), bytes})
            .find(R"("in_header":{"stage":"behind_name","name":"x-\"av"})") != std::string::npos);
}

TEST_CASE("a capture that tells less of octets left out is read") {
  EventLine line;
  REQUIRE(
      line.parse(R"({"t":9,"s":1,"e":"bytes","from":"client","left_out":{"octets":15,"after":)"
                 R"({"framing":"dot_terminated","state":"middle","wire_octets":15,"line_octets":2,)"
                 R"("octets":14,"lines":1,"longest_line":12,"bare_lf":1,"dot_lines":1,)"
                 R"("watch":{"seen":"lf"}}}})") == EventLine::Kind::kEvent);
  const MessageScanner& scanner = std::get<Bytes>(line.event().body).left_out->after;
  CHECK(scanner.facts().bare_lf == 1);
  CHECK(scanner.facts().first_bare_lf_end == 0);
  CHECK(scanner.facts().header == HeaderFacts{});
  CHECK(scanner.save().header.done());
}

TEST_CASE("the largest numbers have room") {
  constexpr std::uint64_t kMuch = std::uint64_t{1} << 61;
  MessageScanner::Saved saved = scanner_behind("\n.\r").save();
  saved.wire_octets = saved.facts.octets = saved.facts.longest_line = kMuch;
  saved.line_octets = kMuch - 1;
  MessageFacts& facts = saved.facts;
  const std::uint64_t each = kMuch / 10;
  facts.lines = facts.bare_cr = facts.bare_lf = facts.cr_cr_lf = facts.nul = facts.eight_bit = each;
  facts.first_bare_cr_end = facts.first_bare_lf_end = facts.first_nul_end = kMuch - each;
  facts.first_cr_cr_lf_end = kMuch - each;
  facts.dot_lines = facts.unstuffed_dots = each;
  facts.first_unstuffed_dot_end = kMuch - each;
  facts.octets -= each;
  facts.longest_line = facts.octets;
  saved.line_octets = facts.octets;
  facts.long_lines = kMuch / 2000;
  facts.first_long_line = each / 2;
  facts.digest = facts.header.message_id = ~std::uint64_t{0};
  facts.header.eight_bit = 65536;
  facts.header.scanner_fields = 10922;
  saved.header = HeaderScanner::stopped();
  facts.candidates.fill(~std::uint32_t{0});
  facts.first_candidate = EodCandidate::kCrLfDotCr;
  facts.first_candidate_end = kMuch;
  saved.watch.cr_end = kMuch;
  const auto scanner = MessageScanner::restore(saved);
  REQUIRE(scanner);
  Bytes bytes;
  bytes.left_out = std::make_shared<const LeftOut>(LeftOut{~std::uint64_t{0}, *scanner});
  const FurtherPart further[] = {{*bytes.left_out, {}}, {*bytes.left_out, {}}};
  bytes.further = further;
  expect_round_trip({~SessionId{0}, Time(-kFurthestTime), bytes});

  // The longest state of a header section.
  const std::string name(HeaderScanner::kLongestName, '"');
  bytes.left_out =
      std::make_shared<const LeftOut>(LeftOut{~std::uint64_t{0}, scanner_behind(name)});
  expect_round_trip({1, at_ns(1), bytes});
}

TEST_CASE("texts that are no UTF-8 stay valid JSON") {
  const std::string text =
      line_of({1, at_ns(1), UpstreamFailed{"\xff\xc3\xa9\xed\xa0\x80\xf5\xc3"}});
  simdjson::dom::parser parser;
  std::string_view reason;
  REQUIRE(parser.parse(text)["reason"].get(reason) == simdjson::SUCCESS);
  CHECK(reason == "\uFFFD\u00e9\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("octets that another program wrote as UTF-8 are understood") {
  EventLine line;
  REQUIRE(line.parse(
              "{\"t\":1,\"s\":1,\"e\":\"bytes\",\"from\":\"client\",\"data\":\"caf\xc3\xa9\"}") ==
          EventLine::Kind::kEvent);
  CHECK(text_of(std::get<Bytes>(line.event().body).head) == "caf\xe9");
}

TEST_CASE("fields of later versions are ignored, their kinds of events skipped") {
  CHECK(kind_of(R"({"t":1,"s":1,"e":"end","new":[{"x":1}]})") == EventLine::Kind::kEvent);
  EventLine line;
  CHECK(line.parse(R"({"t":1,"s":1,"e":"tls_keys","keys":"x"})") == EventLine::Kind::kUnknown);
  CHECK(line.name() == "tls_keys");
}

TEST_CASE("lines that cannot be read say why") {
  CHECK(complaint_about("") == "it is not a JSON object");
  CHECK(complaint_about("{\"t\":1,\"s\":1,\"e\":\"end\"") == "it is not a JSON object");
  CHECK(complaint_about("[1]") == "it is not a JSON object");
  CHECK(complaint_about(R"({"s":1,"e":"end"})") == "\"t\" is missing");
  CHECK(complaint_about(R"({"t":1,"s":-1,"e":"end"})") == "\"s\" is no number of the right size");
  CHECK(complaint_about(R"({"t":1.5,"s":1,"e":"end"})") == "\"t\" is no number of the right size");
  CHECK(complaint_about(R"({"t":1,"s":1,"e":7})") == "\"e\" is no string");
  CHECK(complaint_about(R"({"t":1,"s":1,"e":"bytes","from":"client"})") == "\"data\" is missing");
  CHECK(complaint_about(R"({"t":1,"s":1,"e":"bytes","from":"nobody","data":""})") ==
        "\"from\" is \"nobody\", which means nothing here");
  CHECK(complaint_about(R"({"t":1,"s":1,"e":"bytes","from":"client","data":"\u0100"})") ==
        "\"data\" has a character that stands for no octet");
  CHECK(complaint_about(R"({"t":1,"s":1,"e":"bytes","from":"client","b64":"AA=A"})") ==
        "\"b64\" is no base64");
  CHECK(complaint_about(R"({"t":1,"s":1,"e":"bytes","from":"client","b64":"AB=="})") ==
        "\"b64\" is no base64");
  CHECK(complaint_about(
            R"({"t":1,"s":1,"e":"bytes","from":"client","data":"ab","masked":[[1,2]]})") ==
        "\"masked\" does not lie in the octets");
  CHECK(complaint_about(
            R"({"t":1,"s":1,"e":"bytes","from":"client","data":"ab","masked":[[1,1],[0,1]]})") ==
        "\"masked\" does not lie in the octets");
  CHECK(complaint_about(R"({"t":1,"s":1,"e":"close","from":"client","kind":"fin","by_proxy":1})") ==
        "\"by_proxy\" is neither true nor false");
  CHECK(complaint_about(
            R"({"t":1,"s":1,"e":"bytes","from":"client","left_out":{"octets":9,"after":{)"
            R"("framing":"dot_terminated","state":"middle","wire_octets":1,"octets":9}}})") ==
        "\"after\" is no state that a message can leave");
  const auto with = [](std::string_view member) {
    return fmt::format(
        R"({{"t":1,"s":1,"e":"bytes","from":"client","left_out":{{"octets":9,"after":{{)"
        R"("framing":"counted","state":"middle","wire_octets":9,"octets":9,"longest_line":9,)"
        R"("line_octets":9,{}}}}}}})",
        member);
  };
  CHECK(kind_of(with(R"("digest":"00ff")")) == EventLine::Kind::kEvent);
  CHECK(complaint_about(with(R"("digest":"")")) == "\"digest\" is no hash");
  CHECK(complaint_about(with(R"("digest":"12345678123456789")")) == "\"digest\" is no hash");
  CHECK(complaint_about(with(R"("digest":"-1")")) == "\"digest\" is no hash");
  CHECK(complaint_about(with(R"("digest":7)")) == "\"digest\" is no string");
  CHECK(complaint_about(with(R"("in_header":{"stage":"x"})")) ==
        "\"stage\" is \"x\", which means nothing here");
  CHECK(complaint_about(with(R"("in_header":{"stage":"name","name":")" + std::string(41, 'a') +
                             R"("})")) == "\"name\" is longer than any that is kept");
  CHECK(complaint_about(with(R"("in_header":{"stage":"name","name":"A"})")) ==
        "\"after\" is no state that a message can leave");
}

TEST_CASE("the whole run has gaps only") {
  for (const char* body :
       {R"("e":"open","client":"c","listener":"l","upstream":"u")", R"("e":"end")",
        R"("e":"failed","reason":"mx.kestrel.de: refused")", R"("e":"stalled","since":1)",
        R"("e":"bytes","from":"client","data":"NOOP\r\n")"}) {
    CHECK(complaint_about(fmt::format(R"({{"t":1,"s":0,{}}})", body)) ==
          "\"s\" is 0, which stands for the whole run: it has gaps only");
    CHECK(kind_of(fmt::format(R"({{"t":1,"s":1,{}}})", body)) == EventLine::Kind::kEvent);
  }
  CHECK(kind_of(R"({"t":1,"s":0,"e":"gap","events":1,"why":"x"})") == EventLine::Kind::kEvent);
  CHECK(kind_of(R"({"t":1,"s":0,"e":"later"})") == EventLine::Kind::kUnknown);
}

TEST_CASE("hostile lines take no more than their size") {
  CHECK(kind_of(std::string(1000000, '[')) == EventLine::Kind::kCorrupt);
  const auto nested = [](std::size_t depth) {
    return R"({"t":1,"s":1,"e":"end","x":)" + std::string(depth, '[') + std::string(depth, ']') +
           "}";
  };
  CHECK(kind_of(nested(60)) == EventLine::Kind::kEvent);  // a later version may say more
  CHECK(kind_of(nested(500000)) == EventLine::Kind::kCorrupt);
}

TEST_CASE("no line crashes the reader") {
  const std::vector<std::string> lines = {
      line_of(bytes_event("EHLO x\r\n")),
      R"({"t":9,"s":1,"e":"bytes","from":"client","left_out":{"octets":9,"after":{"framing":"dot_terminated","state":"middle","wire_octets":15,"line_octets":2,"octets":14,"lines":1,"longest_line":12,"bare_lf":1,"candidates":{"lf_dot_lf":1},"first_candidate":"lf_dot_lf","first_candidate_end":3,"watch":{"seen":"lf"}}},"tail":"x","further":[{"left_out":{"octets":1},"data":"y"}],"masked":[[0,1]]})",
      line_of({1, at_ns(0), SessionOpened{"a", "b", "c", true}})};
  std::mt19937 random(3);
  EventLine reader;
  std::size_t corrupt = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string line = lines[random() % lines.size()];
    for (std::size_t n = 1 + random() % 3; n > 0 && !line.empty(); --n) {
      const std::size_t at = random() % line.size();
      if (random() % 3 == 0) {
        line.erase(at, random() % 9);
      } else {
        line[at] = "{}[]\",:019eatx\\-"[random() % 16];
      }
    }
    if (reader.parse(line) == EventLine::Kind::kCorrupt) ++corrupt;
  }
  CHECK(corrupt > 1000);
}

TEST_CASE("what a trace cannot know, in words of a later version") {
  EventLine line;
  const auto parse = [&](std::string_view unknown) {
    return line.parse(fmt::format(
        R"({{"t":0,"s":1,"e":"open","client":"a","listener":"b","upstream":"c","unknown":{}}})",
        unknown));
  };
  REQUIRE(parse(R"(["content","colours"])") == EventLine::Kind::kEvent);
  CHECK(std::get<SessionOpened>(line.event().body).fidelity.unknown == kUnknownContent);
  CHECK(parse("7") == EventLine::Kind::kCorrupt);
  CHECK(parse("[7]") == EventLine::Kind::kCorrupt);
}

TEST_CASE("a message that nobody saw") {
  MessageScanner::Saved after = MessageScanner().save();
  after.facts.unseen = true;
  after.header = HeaderScanner::stopped();
  Bytes bytes;
  bytes.left_out = std::make_shared<const LeftOut>(LeftOut{0, *MessageScanner::restore(after)});
  bytes.tail = octets_of(".\r\n");
  const std::string text = line_of({1, at_ns(0), bytes});
  EventLine line;
  REQUIRE(line.parse(text) == EventLine::Kind::kEvent);
  CHECK(std::get<Bytes>(line.event().body).left_out->after == bytes.left_out->after);
}
