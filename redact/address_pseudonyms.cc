#include "redact/address_pseudonyms.h"

#include <arpa/inet.h>

#include <algorithm>

namespace smtpscope {
namespace {

constexpr std::uint32_t kHosts = 254;  // of each range: .1 to .254
constexpr std::uint32_t kDocumented = 3 * kHosts;
constexpr std::uint32_t kBenchmarks = 1U << 17;  // of 198.18.0.0/15

NumericAddress v4_address(std::uint32_t number) {
  NumericAddress address;
  address.v4 = true;
  address.octets[10] = address.octets[11] = 0xff;
  for (std::size_t i = 0; i < 4; ++i) {
    address.octets[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}

NumericAddress documented(std::uint32_t slot) {
  constexpr std::array<std::uint32_t, 3> kRanges = {0xc0000200, 0xc6336400, 0xcb007100};
  return v4_address(kRanges[slot / kHosts] + slot % kHosts + 1);
}

bool stays(const NumericAddress& address) {
  const auto& octets = address.octets;
  if (address.v4) {
    return octets[12] == 127 || std::all_of(octets.begin() + 12, octets.end(),
                                            [](std::uint8_t octet) { return octet == 0; });
  }
  return std::all_of(octets.begin(), octets.end() - 1,
                     [](std::uint8_t octet) { return octet == 0; }) &&
         octets[15] <= 1;
}

std::string_view octets_in(const NumericAddress& address) {
  return {reinterpret_cast<const char*>(address.octets.data()), address.octets.size()};
}

}  // namespace

std::optional<NumericAddress> read_ip_address(std::string_view text) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  NumericAddress address = v4_address(0);
  if (inet_pton(AF_INET, terminated.c_str(), address.octets.data() + 12) == 1) return address;
  address = {};
  if (inet_pton(AF_INET6, terminated.c_str(), address.octets.data()) != 1) return std::nullopt;
  // RFC 4291 2.5.5.2: the IPv4 address, in another spelling.
  const NumericAddress mapped = v4_address(0);
  address.v4 =
      std::equal(address.octets.begin(), address.octets.begin() + 12, mapped.octets.begin());
  return address;
}

std::string to_string(const NumericAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.v4 ? AF_INET : AF_INET6;
  const std::uint8_t* const octets = address.octets.data() + (address.v4 ? 12 : 0);
  return inet_ntop(family, octets, text.data(), text.size()) == nullptr ? std::string()
                                                                        : std::string(text.data());
}

NumericAddress AddressPseudonyms::of(const NumericAddress& original) {
  if (stays(original)) return original;
  if (const auto known = chosen_.find(original); known != chosen_.end()) return known->second;
  const NumericAddress chosen = original.v4 ? choose_v4(original) : choose_v6(original);
  chosen_.emplace(original, chosen);
  taken_.insert(chosen);
  return chosen;
}

bool AddressPseudonyms::is_free(const NumericAddress& candidate) const {
  return !taken_.contains(candidate) && (known_ == nullptr || !known_->knows(to_string(candidate)));
}

NumericAddress AddressPseudonyms::choose_v4(const NumericAddress& original) {
  const std::uint64_t wanted = hash_.number_of({"v4", octets_in(original)});
  // Any step that shares no factor with 762 visits all of them.
  constexpr std::uint32_t kStep = 253;
  auto slot = static_cast<std::uint32_t>(wanted % kDocumented);
  for (std::uint32_t tried = 0; tried < kDocumented; ++tried) {
    const NumericAddress candidate = documented(slot);
    if (is_free(candidate)) {
      if (tried > 0) ++moved_;
      return candidate;
    }
    slot = (slot + kStep) % kDocumented;
  }
  ++moved_;
  const auto start = static_cast<std::uint32_t>(wanted >> 32 & (kBenchmarks - 1));
  for (std::uint32_t tried = 0; tried < kBenchmarks; ++tried) {
    const NumericAddress candidate = v4_address(0xc6120000 + (start + tried) % kBenchmarks);
    if (is_free(candidate)) return candidate;
  }
  return v4_address(0xc6120000 + start);  // more addresses than anyone has seen in a capture
}

NumericAddress AddressPseudonyms::choose_v6(const NumericAddress& original) {
  // "2001:db8::" and groups of four digits, as many as make it about as long.
  constexpr std::size_t kPrefix = 10;
  const std::size_t length = to_string(original).size();
  const std::size_t groups =
      std::clamp<std::size_t>((std::max(length, kPrefix) - kPrefix + 5) / 5, 1, 6);
  for (char attempt = 0;; ++attempt) {
    HashStream stream(hash_, hash_.of({"v6", octets_in(original), std::string_view(&attempt, 1)}));
    NumericAddress candidate;
    candidate.octets = {0x20, 0x01, 0x0d, 0xb8};
    for (std::size_t at = 16 - 2 * groups; at < 16; at += 2) {
      candidate.octets[at] = static_cast<std::uint8_t>(0x10 + stream.below(0xf0));
      candidate.octets[at + 1] = stream.octet();
    }
    constexpr char kMostAttempts = 100;
    if (is_free(candidate) || attempt == kMostAttempts) {
      if (attempt > 0) ++moved_;
      return candidate;
    }
  }
}

}  // namespace smtpscope
