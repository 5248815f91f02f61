#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "parser/verb.h"

namespace smtpscope {

/// A command line taken apart at its first white space (SP or HT). White space before the verb is
/// tolerated, as servers do.
struct CommandWords {
  std::string_view word;
  std::string_view arguments;  // behind the word and the white space after it
};
CommandWords split_command(std::string_view line);

/// The line begins like a header field of a message (RFC 5322 2.2): a name and a colon. No command
/// does, and no SASL response: base64 has no colon.
bool begins_header_field(std::string_view line);

/// The argument of BDAT (RFC 3030 2): a size, and LAST on the last chunk.
struct ChunkArgument {
  std::uint64_t octets = 0;
  bool last = false;
};
/// Empty when malformed: no number, too large a number, anything else behind it.
std::optional<ChunkArgument> parse_chunk_argument(std::string_view arguments);

/// The size of the blob that XEXCH50 announces: its first argument. Empty when malformed.
std::optional<std::uint64_t> parse_blob_size(std::string_view arguments);

/// The line is a PROXY protocol header, version 1, as haproxy's doc/proxy-protocol.txt 2.1
/// defines it; `local` is set when it names no addresses ("UNKNOWN"). `octets` is its length with
/// the CRLF, at most 107.
bool is_proxy_header(std::string_view line, std::uint64_t octets, bool& local);

}  // namespace smtpscope
