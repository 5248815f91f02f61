#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "redact/keyed_hash.h"
#include "redact/originals.h"

namespace smtpscope {

/// An IPv4 or IPv6 address; of the first the last four octets count, behind ::ffff:.
struct NumericAddress {
  std::array<std::uint8_t, 16> octets{};
  bool v4 = false;

  bool operator==(const NumericAddress&) const = default;
  bool operator<(const NumericAddress& other) const {
    return v4 != other.v4 ? other.v4 : octets < other.octets;
  }
};

std::optional<NumericAddress> read_ip_address(std::string_view text);
std::string to_string(const NumericAddress& address);

/// Gives addresses out of the ranges for documentation: IPv4 from 192.0.2.0/24, 198.51.100.0/24 and
/// 203.0.113.0/24 (RFC 5737), IPv6 from 2001:db8::/32 (RFC 3849), about as long as the original.
/// Loopback and unspecified addresses stay, because findings depend on them.
///
/// The key says which; no two addresses of one run get the same. RFC 5737 has room for 762
/// addresses: when the one that the key says is taken, another is. What is more than 762 comes from
/// 198.18.0.0/15 (RFC 2544), which is nobody's either.
class AddressPseudonyms {
 public:
  /// No pseudonym is one of `known`, which may be nullptr.
  AddressPseudonyms(KeyedHash& hash, const Originals* known) : hash_(hash), known_(known) {}

  NumericAddress of(const NumericAddress& original);

  /// Addresses that did not get what the key says: another file may show another for them.
  std::uint64_t moved() const { return moved_; }

 private:
  NumericAddress choose_v4(const NumericAddress& original);
  NumericAddress choose_v6(const NumericAddress& original);
  bool is_free(const NumericAddress& candidate) const;

  KeyedHash& hash_;
  const Originals* known_;
  std::map<NumericAddress, NumericAddress> chosen_;
  std::set<NumericAddress> taken_;
  std::uint64_t moved_ = 0;
};

}  // namespace smtpscope
