#include "timeline/filter/host_pattern.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>

#include "base/ascii.h"

namespace smtpscope {
namespace {

std::string in_bits(const std::uint8_t* octets, std::size_t count) {
  std::string bits;
  for (std::size_t i = 0; i < count * 8; ++i) {
    bits += (octets[i / 8] >> (7 - i % 8) & 1) != 0 ? '1' : '0';
  }
  return bits;
}

/// The bits of an IPv4 or IPv6 address; "" if it is none.
std::string bits_of(std::string_view address) {
  const std::string text(address);
  std::array<std::uint8_t, 16> octets{};
  if (inet_pton(AF_INET, text.c_str(), octets.data()) == 1) return in_bits(octets.data(), 4);
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return in_bits(octets.data(), 16);
  return {};
}

std::string_view host_part(std::string_view address) {
  if (address.starts_with('[')) return address.substr(1, address.find(']') - 1);
  const std::size_t colon = address.find(':');
  if (colon == std::string_view::npos || address.find(':', colon + 1) != std::string_view::npos) {
    return address;
  }
  const std::string_view port = address.substr(colon + 1);
  const bool is_port = !port.empty() && port.find_first_not_of("0123456789") == port.npos;
  return is_port ? address.substr(0, colon) : address;
}

}  // namespace

HostPattern::HostPattern(std::string_view text) : name_(text, TextPattern::Where::kPartOrWhole) {}

std::optional<HostPattern> HostPattern::read(std::string_view text) {
  HostPattern pattern(text);
  const std::size_t slash = text.rfind('/');
  pattern.bits_ = bits_of(text.substr(0, slash));
  pattern.length_ = pattern.bits_.size();
  if (slash == std::string_view::npos) return pattern;
  const std::string_view digits = text.substr(slash + 1);
  if (pattern.bits_.empty() || digits.empty() || digits.size() > 3 ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t length = std::stoul(std::string(digits));
  if (length > pattern.length_) return std::nullopt;
  pattern.bits_.resize(length);
  return pattern;
}

bool HostPattern::matches(std::string_view address) const {
  const std::string_view host = host_part(address);
  if (length_ == 0) return name_.matches(host);
  const std::string bits = bits_of(host);
  return bits.size() == length_ && bits.starts_with(bits_);
}

}  // namespace smtpscope
