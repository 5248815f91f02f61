#pragma once

#include <cstdint>

#include "parser/message_facts.h"

namespace smtpscope {

/// What the octets so far end in, as far as someone may take it for the end of a line.
enum class LineEndSeen : std::uint8_t {
  kNone,
  kCr,
  kCrCr,  // two or more; an LF makes kCrCrLf of them, anything else kCr
  kLf,    // bare
  kCrLf,
  kCrCrLf,
};

/// The tolerant recogniser: notes where a lenient server may see the end of mail data, T1 "." T2
/// with T1 and T2 any of CRLF, LF, CR, CR..CR LF, with or without NULs between them and the dot.
/// Strict ends are not its business: the scanner stops at them before it comes to know them.
///
/// A plain value; knows only what the next octets may turn into a candidate. Not thread-safe.
struct EodWatch {
  LineEndSeen seen = LineEndSeen::kCrLf;       // the start counts as after CRLF (RFC 5321 4.1.1.4)
  bool nul_behind = false;                     // NULs and nothing else came after `seen`
  LineEndSeen dot_after = LineEndSeen::kNone;  // T1 of a dot whose T2 is open; kNone: no such dot
  bool nul_beside_dot = false;                 // of that dot
  std::uint64_t cr_end = 0;  // behind the first CR of a T2 that may become more than this CR

  /// The next octet, which ends at `end` octets from the beginning of the content.
  void take(std::uint8_t octet, std::uint64_t end, MessageFacts& facts) {
    switch (octet) {
      case '\r':
        take_cr(end);
        break;
      case '\n':
        take_lf(end, facts);
        break;
      case '.':
        take_dot(facts);
        break;
      case 0:
        take_nul(facts);
        break;
      default:
        settle_cr(facts);
        close_dot();
        seen = LineEndSeen::kNone;
        nul_behind = false;
    }
  }

  /// Nothing is open but what `seen` tells.
  bool settled() const { return dot_after == LineEndSeen::kNone && !nul_behind; }

  /// The octets so far end in CR CR.
  bool after_cr_cr() const { return !nul_behind && seen == LineEndSeen::kCrCr; }

  bool operator==(const EodWatch&) const = default;

 private:
  bool after_cr() const {
    return !nul_behind && (seen == LineEndSeen::kCr || seen == LineEndSeen::kCrCr);
  }

  void take_cr(std::uint64_t end) {
    if (after_cr()) {
      seen = LineEndSeen::kCrCr;
      return;
    }
    if (dot_after != LineEndSeen::kNone) cr_end = end;
    seen = LineEndSeen::kCr;
    nul_behind = false;
  }

  void take_lf(std::uint64_t end, MessageFacts& facts) {
    if (!after_cr()) {
      seen = LineEndSeen::kLf;
    } else {
      seen = seen == LineEndSeen::kCr ? LineEndSeen::kCrLf : LineEndSeen::kCrCrLf;
    }
    nul_behind = false;
    if (dot_after != LineEndSeen::kNone) note(seen, end, facts);
  }

  void take_dot(MessageFacts& facts) {
    settle_cr(facts);
    close_dot();
    dot_after = seen == LineEndSeen::kCrCr ? LineEndSeen::kCr : seen;
    nul_beside_dot = nul_behind;
    seen = LineEndSeen::kNone;
    nul_behind = false;
  }

  void take_nul(MessageFacts& facts) {
    settle_cr(facts);
    if (seen != LineEndSeen::kNone) {
      nul_behind = true;
    } else if (dot_after != LineEndSeen::kNone) {
      nul_beside_dot = true;
    }
  }

  /// An octet came that makes no LF-ended line end of the CRs before it.
  void settle_cr(MessageFacts& facts) {
    if (dot_after != LineEndSeen::kNone && after_cr()) note(LineEndSeen::kCr, cr_end, facts);
  }

  void close_dot() {
    dot_after = LineEndSeen::kNone;
    nul_beside_dot = false;
    cr_end = 0;
  }

  /// The open dot has found its T2.
  void note(LineEndSeen after_dot, std::uint64_t end, MessageFacts& facts);
};

}  // namespace smtpscope
