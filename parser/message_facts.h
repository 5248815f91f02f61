#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace smtpscope {

/// Sequences that some server somewhere takes for the end of mail data although they are not
/// CRLF.CRLF (RFC 5321 4.1.1.4 forbids it). The word before "Dot" is the line end before the dot,
/// the word after it the one that follows. This is what SMTP smuggling is made of.
enum class EodCandidate : std::uint8_t {
  kLfDotLf,
  kLfDotCrLf,
  kCrLfDotLf,
  kCrDotCr,
  kCrDotCrLf,
  kCrLfDotCr,
  kCrCrLf,  // CRCRLF on at least one side of the dot
  kNul,     // a NUL beside one of the line ends
  kOther,   // any other mix of the line ends above, such as LF.CR
};
inline constexpr std::size_t kEodCandidateKinds = 9;

/// A short name for reports, such as "LF . CRLF".
std::string_view to_string(EodCandidate kind);

/// A line of mail data may have this many octets, CRLF included, the stuffed dot not counted
/// (RFC 5321 4.5.3.1.6).
inline constexpr std::uint64_t kLongestTextLine = 1000;

/// What is known of a message's header section, the lines before the first empty one. BDAT
/// content counts like that of DATA. Lines end at LF here, with or without CR. A message whose
/// header section does not end within its first 64 KiB is not looked at beyond them.
struct HeaderFacts {
  std::uint64_t eight_bit = 0;   // octets with the high bit set
  std::uint64_t message_id = 0;  // hash of the first Message-ID field's value, unfolded, without
                                 // blanks; 0: there was none, or only empty ones
  std::uint32_t scanner_fields = 0;  // fields that mail scanners add: X-Antivirus, X-*-Scanned …
  bool ended = false;                // the empty line was seen

  bool operator==(const HeaderFacts&) const = default;
};

/// What is known of a message's content without keeping it. Plain numbers, so that a capture
/// which left the content out can still carry them. All counts are over the content as it went
/// over the wire, without the final ".CRLF".
struct MessageFacts {
  /// So many octets from the beginning go into `digest`.
  static constexpr std::uint64_t kDigested = 4096;

  std::uint64_t octets = 0;        // message size: dot-stuffing removed (RFC 1870 5)
  std::uint64_t lines = 0;         // line ends counted at CRLF only (RFC 5321 2.3.8)
  std::uint64_t longest_line = 0;  // octets including CRLF, the stuffed dot not counted
  std::uint64_t bare_cr = 0;       // CR not followed by LF
  std::uint64_t bare_lf = 0;       // LF not preceded by CR
  std::uint64_t cr_cr_lf = 0;      // line ends of CR CR LF, with two or more CRs
  std::uint64_t nul = 0;
  std::uint64_t eight_bit = 0;  // octets with the high bit set
  std::uint64_t dot_lines = 0;  // lines that begin with a dot on the wire
  std::uint64_t unstuffed_dots =
      0;  // of these, those a conforming client never sends: "." + not "."
  std::array<std::uint32_t, kEodCandidateKinds> candidates{};
  /// Where the octet after the first candidate lies, counted from the first content octet on the
  /// wire; 0 if there was none.
  std::uint64_t first_candidate_end = 0;
  EodCandidate first_candidate = EodCandidate::kOther;
  /// All or part of the content is not known, nor what it counts: somebody told only that there was
  /// one, and maybe its size in `octets`.
  bool unseen = false;
  std::uint64_t long_lines = 0;       // of more than kLongestTextLine octets, finished or not
  std::uint64_t first_long_line = 0;  // its number, from 1; 0 if there is none
  // Where the octet after the first of its kind lies, counted like first_candidate_end; 0 if there
  // was none. That of a line end is its LF, that of a dot line its dot.
  std::uint64_t first_bare_cr_end = 0;
  std::uint64_t first_bare_lf_end = 0;
  std::uint64_t first_cr_cr_lf_end = 0;
  std::uint64_t first_nul_end = 0;
  std::uint64_t first_unstuffed_dot_end = 0;
  /// Of the first kDigested octets on the wire: for telling that two messages are the same,
  /// together with their sizes and counts.
  std::uint64_t digest = 0;
  HeaderFacts header;

  bool operator==(const MessageFacts&) const = default;
};

}  // namespace smtpscope
