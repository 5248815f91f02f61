#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/reasons/reply_reason.h"
#include "timeline/rule.h"
#include "timeline/severity.h"

namespace smtpscope {

class Case;

/// How much speaks for a cause. The heaviest leads the verdict; another is told beside it only
/// where it weighs nearly as much and neither is seen on the wire.
enum Weight : int {
  kNothing = 0,
  kHint = 30,       // it would explain it, and so would other things
  kUsual = 50,      // what it usually is
  kByWords = 60,    // the server says so
  kSpecific = 75,   // what is seen fits this and hardly anything else
  kProven = 90,     // what is seen is this
  kWholeStory = 95  // and explains the rest of the session, too
};

/// What a cause says of a case. Empty (weight 0) unless it applies.
struct Explanation {
  int weight = kNothing;
  /// Ends the verdict's first sentence: "message 1 refused: HEADLINE". No full stop.
  std::string headline;
  Fault side = Fault::kUnknown;
  Certainty certainty = Certainty::kSeen;
  std::vector<std::uint64_t> entries;
  /// Other explanations that the evidence excludes, with their reason: "a wrong password: ...".
  std::vector<std::string> not_it;
  /// Findings that are consequences of it, or say the same: the verdict does not repeat them.
  std::vector<const Rule*> covers;
  /// The words of this reason say what to check; and the server's reply is quoted.
  std::optional<ReplyReason> reason;
  /// The first line says what was refused all the same: "message 1 refused".
  bool explains_refusal = false;
};

/// Why something happened: a file of its own, with its prose beside it (<id>.md). Immutable, static
/// lifetime. The id is stable for ever.
struct Cause {
  std::string_view id;
  Fault side;  // where to look, unless the explanation names another
  /// Looks at a case; leaves `explanation` alone where it does not apply. A pure function.
  void (*weigh)(const Case& the_case, Explanation& explanation);
};

/// All causes, in the order in which equals are preferred. Adding one: one file with its prose, one
/// row here, one trouble in tests/troubles.
std::span<const Cause* const> all_causes();
const Cause* find_cause(std::string_view id);

/// The prose of a cause.
struct CausePage {
  std::string title;                // one line
  std::string means;                // paragraphs, separated by '\n'
  std::vector<std::string> checks;  // what to do, the cheapest first
  std::vector<std::string> not_it;  // what it is not
};
const CausePage& page_of(const Cause& cause);

}  // namespace smtpscope
