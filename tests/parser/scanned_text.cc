#include "tests/parser/scanned_text.h"

#include <algorithm>
#include <optional>

#include "tests/catch.h"

namespace smtpscope::test {
namespace {

using namespace std::string_view_literals;
using Framing = MessageScanner::Framing;

/// Length of the line end that begins at `at` (CRLF, LF, CR, CR..CR LF), and its kind; empty if
/// there is none. `final`: nothing follows the text.
struct LineEndAt {
  std::size_t length = 0;
  LineEndSeen kind = LineEndSeen::kNone;
};
std::optional<LineEndAt> line_end_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return std::nullopt;
  if (text[at] == '\n') return LineEndAt{1, LineEndSeen::kLf};
  if (text[at] != '\r') return std::nullopt;
  const std::size_t behind = text.find_first_not_of('\r', at);
  if (behind == text.npos) return std::nullopt;  // undecided yet
  if (text[behind] != '\n') return LineEndAt{1, LineEndSeen::kCr};
  const std::size_t length = behind + 1 - at;
  return LineEndAt{length, length == 2 ? LineEndSeen::kCrLf : LineEndSeen::kCrCrLf};
}

LineEndSeen line_end_before(std::string_view text, std::size_t at) {
  if (at == 0) return LineEndSeen::kCrLf;
  if (text[at - 1] == '\r') return LineEndSeen::kCr;
  if (text[at - 1] != '\n') return LineEndSeen::kNone;
  if (at < 2 || text[at - 2] != '\r') return LineEndSeen::kLf;
  return at >= 3 && text[at - 3] == '\r' ? LineEndSeen::kCrCrLf : LineEndSeen::kCrLf;
}

EodCandidate kind_of(LineEndSeen before, LineEndSeen after, bool nul) {
  using enum LineEndSeen;
  if (nul) return EodCandidate::kNul;
  if (before == kCrCrLf || after == kCrCrLf) return EodCandidate::kCrCrLf;
  struct Row {
    LineEndSeen before, after;
    EodCandidate kind;
  };
  for (const Row& row :
       {Row{kLf, kLf, EodCandidate::kLfDotLf}, Row{kLf, kCrLf, EodCandidate::kLfDotCrLf},
        Row{kCrLf, kLf, EodCandidate::kCrLfDotLf}, Row{kCr, kCr, EodCandidate::kCrDotCr},
        Row{kCr, kCrLf, EodCandidate::kCrDotCrLf}, Row{kCrLf, kCr, EodCandidate::kCrLfDotCr}}) {
    if (row.before == before && row.after == after) return row.kind;
  }
  return EodCandidate::kOther;
}

void expect_candidates(Expected& expected, std::string_view text) {
  for (std::size_t dot = 0; dot < text.size(); ++dot) {
    if (text[dot] != '.') continue;
    std::size_t first = dot;
    while (first > 0 && text[first - 1] == '\0') --first;
    std::size_t behind = dot + 1;
    while (behind < text.size() && text[behind] == '\0') ++behind;
    const LineEndSeen before = line_end_before(text, first);
    const auto after = line_end_at(text, behind);
    if (before == LineEndSeen::kNone || !after) continue;
    const bool nul = first != dot || behind != dot + 1;
    const EodCandidate kind = kind_of(before, after->kind, nul);
    const std::size_t end = behind + after->length;
    if (end > expected.wire_octets) continue;
    if (expected.ended && end == expected.wire_octets) continue;  // the strict end
    ++expected.facts.candidates[static_cast<std::size_t>(kind)];
    if (expected.facts.first_candidate_end == 0) {
      expected.facts.first_candidate_end = end;
      expected.facts.first_candidate = kind;
    }
  }
}

void note(std::uint64_t& counter, std::uint64_t& first_end, std::uint64_t end) {
  if (++counter == 1) first_end = end;
}

/// Without what may yet become the terminator.
std::string_view without_open_dot(std::string_view content) {
  for (const std::string_view open : {"."sv, ".\r"sv}) {
    if (!content.ends_with(open)) continue;
    const std::string_view before = content.substr(0, content.size() - open.size());
    if (before.empty() || before.ends_with("\r\n")) return before;
  }
  return content;
}

std::uint64_t digest_of(std::string_view content) {
  content = content.substr(0, MessageFacts::kDigested);
  if (content.empty()) return 0;
  std::uint64_t digest = 0xcbf29ce484222325;
  for (; content.size() >= 8; content.remove_prefix(8)) {
    std::uint64_t word = 0;
    for (std::size_t i = 8; i-- > 0;) word = word << 8 | static_cast<unsigned char>(content[i]);
    digest = (digest ^ word) * 0x9e3779b97f4a7c15;
    digest ^= digest >> 32;
  }
  std::uint64_t rest = 0;
  for (std::size_t i = content.size(); i-- > 0;) {
    rest = rest << 8 | static_cast<unsigned char>(content[i]);
  }
  return digest ^ rest;
}

std::uint64_t hash_of(std::string_view value) {
  std::uint64_t hash = 0;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\r') continue;
    if (hash == 0) hash = 0xcbf29ce484222325;
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

/// The name, in lower case, of the field that begins in `line`; empty if none does.
std::string name_in(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return "";
  line = line.substr(0, colon);
  line = line.substr(0, line.find_last_not_of(" \t") + 1);
  std::string name;
  for (const char c : line) {
    if (c <= ' ' || c == 0x7f) return "";
    name += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return name.size() > HeaderScanner::kLongestName ? "" : name;
}

HeaderFacts expected_header(std::string_view wire) {
  wire = wire.substr(0, HeaderScanner::kMostOctets);
  HeaderFacts facts;
  std::size_t end = 0;
  std::string id;
  bool in_id = false;
  while (end < wire.size() && !facts.ended) {
    const std::size_t begin = end;
    const std::size_t lf = wire.find('\n', begin);
    end = lf == wire.npos ? wire.size() : lf + 1;
    std::string_view line = wire.substr(begin, lf - begin);
    if (line.starts_with(' ') || line.starts_with('\t')) {
      if (in_id) id += line;
      continue;
    }
    if (in_id) facts.message_id = hash_of(id);
    in_id = false;
    if (lf != wire.npos && line.find_first_not_of('\r') == line.npos) {
      facts.ended = true;
      continue;
    }
    if (line.starts_with('.')) line.remove_prefix(1);
    const std::string name = name_in(line);
    if (marks_a_mail_scanner(name)) ++facts.scanner_fields;
    if (name == "message-id" && facts.message_id == 0) {
      in_id = true;
      id = line.substr(line.find(':') + 1);
    }
  }
  for (const char c : wire.substr(0, end)) facts.eight_bit += c < 0 ? 1 : 0;
  return facts;
}

}  // namespace

std::string visible(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\r') {
      result += "<CR>";
    } else if (c == '\n') {
      result += "<LF>";
    } else if (c == '\0') {
      result += "<NUL>";
    } else if (c < 0) {
      result += "<8>";
    } else {
      result += c;
    }
  }
  return result;
}

