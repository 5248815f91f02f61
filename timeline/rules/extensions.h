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
};

inline constexpr ParameterExtension kParameterExtensions[] = {
    {Verb::kMail, "SIZE", "", "SIZE"},                  // RFC 1870 3
    {Verb::kMail, "BODY", "7BIT", "8BITMIME"},          // RFC 6152 2
    {Verb::kMail, "BODY", "8BITMIME", "8BITMIME"},      // RFC 6152 2
    {Verb::kMail, "BODY", "BINARYMIME", "BINARYMIME"},  // RFC 3030 3
    {Verb::kMail, "SMTPUTF8", "", "SMTPUTF8"},          // RFC 6531 3.1
    {Verb::kVrfy, "SMTPUTF8", "", "SMTPUTF8"},
    {Verb::kExpn, "SMTPUTF8", "", "SMTPUTF8"},
    {Verb::kMail, "AUTH", "", "AUTH"},  // RFC 4954 3
    // RFC 3461 4.
    {Verb::kMail, "RET", "", "DSN"},
    {Verb::kMail, "ENVID", "", "DSN"},
    {Verb::kRcpt, "NOTIFY", "", "DSN"},
    {Verb::kRcpt, "ORCPT", "", "DSN"},
    {Verb::kMail, "BY", "", "DELIVERBY"},  // RFC 2852 4
    // RFC 4865 4.
    {Verb::kMail, "HOLDUNTIL", "", "FUTURERELEASE"},
    {Verb::kMail, "HOLDFOR", "", "FUTURERELEASE"},
    {Verb::kMail, "MT-PRIORITY", "", "MT-PRIORITY"},  // RFC 6710 3
    {Verb::kMail, "REQUIRETLS", "", "REQUIRETLS"},    // RFC 8689 2
    {Verb::kRcpt, "RRVS", "", "RRVS"},                // RFC 7293 4
    {Verb::kMail, "SOLICIT", "", "NO-SOLICITING"},    // RFC 3865 2
    {Verb::kMail, "TRANSID", "", "CHECKPOINT"},       // RFC 1845 3
    {Verb::kMail, "MTRK", "", "MTRK"},                // RFC 3885 3
    {Verb::kMail, "SUBMITTER", "", "SUBMITTER"},      // RFC 4405 4
    {Verb::kMail, "CONPERM", "", "CONPERM"},          // RFC 4141 2
    {Verb::kRcpt, "CONNEG", "", "CONNEG"},            // RFC 4141 3
    {Verb::kMail, "PRDR", "", "PRDR"},                // Exim
    {Verb::kMail, "XVERP", "", "XVERP"},              // Postfix, VERP_README
};

/// Which EHLO keyword permits which command. VRFY, EXPN and HELP are commands of SMTP itself, which
/// need no keyword (RFC 5321 4.1.1.1).
struct CommandExtension {
  Verb verb;
  std::string_view keyword;  // of EHLO, in upper case
};

/// RFC 4954 4: a line of an AUTH exchange may have so many octets, CRLF included.
inline constexpr std::uint16_t kLongestAuthLine = 12288;

inline constexpr CommandExtension kCommandExtensions[] = {
    {Verb::kStartTls, "STARTTLS"},                             // RFC 3207
    {Verb::kAuth, "AUTH"},         {Verb::kBdat, "CHUNKING"},  // RFC 3030
    {Verb::kBurl, "BURL"},                                     // RFC 4468
    {Verb::kEtrn, "ETRN"},                                     // RFC 1985
    {Verb::kAtrn, "ATRN"},                                     // RFC 2645
    {Verb::kXclient, "XCLIENT"},                               // Postfix XCLIENT_README
    {Verb::kXforward, "XFORWARD"},                             // Postfix XFORWARD_README
    {Verb::kXexch50, "XEXCH50"},                               // Exchange, as the next
    {Verb::kXexps, "X-EXPS"},      {Verb::kXanonymousTls, "X-ANONYMOUSTLS"},
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

}  // namespace smtpscope
