#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smtpscope {

/// "1 octet", "213 octets", "2 addresses", "2 replies".
inline std::string counted(std::uint64_t count, std::string_view thing) {
  std::string text = std::to_string(count);
  text += ' ';
  text += thing;
  if (count == 1) return text;
  const bool changes = thing.ends_with('y') && !thing.ends_with("ay");
  if (changes) text.pop_back();
  text += changes ? "ies" : thing.ends_with('s') ? "es" : "s";
  return text;
}

}  // namespace smtpscope
