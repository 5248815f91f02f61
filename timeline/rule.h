#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "parser/verb.h"
#include "timeline/severity.h"

namespace smtpscope {

class RuleContext;
struct Finding;

enum class Category : std::uint8_t {
  kTransaction,
  kTiming,
  kSequencing,
  kSyntax,
  kExtension,
  kSecurity,
  kTls,
  kAuth,
  kNetwork,
  kServer,
  kClient
};
inline constexpr std::size_t kCategories = 11;
std::string_view to_string(Category category);

/// When a rule is asked, as bits.
enum RuleTrigger : std::uint16_t {
  kOnCommand = 1 << 0,  // a command's entry (before it changes the state)
  kOnReply = 1 << 1,    // a reply's entry, after it changed the state
  kOnData = 1 << 2,     // mail data or a chunk is complete
  kOnSilence = 1 << 3,
  kOnTransactionEnd = 1 << 4,
  kOnClose = 1 << 5,  // one direction closed
  kOnSessionEnd = 1 << 6,
  kOnBlocked = 1 << 7,
  kOnRsetRunEnd = 1 << 8,  // another command, or a close, ended a run of RSETs
  kOnConnectFailed = 1 << 9,
  kOnOtherEntry = 1 << 10,  // garbage, AUTH response, PROXY header, blob, TLS record, junk
  kOnOpened = 1 << 11,      // the session began; history knows of it already
};
inline constexpr std::size_t kRuleTriggers = 12;

/// The commands that a rule wants to be asked about, as bits; see Rule::verbs.
using VerbSet = std::uint32_t;
inline constexpr std::size_t kVerbSlots = 32;
/// Stand for what is no command: the greeting, and what answers nothing.
inline constexpr std::size_t kGreetingSlot = 30;
inline constexpr std::size_t kNothingSlot = 31;
inline constexpr VerbSet kAnyVerb = ~VerbSet{0};
inline constexpr VerbSet kGreetingOnly = VerbSet{1} << kGreetingSlot;
inline constexpr VerbSet kNothingOnly = VerbSet{1} << kNothingSlot;
static_assert(static_cast<std::size_t>(Verb::kXlink2State) < kGreetingSlot);

template <typename... Verbs>
constexpr VerbSet verbs(Verbs... each) {
  return ((VerbSet{1} << static_cast<unsigned>(each)) | ...);
}

/// What a command, a reply, mail data or an ended transaction has about it, as bits. Most have
/// nothing, and rules that want one of these are not asked then; see Rule::only.
enum RuleMark : std::uint8_t {
  kOddLine = 1 << 0,   // a line with a LineFlag, an ending that is not CRLF, no code, another code
  kLongLine = 1 << 1,  // longer than what command-line-too-long and reply-line-too-long allow
  kSeveralReads = 1 << 2,  // it came in several reads
  kRefusal = 1 << 3,       // a reply 4yz, 5yz, or with a code that SMTP does not have
  kPipelined = 1 << 4,  // a command that did not wait for replies; a reply with such in front of it
  kBehindClose = 1 << 5,  // a reply behind the client's close
  kCutShort = 1 << 6,     // a transaction that was not ended by the reply to its end-of-data
};
/// The marks that can be there at a trigger.
constexpr std::uint8_t possible_marks(RuleTrigger trigger) {
  switch (trigger) {
    case kOnCommand:
      return kOddLine | kLongLine | kSeveralReads | kPipelined;
    case kOnReply:
      return kOddLine | kLongLine | kSeveralReads | kRefusal | kPipelined | kBehindClose;
    case kOnData:
      return kSeveralReads;
    case kOnTransactionEnd:
      return kCutShort;
    default:
      return 0;
  }
}

/// What a rule needs, or uses, besides commands and replies in their order, as bits. Where what it
/// needs is missing the rule is not evaluated, and that is reported (timeline/unmet_needs.h).
enum RuleNeed : std::uint16_t {
  kNeedsContent = 1 << 0,      // facts of the mail data, and when it ended
  kNeedsReadTimes = 1 << 1,    // when each read came
  kNeedsRtt = 1 << 2,          // the round trip to the server
  kNeedsCloseKind = 1 << 3,    // FIN or RST
  kNeedsTlsRecords = 1 << 4,   // the outside of a TLS session
  kNeedsHistory = 1 << 5,      // other sessions of the run
  kNeedsSecondTrace = 1 << 6,  // a trace from another vantage point
  kNeedsOctets = 1 << 7,       // each octet of commands and replies, their line ends too
  kNeedsTimes = 1 << 8,        // times, to the second at least
  kNeedsFineTimes = 1 << 9,    // times, to the tenth of a second at least
  kNeedsReplyLines = 1 << 10,  // all lines of replies, such as the keywords of EHLO
};

/// How sure a finding is of what it says.
enum class Certainty : std::uint8_t {
  kSeen,      // it is what the wire shows
  kLikely,    // the evidence leaves little room
  kPossible,  // a hint: timing, or a pattern that has other explanations
};
std::string_view to_string(Certainty certainty);

/// One annotation rule: identity and trigger, in one file under rules/, with its words in the page
/// beside it (timeline/rule_words.h). Immutable, static lifetime. The id is stable for ever and
/// never reused.
struct Rule {
  std::string_view id;
  Category category;
  Severity severity;  // its usual step; a finding may carry another
  Fault fault;
  Certainty certainty = Certainty::kSeen;  // likewise

  std::uint16_t needs = 0;     // RuleNeed bits: without one of these it cannot be decided
  std::uint16_t uses = 0;      // RuleNeed bits: with these it says more
  std::uint16_t triggers = 0;  // RuleTrigger bits
  /// kOnCommand: asked only about these commands; kOnReply: only about replies to them, or to
  /// `replies_to` if that names any. Only what matters costs time.
  VerbSet verbs = kAnyVerb;
  VerbSet replies_to = 0;
  /// RuleMark bits: asked only where one of them is. 0, and at triggers at which none of them is
  /// possible: always.
  std::uint8_t only = 0;

  void (*evaluate)(RuleContext& context);

  /// For findings that wait for the reply to their command (RuleContext::fire_when_answered): may
  /// change the finding, or drop it by giving false. The context is that of the reply. nullptr:
  /// the reply is told behind the text.
  bool (*answered)(RuleContext& context, Finding& finding) = nullptr;
};

/// All rules, in the order of their list, rules/catalogue.def.
std::span<const Rule* const> all_rules();

/// nullptr if there is none of that id.
const Rule* find_rule(std::string_view id);

}  // namespace smtpscope