MessageScanner scanned(std::string_view text, Framing framing, std::size_t piece) {
  MessageScanner scanner(framing);
  auto rest = octets_of(text);
  while (!rest.empty() && !scanner.ended()) {
    const auto part = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(scanner.scan(part));
  }
  return scanner;
}

Expected expected_of(std::string_view wire, Framing framing) {
  const bool dotted = framing == Framing::kDotTerminated;
  Expected expected;
  std::string_view content = wire;
  expected.wire_octets = wire.size();
  if (dotted) {
    const std::string behind_crlf = "\r\n" + std::string(wire);
    if (const auto at = behind_crlf.find("\r\n.\r\n"); at != behind_crlf.npos) {
      expected.ended = true;
      expected.wire_octets = at + 3;
      content = wire.substr(0, at);
    }
  }
  MessageFacts& facts = expected.facts;
  std::size_t begin = 0;
  for (std::uint64_t number = 1; begin < content.size(); ++number) {
    const std::size_t crlf = content.find("\r\n", begin);
    std::string_view line = content.substr(begin, crlf == content.npos ? crlf : crlf + 2 - begin);
    begin += line.size();
    if (crlf != content.npos) ++facts.lines;
    if (dotted && line.starts_with('.')) {
      ++facts.dot_lines;
      line.remove_prefix(1);
      // "." CR may yet become the end.
      const bool open = crlf == content.npos && (line.empty() || line == "\r");
      if (!open && !line.starts_with('.')) {
        const auto dot_end = static_cast<std::uint64_t>(line.data() - content.data());
        note(facts.unstuffed_dots, facts.first_unstuffed_dot_end, dot_end);
      }
    }
    if (line.size() > kLongestTextLine && facts.long_lines++ == 0) facts.first_long_line = number;
    facts.octets += line.size();
    facts.longest_line = std::max<std::uint64_t>(facts.longest_line, line.size());
  }
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] == '\r' && i + 1 < content.size() && content[i + 1] != '\n') {
      note(facts.bare_cr, facts.first_bare_cr_end, i + 1);
    }
    if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r')) {
      note(facts.bare_lf, facts.first_bare_lf_end, i + 1);
    }
    if (i >= 2 && content.substr(i - 2, 3) == "\r\r\n") {
      note(facts.cr_cr_lf, facts.first_cr_cr_lf_end, i + 1);
    }
    if (content[i] == '\0') note(facts.nul, facts.first_nul_end, i + 1);
    if (content[i] < 0) ++facts.eight_bit;
  }
  facts.digest = digest_of(dotted && !expected.ended ? without_open_dot(content) : content);
  facts.header = expected_header(wire.substr(0, expected.wire_octets));
  if (dotted) expect_candidates(expected, wire.substr(0, expected.wire_octets));
  return expected;
}

