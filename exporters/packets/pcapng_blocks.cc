#include "exporters/packets/pcapng_blocks.h"

#include <algorithm>

#include "exporters/packets/big_endian.h"

namespace smtpscope {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;

constexpr std::uint32_t kByteOrderMagic = 0x1A2B3C4D;
constexpr std::uint16_t kLinkTypeRaw = 101;  // IPv4 or IPv6, told apart by the version

constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kUserApplication = 4;
constexpr std::uint16_t kInterfaceName = 2;
constexpr std::uint16_t kTimeResolution = 9;
/// An option's length has 16 bits.
constexpr std::size_t kMaxOption = 0xFFFF;

void pad(std::string& out) { out.append((4 - out.size() % 4) % 4, '\0'); }

void add_option(std::string& out, std::uint16_t code, std::string_view value) {
  if (value.empty()) return;
  value = value.substr(0, kMaxOption);
  add_16(out, code);
  add_16(out, static_cast<std::uint16_t>(value.size()));
  out += value;
  pad(out);
}

void end_options(std::string& out) { add_32(out, 0); }

/// The lengths at both ends, so that a file can be read backwards.
std::string block(std::uint32_t type, std::string_view body) {
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  std::string out;
  out.reserve(length);
  add_32(out, type);
  add_32(out, length);
  out += body;
  add_32(out, length);
  return out;
}

}  // namespace

std::string pcapng_section(std::string_view application, std::string_view comment) {
  std::string body;
  add_32(body, kByteOrderMagic);
  add_16(body, 1);  // version 1.0
  add_16(body, 0);
  add_64(body, ~std::uint64_t{0});  // the section's length is not told
  add_option(body, kComment, comment);
  add_option(body, kUserApplication, application);
  end_options(body);
  return block(kSectionHeader, body);
}

std::string pcapng_interface(std::string_view name) {
  std::string body;
  add_16(body, kLinkTypeRaw);
  add_16(body, 0);
  add_32(body, 0);  // packets are as long as they are
  add_option(body, kInterfaceName, name);
  add_option(body, kTimeResolution, "\x09");  // 10^-9 s
  end_options(body);
  return block(kInterfaceDescription, body);
}

std::string pcapng_packet(WallTime time, std::string_view octets, std::size_t original_length,
                          const std::vector<std::string>& comments) {
  std::string body;
  add_32(body, 0);  // of the one interface
  const auto ns = static_cast<std::uint64_t>(time.time_since_epoch().count());
  add_32(body, static_cast<std::uint32_t>(ns >> 32));
  add_32(body, static_cast<std::uint32_t>(ns));
  add_32(body, static_cast<std::uint32_t>(octets.size()));
  add_32(body, static_cast<std::uint32_t>(original_length));
  body += octets;
  pad(body);
  for (const std::string& comment : comments) add_option(body, kComment, comment);
  if (!comments.empty()) end_options(body);
  return block(kEnhancedPacket, body);
}

}  // namespace smtpscope
