#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "timeline/severity.h"

namespace smtpscope {

class RuleContext;

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
};
inline constexpr std::size_t kRuleTriggers = 11;

/// One annotation rule: identity, words and trigger together, in one file under rules/. Immutable,
/// static lifetime. The id is stable for ever and never reused.
struct Rule {
  std::string_view id;
  Category category;
  Severity severity;  // its usual step; a finding may carry another
  Fault fault;
  std::string_view title;      // one line
  std::string_view means;      // what it means, likely causes in order, what to do
  std::string_view caveats;    // when it may mislead
  std::string_view reference;  // RFC section or other source
  std::uint16_t triggers;      // RuleTrigger bits
  void (*evaluate)(RuleContext& context);
};

/// All rules, in the order of the catalogue. Adding one: one file, one row here, one test.
std::span<const Rule* const> all_rules();

/// nullptr if there is none of that id.
const Rule* find_rule(std::string_view id);

}  // namespace smtpscope
