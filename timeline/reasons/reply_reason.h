#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smtpscope {

/// Why a server refused: a closed list. The names are stable, and are what `smtpscope explain`
/// takes; their words and what gives them away stand in reasons.txt.
enum class ReplyReason : std::uint8_t {
  kRecipientUnknown,
  kRecipientDisabled,
  kRecipientMoved,
  kRecipientDomainUnknown,
  kRecipientRestricted,
  kRelayDenied,
  kMailboxFull,
  kSenderUnknown,
  kSenderNotAllowed,
  kSenderBlocked,
  kClientBlocklisted,
  kClientNoReverseDns,
  kClientNameRejected,
  kClientDynamicAddress,
  kTooManyConnections,
  kRateLimited,
  kTooManyRecipients,
  kQuotaOfSender,
  kGreylisted,
  kAuthRequired,
  kAuthFailed,
  kAuthMechanism,
  kAuthBackendBroken,
  kTlsRequired,
  kTlsFailed,
  kSpf,
  kDkim,
  kDmarc,
  kSenderUnauthenticated,
  kMessageTooLarge,
  kContentSpam,
  kContentVirus,
  kContentAttachment,
  kContentMalformed,
  kProtocolError,
  kUnsupportedCommand,
  kLoop,
  kServerFull,
  kServerBusy,
  kServerTrouble,
  kUpstreamTrouble,
  kDomainTakesNoMail,
  kPolicyUnspecified,
  kUnknown,
};
inline constexpr std::size_t kReplyReasons = 44;
/// "recipient-unknown".
std::string_view to_string(ReplyReason reason);
std::optional<ReplyReason> reply_reason(std::string_view name);

/// The command that was refused.
enum class ReplyStage : std::uint8_t {
  kUnknown,
  kConnect,
  kEhlo,
  kStartTls,
  kAuth,
  kMail,
  kRcpt,
  kData,
  kEndOfData,
};
inline constexpr std::size_t kReplyStages = 9;
/// "RCPT"; "" for kUnknown; "EOD" for the end of the data.
std::string_view to_string(ReplyStage stage);
std::optional<ReplyStage> reply_stage(std::string_view name);

/// Who can end the trouble.
enum class WhoActs : std::uint8_t { kClientAdmin, kServerAdmin, kRecipient, kSender, kNobodyWait };
inline constexpr std::size_t kWhoActs = 5;
std::string_view to_string(WhoActs who);
std::optional<WhoActs> who_acts(std::string_view name);
/// "whoever runs the server".
std::string_view in_words(WhoActs who);

/// What gives a reason away.
enum class HowKnown : std::uint8_t { kWords, kEnhancedCode, kBoth, kStage };
std::string_view to_string(HowKnown how);

/// A refusal, as far as it tells why. Views need to live during the call only.
struct Refusal {
  std::uint16_t code = 0;
  std::string_view enhanced;  // "5.7.1"; "" if the reply has none
  ReplyStage stage = ReplyStage::kUnknown;
  std::string_view text;  // all lines, without their codes, separated by '\n'
};

struct ReasonVerdict {
  ReplyReason reason = ReplyReason::kUnknown;
  bool temporary = false;  // trying the same again later may work
  HowKnown how = HowKnown::kStage;
  /// The codes say something else than the words, which then count: what the codes stand for.
  std::optional<ReplyReason> codes_say;
};

/// A reply as somebody has it in hand ("550-5.7.1 first\n550 5.7.1 second"), taken apart.
struct ReplyText {
  std::uint16_t code = 0;  // 0: it begins with none
  std::string enhanced;
  std::string text;
};
ReplyText take_apart(std::string_view reply);

/// The enhanced status code (RFC 3463) that `text` begins with, or ""; what is behind it is left
/// in `text`.
std::string_view take_enhanced_code(std::string_view& text);

}  // namespace smtpscope
