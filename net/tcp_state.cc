#include "net/tcp_state.h"

#include <linux/sockios.h>
// Not netinet/tcp.h, whose tcp_info ends before the newer members; the two cannot be had together.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace smtpscope {
namespace {

/// The states of a connection to which we have sent a FIN that is not confirmed (RFC 9293 3.3.2),
/// as the kernel numbers them (its include/net/tcp_states.h, which programs cannot have).
constexpr std::array<int, 3> kFinUnconfirmed = {4, 9, 11};  // FIN-WAIT-1, LAST-ACK, CLOSING

/// Of an older kernel the newer members stay 0.
std::optional<tcp_info> info_of(int descriptor) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  return info;
}

}  // namespace

std::optional<TcpFigures> tcp_figures(int descriptor) {
  const std::optional<tcp_info> info = info_of(descriptor);
  if (!info) return std::nullopt;
  // Both kinds together, from what the peer has confirmed to what was written last.
  int queued = 0;
  if (::ioctl(descriptor, SIOCOUTQ, &queued) != 0) queued = 0;
  auto all = static_cast<std::uint64_t>(std::max(queued, 0));
  std::uint64_t unsent = info->tcpi_notsent_bytes;
  // A FIN counts as an octet, the last one.
  if (std::ranges::find(kFinUnconfirmed, info->tcpi_state) != kFinUnconfirmed.end()) {
    if (all > 0) --all;
    if (unsent > 0) --unsent;
  }
  TcpFigures figures;
  figures.unsent = std::min(unsent, all);
  figures.unconfirmed = all - figures.unsent;
  figures.sent_again = info->tcpi_retransmits;
  figures.probes = info->tcpi_probes;
  figures.segment = info->tcpi_snd_mss;
  figures.out_of_order = info->tcpi_rcv_ooopack;
  figures.unheard = std::chrono::milliseconds(info->tcpi_last_ack_recv);
  return figures;
}

std::optional<Duration> tcp_round_trip(int descriptor) {
  const std::optional<tcp_info> info = info_of(descriptor);
  if (!info || info->tcpi_rtt == 0) return std::nullopt;
  return std::chrono::microseconds(info->tcpi_rtt);
}

}  // namespace smtpscope
