#pragma once

#include <cstdint>
#include <string_view>

namespace smtpscope {

/// The commands this parser knows by name. kUnknown is any other word.
enum class Verb : std::uint8_t {
  kUnknown,
  kHelo,
  kEhlo,
  kLhlo,  // RFC 2033
  kMail,
  kRcpt,
  kData,
  kBdat,  // RFC 3030
  kBurl,  // RFC 4468
  kRset,
  kNoop,
  kQuit,
  kVrfy,
  kExpn,
  kHelp,
  kAuth,      // RFC 4954
  kStartTls,  // RFC 3207
  kEtrn,      // RFC 1985
  kAtrn,      // RFC 2645
  kTurn,      // RFC 5321 App. F, as the four below
  kSend,
  kSoml,
  kSaml,
  kXclient,        // Postfix XCLIENT_README
  kXforward,       // Postfix XFORWARD_README
  kXexch50,        // Exchange: counted binary blob after a 3yz reply
  kXexps,          // Exchange: alias of AUTH
  kXanonymousTls,  // Exchange: variant of STARTTLS
  kXlink2State,    // Exchange
};

/// The verb spelled by `word`, compared without regard to case (RFC 5321 2.4).
Verb verb_of(std::string_view word);

/// The canonical spelling, "" for kUnknown.
std::string_view to_string(Verb verb);

}  // namespace smtpscope
