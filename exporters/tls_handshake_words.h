#pragma once

#include <string>
#include <vector>

#include "capture/wire_event.h"

namespace smtpscope {

/// A TLS handshake of smtpscope's own in one line of words.
std::string tls_words(const TlsHandshake& handshake);

/// What is to be said besides, a line each: the certificates, what was offered, what differs
/// between both sides. `all`: more than the reader asked for by default.
std::vector<std::string> tls_details(const TlsHandshake& handshake, bool all);

}  // namespace smtpscope
