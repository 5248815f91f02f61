#include "exporters/packets/tcp_packets.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "exporters/packets/big_endian.h"

namespace smtpscope {
namespace {

constexpr std::size_t kIpv4Octets = 4, kIpv6Octets = 16;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kHopLimit = 64;

enum TcpFlag : std::uint8_t { kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10 };

/// MSS and window scale (RFC 7323 2.2): 65535 << 14 octets may be under way.
constexpr std::string_view kSynOptions{"\x02\x04\xFF\xC4\x01\x03\x03\x0E", 8};

/// One's complement sum of 16-bit words (RFC 1071).
std::uint32_t sum_of(std::string_view octets, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(octets[i])) << 8;
    if (i + 1 < octets.size()) sum += static_cast<unsigned char>(octets[i + 1]);
    sum = (sum & 0xFFFF) + (sum >> 16);
  }
  return sum;
}

void put_16(std::string& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value & 0xFF);
}

std::uint16_t complement(std::uint32_t sum) { return static_cast<std::uint16_t>(~sum & 0xFFFF); }

/// RFC 791 3.1.
std::string ipv4_header(const PacketAddress& from, const PacketAddress& to, std::size_t payload,
                        std::uint16_t identification) {
  std::string out;
  out += '\x45';  // version 4, five words
  out += '\0';
  add_16(out, static_cast<std::uint16_t>(20 + payload));
  add_16(out, identification);
  add_16(out, 0x4000);  // do not fragment
  out += static_cast<char>(kHopLimit);
  out += static_cast<char>(kTcp);
  add_16(out, 0);
  out += from.octets;
  out += to.octets;
  put_16(out, 10, complement(sum_of(out)));
  return out;
}

/// RFC 8200 3.
std::string ipv6_header(const PacketAddress& from, const PacketAddress& to, std::size_t payload) {
  std::string out;
  add_32(out, 0x60000000);
  add_16(out, static_cast<std::uint16_t>(payload));
  out += static_cast<char>(kTcp);
  out += static_cast<char>(kHopLimit);
  out += from.octets;
  out += to.octets;
  return out;
}

/// A made-up address of that version: 192.0.2.1, 2001:db8::1 (RFC 5737, RFC 3849).
std::string documentation_address(std::size_t octets, char last) {
  std::string address =
      octets == kIpv4Octets ? std::string("\xC0\x00\x02", 3) : std::string("\x20\x01\x0D\xB8", 4);
  address.resize(octets - 1);
  return address + last;
}

}  // namespace

bool PacketAddress::read(std::string_view text, PacketAddress& into) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view port = text.substr(colon + 1);
  std::string host(text.substr(0, colon));
  const char* const end = port.data() + port.size();
  const auto [rest, fault] = std::from_chars(port.data(), end, into.port);
  if (port.empty() || fault != std::errc{} || rest != end) return false;
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));  // a scope is not in the packet
  into.octets.resize(brackets ? kIpv6Octets : kIpv4Octets);
  return inet_pton(brackets ? AF_INET6 : AF_INET, host.c_str(), into.octets.data()) == 1;
}

TcpPackets::TcpPackets(std::string_view client, std::string_view server, std::string_view listener,
                       SessionId session) {
  PacketAddress& a = sides_[index(Side::kClient)].address;
  PacketAddress& b = sides_[index(Side::kServer)].address;
  if (!PacketAddress::read(client, a)) {
    made_up_ = true;
    a = {documentation_address(kIpv4Octets, 1), static_cast<std::uint16_t>(1024 + session % 60000)};
  }
  // The client has spoken to the listener, so these two are always of one version.
  const auto fits = [&](std::string_view text) {
    return PacketAddress::read(text, b) && b.octets.size() == a.octets.size();
  };
  if (!fits(server) && !fits(listener)) {
    made_up_ = true;
    constexpr std::uint16_t kSmtp = 25;
    b = {documentation_address(a.octets.size(), 2), kSmtp};
  }
}

std::uint32_t TcpPackets::sequence(Side side) const {
  const End& end = sides_[index(side)];
  // The SYN and the FIN take a number each (RFC 9293 3.4).
  return static_cast<std::uint32_t>(1 + end.sent + (end.finished ? 1 : 0));
}

TcpPacket TcpPackets::packet(Side from, std::uint8_t flags, std::string_view payload,
                             std::size_t on_wire, bool begins) {
  End& sender = sides_[index(from)];
  End& receiver = sides_[index(other(from))];
  std::string tcp;
  add_16(tcp, sender.address.port);
  add_16(tcp, receiver.address.port);
  add_32(tcp, begins ? 0 : sequence(from));
  const bool acknowledges = (flags & kAck) != 0;
  add_32(tcp, acknowledges ? sequence(other(from)) : 0);
  if (acknowledges) receiver.acknowledged = receiver.sent;
  const std::string_view options = begins ? kSynOptions : std::string_view();
  tcp += static_cast<char>((20 + options.size()) / 4 << 4);
  tcp += static_cast<char>(flags);
  add_16(tcp, 0xFFFF);  // window
  add_16(tcp, 0);       // checksum
  add_16(tcp, 0);       // urgent pointer
  tcp += options;
  const std::size_t length = tcp.size() + on_wire;

  std::string pseudo = sender.address.octets + receiver.address.octets;
  if (sender.address.octets.size() == kIpv4Octets) {
    add_16(pseudo, kTcp);
    add_16(pseudo, static_cast<std::uint16_t>(length));
  } else {
    add_32(pseudo, static_cast<std::uint32_t>(length));
    add_32(pseudo, kTcp);
  }
  // Octets that were left out count as zero, which is all that can be done for them.
  put_16(tcp, 16, complement(sum_of(payload, sum_of(tcp, sum_of(pseudo)))));

  TcpPacket made;
  made.octets = sender.address.octets.size() == kIpv4Octets
                    ? ipv4_header(sender.address, receiver.address, length, sender.packets++)
                    : ipv6_header(sender.address, receiver.address, length);
  made.octets += tcp;
  made.original_length = made.octets.size() + on_wire;
  made.octets += payload;
  made.from = from;
  return made;
}

TcpPacket TcpPackets::syn() { return packet(Side::kClient, kSyn, {}, 0, true); }

TcpPacket TcpPackets::syn_ack() { return packet(Side::kServer, kSyn | kAck, {}, 0, true); }

TcpPacket TcpPackets::established() { return packet(Side::kClient, kAck, {}, 0, false); }

TcpPacket TcpPackets::data(Side from, std::string_view octets, std::size_t octets_on_wire) {
  TcpPacket made = packet(from, kPsh | kAck, octets, octets_on_wire, false);
  sides_[index(from)].sent += octets_on_wire;
  return made;
}

void TcpPackets::skip(Side from, std::uint64_t octets) { sides_[index(from)].sent += octets; }

TcpPacket TcpPackets::fin(Side from) {
  TcpPacket made = packet(from, kFin | kAck, {}, 0, false);
  sides_[index(from)].finished = true;
  return made;
}

TcpPacket TcpPackets::reset(Side from) { return packet(from, kRst | kAck, {}, 0, false); }

bool TcpPackets::must_acknowledge(Side from) const {
  const End& sender = sides_[index(from)];
  return sender.sent - sender.acknowledged >= kWindow;
}

TcpPacket TcpPackets::acknowledge(Side from) { return packet(other(from), kAck, {}, 0, false); }

}  // namespace smtpscope
