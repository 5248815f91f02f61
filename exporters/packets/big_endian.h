#pragma once

#include <cstdint>
#include <string>

namespace smtpscope {

// Numbers as they stand in network headers: the most significant octet first.

inline void add_16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xFF);
}
inline void add_32(std::string& out, std::uint32_t value) {
  add_16(out, static_cast<std::uint16_t>(value >> 16));
  add_16(out, static_cast<std::uint16_t>(value & 0xFFFF));
}
inline void add_64(std::string& out, std::uint64_t value) {
  add_32(out, static_cast<std::uint32_t>(value >> 32));
  add_32(out, static_cast<std::uint32_t>(value & 0xFFFFFFFF));
}

}  // namespace smtpscope
