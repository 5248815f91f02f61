#pragma once

#include <cstdint>
#include <string_view>

#include "parser/capabilities.h"
#include "parser/path.h"
#include "parser/verb.h"

namespace smtpscope {

/// Which EHLO keyword permits which parameter. A client must not use a parameter whose keyword the
/// server did not offer (RFC 5321 4.1.1.3, 2.2.1).
struct ParameterExtension {
  Verb verb;                   // the command that takes the parameter
  std::string_view parameter;  // in upper case
  std::string_view value;      // in upper case; the row is for this value only; "": for any
  std::string_view keyword;    // of EHLO, in upper case
  /// Octets that the extension adds to the longest command line (RFC 5321 4.5.3.1.4), counted once
  /// per keyword: the second parameter of one keyword has 0 where the first has the sum.
  std::uint16_t raise;
};

inline constexpr ParameterExtension kParameterExtensions[] = {
    {Verb::kMail, "SIZE", "", "SIZE", 26},                  // RFC 1870 3
    {Verb::kMail, "BODY", "7BIT", "8BITMIME", 0},           // RFC 6152 2
    {Verb::kMail, "BODY", "8BITMIME", "8BITMIME", 17},      // RFC 6152 2
    {Verb::kMail, "BODY", "BINARYMIME", "BINARYMIME", 16},  // RFC 3030 3
    {Verb::kMail, "SMTPUTF8", "", "SMTPUTF8", 10},          // RFC 6531 3.1
    {Verb::kVrfy, "SMTPUTF8", "", "SMTPUTF8", 10},
    {Verb::kExpn, "SMTPUTF8", "", "SMTPUTF8", 10},
    {Verb::kMail, "AUTH", "", "AUTH", 500},  // RFC 4954 3
    // RFC 3461 gives lengths, no sum: " RET=HDRS" and " ENVID=" with 100 octets (4.3, 4.4);
    // " NOTIFY=SUCCESS,FAILURE,DELAY" and an ORCPT of 500 octets (4.1, 4.2).
    {Verb::kMail, "RET", "", "DSN", 116},
    {Verb::kMail, "ENVID", "", "DSN", 0},
    {Verb::kRcpt, "NOTIFY", "", "DSN", 530},
    {Verb::kRcpt, "ORCPT", "", "DSN", 0},
    {Verb::kMail, "BY", "", "DELIVERBY", 17},  // RFC 2852 4
    // RFC 4865 4: the longer of the two, " HOLDUNTIL=" and a date with its zone.
    {Verb::kMail, "HOLDUNTIL", "", "FUTURERELEASE", 36},
    {Verb::kMail, "HOLDFOR", "", "FUTURERELEASE", 0},
    {Verb::kMail, "MT-PRIORITY", "", "MT-PRIORITY", 15},  // RFC 6710 3
    {Verb::kMail, "REQUIRETLS", "", "REQUIRETLS", 11},    // RFC 8689 2
    {Verb::kRcpt, "RRVS", "", "RRVS", 33},                // RFC 7293 4
    {Verb::kMail, "SOLICIT", "", "NO-SOLICITING", 1007},  // RFC 3865 2
    {Verb::kMail, "TRANSID", "", "CHECKPOINT", 89},       // RFC 1845 3
    {Verb::kMail, "MTRK", "", "MTRK", 40},                // RFC 3885 3
    {Verb::kMail, "SUBMITTER", "", "SUBMITTER", 264},     // RFC 4405 4
    {Verb::kMail, "CONPERM", "", "CONPERM", 8},           // RFC 4141 2
    {Verb::kRcpt, "CONNEG", "", "CONNEG", 7},             // RFC 4141 3
    {Verb::kMail, "PRDR", "", "PRDR", 5},                 // Exim
    {Verb::kMail, "XVERP", "", "XVERP", 6},               // Postfix, VERP_README
};

/// Which EHLO keyword permits which command. VRFY, EXPN and HELP are commands of SMTP itself, which
/// need no keyword (RFC 5321 4.1.1.1).
struct CommandExtension {
  Verb verb;
  std::string_view keyword;  // of EHLO, in upper case
  std::uint16_t raise;       // octets added to the longest line of this command
};

/// RFC 4954 4: a line of an AUTH exchange may have so many octets, CRLF included.
inline constexpr std::uint16_t kLongestAuthLine = 12288;
inline constexpr std::uint16_t kLongestCommandLine = 512;  // RFC 5321 4.5.3.1.4

inline constexpr CommandExtension kCommandExtensions[] = {
    {Verb::kStartTls, "STARTTLS", 0},  // RFC 3207
    {Verb::kAuth, "AUTH", kLongestAuthLine - kLongestCommandLine},
    {Verb::kBdat, "CHUNKING", 0},      // RFC 3030
    {Verb::kBurl, "BURL", 0},          // RFC 4468
    {Verb::kEtrn, "ETRN", 0},          // RFC 1985
    {Verb::kAtrn, "ATRN", 0},          // RFC 2645
    {Verb::kXclient, "XCLIENT", 0},    // Postfix XCLIENT_README
    {Verb::kXforward, "XFORWARD", 0},  // Postfix XFORWARD_README: the 512 octets stay
    {Verb::kXexch50, "XEXCH50", 0},    // Exchange, as the next
    {Verb::kXexps, "X-EXPS", kLongestAuthLine - kLongestCommandLine},
    {Verb::kXanonymousTls, "X-ANONYMOUSTLS", 0},
};

/// nullptr when the command belongs to SMTP itself.
inline const CommandExtension* find_command_extension(Verb verb) {
  for (const CommandExtension& row : kCommandExtensions) {
    if (row.verb == verb) return &row;
  }
  return nullptr;
}

/// The row for a parameter of MAIL or RCPT; nullptr when no extension known here defines it.
inline const ParameterExtension* find_parameter_extension(Verb verb,
                                                          const MailParameter& parameter) {
  for (const ParameterExtension& row : kParameterExtensions) {
    if (row.verb != verb || !same_keyword(parameter.keyword, row.parameter)) continue;
    if (row.value.empty() || same_keyword(parameter.value, row.value)) return &row;
  }
  return nullptr;
}

/// Octets that what the server offers adds to the longest line of a command.
inline std::uint64_t line_length_raise(Verb verb, const Capabilities& capabilities) {
  std::uint64_t raise = 0;
  for (const ParameterExtension& row : kParameterExtensions) {
    if (row.verb == verb && row.raise != 0 && capabilities.has(row.keyword)) raise += row.raise;
  }
  const CommandExtension* own = find_command_extension(verb);
  if (own != nullptr && own->raise != 0 && capabilities.has(own->keyword)) raise += own->raise;
  return raise;
}

}  // namespace smtpscope
