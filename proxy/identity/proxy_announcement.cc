#include "proxy/identity/proxy_announcement.h"

#include <utility>

#include "base/octets.h"
#include "proxy/aside.h"

namespace smtpscope {

void ProxyAnnouncement::handle(Time now, const UpstreamReady& ready) {
  announce();
  inner().handle(now, ready);
  if (observer_ == nullptr || given_up_) return;
  observer_->feed(WireEvent{session_, now, said_aside(Side::kClient, header_)});
}

Outward::Sent ProxyAnnouncement::send_to(Side to, std::span<const std::uint8_t> octets) {
  // Before the server is there, what a client says early is queued; the header goes in front of it.
  if (to == Side::kServer) announce();
  return outer().send_to(to, octets);
}

void ProxyAnnouncement::close(Side side, bool reset) {
  given_up_ = given_up_ || side == Side::kServer;
  outer().close(side, reset);
}

/// In one write: Postfix takes a header that comes in two segments for none.
void ProxyAnnouncement::announce() {
  if (std::exchange(announced_, true)) return;
  outer().send_to(Side::kServer, octets_of(header_));
}

}  // namespace smtpscope
