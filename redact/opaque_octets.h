#pragma once

#include <string>
#include <string_view>

#include "parser/item.h"
#include "redact/pseudonyms.h"

namespace smtpscope {

// Octets that are no text: as many of them, without what they may tell of anyone.

/// `octets` from offset `at` of a TLS record: its header, the type of its handshake message, its
/// alert and a ServerHello stay; the rest, in which a ClientHello has the server's name and a
/// certificate its owner's, becomes zeros.
std::string redact_tls_record(const TlsRecord& record, std::uint64_t at, std::string_view octets);

/// A PROXY header of version 2 (haproxy's doc/proxy-protocol.txt 2.2): its addresses are replaced,
/// what stands behind them becomes zeros.
std::string redact_proxy_header(Pseudonyms& names, std::string_view octets);

}  // namespace smtpscope
