#include "redact/opaque_octets.h"

#include <algorithm>

#include "parser/tls_messages.h"

namespace smtpscope {
namespace {

constexpr std::size_t kRecordHeader = 5;     // RFC 8446 5.1
constexpr std::size_t kHandshakeHeader = 4;  // type and length (RFC 8446 4)
constexpr std::size_t kAlert = 2;            // RFC 8446 6

/// What a server chose (RFC 8446 4.1.3) tells nothing of anyone, and what is read behind it depends
/// on it. Where something else shares its record, it goes with that.
bool holds_only_server_hello(const TlsRecord& record) {
  constexpr std::uint8_t kServerHello = 2;
  const TlsMessages* messages = record.messages;
  return messages != nullptr && record.handshake_type == kServerHello && messages->count == 1 &&
         !messages->goes_on;
}

std::size_t telling_octets(const TlsRecord& record) {
  if (holds_only_server_hello(record)) return kRecordHeader + record.length;
  if (record.handshake_type != 0) return kRecordHeader + kHandshakeHeader;
  if (record.alert_level != 0 || record.alert_description != 0) return kRecordHeader + kAlert;
  return kRecordHeader;
}

void replace_address(Pseudonyms& names, std::string& octets, std::size_t at, bool v4) {
  NumericAddress address;
  address.v4 = v4;
  if (v4) address.octets[10] = address.octets[11] = 0xff;
  const std::size_t size = v4 ? 4 : 16;
  if (octets.size() < at + size) return;
  const auto begin = octets.begin() + static_cast<std::ptrdiff_t>(at);
  std::transform(begin, begin + static_cast<std::ptrdiff_t>(size),
                 address.octets.end() - static_cast<std::ptrdiff_t>(size),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  const NumericAddress chosen = names.address(address);
  std::transform(chosen.octets.end() - static_cast<std::ptrdiff_t>(size), chosen.octets.end(),
                 begin, [](std::uint8_t octet) { return static_cast<char>(octet); });
}

}  // namespace

std::string redact_tls_record(const TlsRecord& record, std::uint64_t at, std::string_view octets) {
  std::string result(octets.size(), '\0');
  const std::size_t stays = telling_octets(record);
  if (at < stays) {
    const std::string_view kept = octets.substr(0, stays - static_cast<std::size_t>(at));
    std::ranges::copy(kept, result.begin());
  }
  return result;
}

std::string redact_proxy_header(Pseudonyms& names, std::string_view octets) {
  constexpr std::size_t kFixedPart = 16;
  constexpr std::size_t kFamily = 13;
  std::string result(octets.substr(0, kFixedPart));
  if (octets.size() <= kFixedPart) return result;
  const int family = static_cast<unsigned char>(octets[kFamily]) >> 4;
  const bool v4 = family == 1;
  const std::size_t address = v4 ? 4 : 16;
  const std::size_t known = v4 || family == 2 ? 2 * address + 4 : 0;  // both, and their ports
  const std::string_view addresses = octets.substr(kFixedPart, known);
  result += addresses;
  if (addresses.size() == known && known > 0) {
    replace_address(names, result, kFixedPart, v4);
    replace_address(names, result, kFixedPart + address, v4);
  } else {
    std::fill(result.begin() + kFixedPart, result.end(), '\0');
  }
  result.resize(octets.size(), '\0');
  return result;
}

}  // namespace smtpscope