void check_facts(const MessageFacts& got, const MessageFacts& wanted) {
  CHECK(got.octets == wanted.octets);
  CHECK(got.lines == wanted.lines);
  CHECK(got.longest_line == wanted.longest_line);
  CHECK(got.bare_cr == wanted.bare_cr);
  CHECK(got.bare_lf == wanted.bare_lf);
  CHECK(got.nul == wanted.nul);
  CHECK(got.eight_bit == wanted.eight_bit);
  CHECK(got.dot_lines == wanted.dot_lines);
  CHECK(got.unstuffed_dots == wanted.unstuffed_dots);
  CHECK(got.cr_cr_lf == wanted.cr_cr_lf);
  CHECK(got.long_lines == wanted.long_lines);
  CHECK(got.first_long_line == wanted.first_long_line);
  CHECK(got.first_bare_cr_end == wanted.first_bare_cr_end);
  CHECK(got.first_bare_lf_end == wanted.first_bare_lf_end);
  CHECK(got.first_cr_cr_lf_end == wanted.first_cr_cr_lf_end);
  CHECK(got.first_nul_end == wanted.first_nul_end);
  CHECK(got.first_unstuffed_dot_end == wanted.first_unstuffed_dot_end);
  CHECK(got.digest == wanted.digest);
  CHECK(got.header.eight_bit == wanted.header.eight_bit);
  CHECK(got.header.message_id == wanted.header.message_id);
  CHECK(got.header.scanner_fields == wanted.header.scanner_fields);
  CHECK(got.header.ended == wanted.header.ended);
  CHECK(got.candidates == wanted.candidates);
  CHECK(got.first_candidate_end == wanted.first_candidate_end);
  CHECK(got.first_candidate == wanted.first_candidate);
}

/// Compares with one comparison in the usual case: Catch is slow, and there are millions.
void check_scanner(const MessageScanner& scanner, const Expected& expected, std::string_view text) {
  if (scanner.facts() == expected.facts && scanner.wire_octets() == expected.wire_octets &&
      scanner.ended() == expected.ended) {
    return;
  }
  INFO(visible(text));
  CHECK(scanner.ended() == expected.ended);
  CHECK(scanner.wire_octets() == expected.wire_octets);
  check_facts(scanner.facts(), expected.facts);
  FAIL("the scanner finds something else than the search");
}

}  // namespace smtpscope::test
