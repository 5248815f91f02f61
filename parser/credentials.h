#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "parser/verb.h"

namespace smtpscope {

/// Octets [begin, end) of a text.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Where the credentials of a line begin, which reach to its end, as an offset into `line`; npos if
/// it holds none. Those of AUTH and X-EXPS stand behind the mechanism (RFC 4954 4); "=" alone, the
/// empty initial response, is none, and what stands where a mechanism should and cannot be one
/// counts as credentials. AUTH is also found where it is spelled together with something else
/// ("AUTH=PLAIN", "AUTHPLAIN"), and behind octets that no server takes for part of a word (NUL, a
/// byte order mark, what was rubbed out with backspace, a bare CR). So are the logins of POP3, IMAP
/// and NNTP, and the fields with credentials of HTTP.
std::size_t find_credentials(std::string_view line);

/// Appends the parts of a line that are credentials by what they are, in order: the token of a URL
/// in BURL (RFC 4467), and words that decode from base64 to a SASL response with its structure.
void find_credential_words(std::string_view line, std::vector<TextRange>& found);

/// The beginning of a line, not yet complete, may become one with credentials. `flags` are the
/// LineFlags of what has come.
bool may_hold_credentials(std::string_view beginning, std::uint16_t flags);

/// A whole line with this verb may hold credentials. `flags` are its LineFlags.
bool may_hold_credentials(Verb verb, std::uint16_t flags);

/// The words behind this verb are what it takes: none of them is looked at by itself.
constexpr bool is_read_as_command(Verb verb) {
  return verb != Verb::kUnknown && verb != Verb::kBurl;
}

/// The text could be a SASL response, base64 (RFC 4648 4), or one that was overwritten with '#'.
bool looks_like_response(std::string_view text);

/// What was decoded from base64 can only be a SASL response: that of PLAIN (RFC 4616), CRAM-MD5
/// (RFC 2195), DIGEST-MD5 (RFC 2831), SCRAM (RFC 5802), XOAUTH2 and OAUTHBEARER (RFC 7628), NTLM.
bool is_sasl_response(std::string_view decoded);

}  // namespace smtpscope
