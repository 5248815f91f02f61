#include "tests/parser/describe_item.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

namespace smtpscope::test {
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\r') {
      result += "\\r";
    } else if (c == '\n') {
      result += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result;
}

namespace {

std::string exchange_of(Exchange exchange) {
  return exchange == kNoExchange ? "#-" : fmt::format("#{}", exchange);
}

std::string ending_of(LineEnding ending) {
  switch (ending) {
    case LineEnding::kCrLf:
      return "";
    case LineEnding::kLf:
      return " LF";
    case LineEnding::kCrCrLf:
      return " CRCRLF";
    case LineEnding::kNone:
      return " unfinished";
  }
  return " ?";
}

std::string flags_of(std::uint16_t flags) {
  constexpr std::pair<LineFlag, const char*> kNames[] = {
      {kHasNul, " nul"},         {kHasEightBit, " 8bit"},
      {kHasBareCr, " bare-cr"},  {kHasControl, " control"},
      {kCutForDisplay, " cut"},  {kEarly, " early"},
      {kAfterGap, " after-gap"}, {kAfterMergedLines, " after-merged-lines"}};
  std::string result;
  for (const auto& [flag, name] : kNames) {
    if (flags & flag) result += name;
  }
  return result;
}

std::string target_of(const Reply& reply) {
  const std::string to = fmt::format(" to {}", exchange_of(reply.exchange));
  switch (reply.answers) {
    case Answers::kGreeting:
      return " greeting";
    case Answers::kCommand:
      return fmt::format("{} {}", to,
                         reply.verb == Verb::kUnknown ? "?" : smtpscope::to_string(reply.verb));
    case Answers::kAuthResponse:
      return to + " response";
    case Answers::kEndOfData:
      return to + " end of data";
    case Answers::kBlob:
      return to + " blob";
    case Answers::kOrphan:
      return " orphan";
    case Answers::kUnsolicited:
      return " unsolicited";
  }
  return " ?";
}

std::string facts_of(const MessageFacts& f) {
  std::string result =
      fmt::format("{} {} {} {} {} {} {} {} {} end {} kind {}", f.octets, f.lines, f.longest_line,
                  f.bare_cr, f.bare_lf, f.nul, f.eight_bit, f.dot_lines, f.unstuffed_dots,
                  f.first_candidate_end, static_cast<int>(f.first_candidate));
  for (const std::uint32_t count : f.candidates) result += fmt::format(",{}", count);
  result += fmt::format(" long {} {} crcrlf {} firsts {} {} {} {} {} digest {:x}", f.long_lines,
                        f.first_long_line, f.cr_cr_lf, f.first_bare_cr_end, f.first_bare_lf_end,
                        f.first_cr_cr_lf_end, f.first_nul_end, f.first_unstuffed_dot_end, f.digest);
  return result + fmt::format(" header {} {:x} {} {}", f.header.eight_bit, f.header.message_id,
                              f.header.scanner_fields, f.header.ended);
}

/// The body in one line.
struct Describe {
  std::string operator()(const Command& c) const {
    std::string result = fmt::format("{} `{}`", exchange_of(c.exchange), escaped(c.text));
    if (c.pending_before > 0) result += fmt::format(" pending={}", c.pending_before);
    return result + flags_of(c.flags) + ending_of(c.ending);
  }
  std::string operator()(const AuthResponse& r) const {
    return fmt::format("{} response{}{}", exchange_of(r.exchange),
                       r.quit        ? " cancelled by QUIT"
                       : r.cancelled ? " cancelled"
                                     : "",
                       ending_of(r.ending));
  }
  std::string operator()(const Reply& r) const {
    std::string result = fmt::format("{}{}", r.code, target_of(r));
    if (r.ordinal > 0) result += fmt::format(" ordinal={}", r.ordinal);
    if (r.line_count != 1) result += fmt::format(" lines={}", r.line_count);
    if (r.owed_after > 0) result += fmt::format(" owes={}", r.owed_after);
    if (r.codes_differ) result += " codes-differ";
    if (!r.complete) result += " incomplete";
    result += flags_of(r.flags);
    for (const ReplyLine& line : r.lines) result += ending_of(line.ending);
    return result;
  }
  std::string operator()(const GarbageLine& g) const {
    return fmt::format("garbage `{}`{}{}", escaped(g.text), flags_of(g.flags), ending_of(g.ending));
  }
  std::string operator()(const MailData& d) const {
    constexpr const char* kEnds[] = {"strict", "candidate", "cut", "gap"};
    std::string result = fmt::format("{} data {} octets, {}", exchange_of(d.exchange),
                                     d.facts.octets, kEnds[static_cast<int>(d.end)]);
    if (d.early_octets > 0) result += fmt::format(" early={}", d.early_octets);
    if (d.missing_octets > 0) result += fmt::format(" missing={}", d.missing_octets);
    if (d.assumed) result += " assumed";
    if (d.answered_early) result += " answered-early";
    return result;
  }
  std::string operator()(const Chunk& c) const {
    std::string result =
        fmt::format("{} chunk {}{}", exchange_of(c.exchange), c.declared, c.last ? " last" : "");
    if (c.missing_octets > 0) result += fmt::format(" missing={}", c.missing_octets);
    return result + (c.complete ? "" : " incomplete");
  }
  std::string operator()(const Blob& b) const {
    return fmt::format("{} blob {}{}", exchange_of(b.exchange), b.declared,
                       b.complete ? "" : " incomplete");
  }
  std::string operator()(const ProxyHeader& p) const {
    return fmt::format("PROXY v{}{} `{}`", p.version, p.local ? " local" : "", escaped(p.text));
  }
  std::string operator()(const TlsRecord& r) const {
    std::string result = fmt::format("TLS {} {}", r.type, r.length);
    if (r.handshake_type != 0) result += fmt::format(" handshake={}", r.handshake_type);
    if (r.alert_level != 0)
      result += fmt::format(" alert={}/{}", r.alert_level, r.alert_description);
    if (r.messages != nullptr) result += messages_of(*r.messages);
    if (r.messages != nullptr && r.messages->goes_on && r.handshake_type == 0) {
      result += fmt::format(" open={}", r.messages->open_type);
    }
    return result + (r.complete ? "" : " incomplete");
  }
  static std::string messages_of(const TlsMessages& m) {
    std::string result;
    if (const auto& c = m.client_hello) {
      result +=
          fmt::format(" client-hello[{}..{} suites={} sni={} alpn={}{}{}]", c->lowest, c->highest,
                      c->cipher_suites, escaped(c->server_name), fmt::join(c->protocols, ","),
                      c->resumes ? " resumes" : "", c->readable ? "" : " unreadable");
    }
    if (const auto& s = m.server_hello) {
      result += fmt::format(" server-hello[{} {} alpn={}{}{}{}]", tls_version_text(s->version),
                            tls_cipher_text(s->cipher_suite), s->protocol, s->retry ? " retry" : "",
                            s->resumed ? " resumed" : "", s->readable ? "" : " unreadable");
    }
    if (const auto& chain = m.certificates) {
      result += fmt::format(" certificates[{}{}", chain->count, chain->cut ? " cut" : "");
      for (const std::string& der : chain->certificates) {
        result += fmt::format(" {}/{:x}", der.size(), std::hash<std::string>()(der));
      }
      result += ']';
    }
    if (m.certificate_requested) result += " certificate-request";
    if (m.count > 1) result += fmt::format(" messages={}", m.count);
    return result;
  }
  std::string operator()(const Junk& j) const {
    return fmt::format("junk ({}) `{}`{}", smtpscope::to_string(j.reason), escaped(j.text),
                       flags_of(j.flags));
  }
};

/// What Describe leaves out.
struct DescribeRest {
  std::string operator()(const Command& c) const {
    return fmt::format("{} w`{}` a`{}`", static_cast<int>(c.verb), c.word, c.arguments);
  }
  std::string operator()(const AuthResponse& r) const { return fmt::format("{}", r.octets); }
  std::string operator()(const Reply& r) const {
    std::string result;
    for (const ReplyLine& line : r.lines) {
      result += fmt::format(" {}/{}/{}/{}/{}`{}`", line.code, line.end, line.octets, line.flags,
                            static_cast<int>(line.ending), line.text);
    }
    return result;
  }
  std::string operator()(const MailData& d) const {
    return fmt::format("{} behind `{}`", facts_of(d.facts), escaped(d.behind_candidate));
  }
  std::string operator()(const Chunk& c) const { return facts_of(c.facts); }
  std::string operator()(const TlsRecord& r) const { return fmt::format("{}", r.version); }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "";
  }
};

}  // namespace

std::string describe(const Item& item) {
  std::string result = fmt::format("{} {}", item.side == Side::kClient ? 'C' : 'S',
                                   std::visit(Describe{}, item.body));
  if (item.secret_end > item.secret_begin) {
    result += fmt::format(" secret={}", item.secret_end - item.secret_begin);
  }
  return result;
}

std::string describe_in_full(const Item& item) {
  return fmt::format("{} [{},{}) secret [{},{}) {}", describe(item), item.begin, item.end,
                     item.secret_begin, item.secret_end, std::visit(DescribeRest{}, item.body));
}

}  // namespace smtpscope::test
