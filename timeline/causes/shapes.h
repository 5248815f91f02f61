#pragma once

#include <string>
#include <string_view>

#include "timeline/causes/case.h"

namespace smtpscope {

// What several causes ask of a case.

/// The server accepted EHLO or HELO, nothing was refused, and the client left without trying a
/// login, TLS or a message.
bool left_after_hello(const Case& the_case);

/// The connection stood, and nothing came that could be a reply.
bool never_replied(const SessionState& session);

/// The same, and nothing came that could be a greeting.
bool never_greeted(const SessionState& session);

/// The client's program says of its own that something went wrong.
bool client_tells_of_errors(const Case& the_case);

/// A message was sent without MAIL and RCPT, and the server did not refuse it.
bool accepted_without_envelope(const Case& the_case);

/// The kernel of the side's host has confirmed all octets that it was sent, and the side has not
/// spoken since: what it owes its program keeps back.
bool confirmed_all(const Case& the_case, Side side);
/// What that excludes.
inline constexpr const char* kNotTheNetwork =
    "the network behind smtpscope: the server's host confirmed what it was sent (TCP)";

/// `name` is one of the words of `list`, letters alike.
bool in_list(std::string_view list, std::string_view name);

/// A server's words speak of line feeds without carriage return.
bool mentions_bare_lf(std::string_view text);

/// Of a session that the trace ends before: who owes what then, and what has come of a message.
std::string where_the_trace_ends(const Case& the_case);

}  // namespace smtpscope
