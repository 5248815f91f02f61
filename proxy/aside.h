#pragma once

#include <string_view>

#include "base/octets.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// What smtpscope says to the server on its own account (`from` the client's side), or the server
/// to that: no part of the client's dialogue. Valid as long as `text` is.
inline Bytes said_aside(Side from, std::string_view text) {
  Bytes bytes;
  bytes.from = from;
  bytes.head = octets_of(text);
  bytes.by_proxy = from == Side::kClient;
  bytes.aside = true;
  return bytes;
}

}  // namespace smtpscope
