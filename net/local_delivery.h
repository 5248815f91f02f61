#pragma once

#include <cstdint>

namespace smtpscope {

enum class LocalDelivery : std::uint8_t {
  kYes,
  kNo,
  kUnknown,  // the kernel did not say
};

/// Whether a packet with that firewall mark and the address of another host is delivered on this
/// one: what a tproxy rule needs (`ip rule add fwmark 1 lookup 100`, `ip route add local default
/// dev lo table 100`). Without it, its clients hang. `family`: AF_INET or AF_INET6. Asks the
/// kernel.
LocalDelivery delivers_locally(int family, std::uint32_t mark);

}  // namespace smtpscope
