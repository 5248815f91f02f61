#include "tests/ends/party.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "base/octets.h"

namespace smtpscope::ends {

void Digest::add(std::string_view octets) {
  for (const char octet : octets) {
    value_ = (value_ ^ static_cast<unsigned char>(octet)) * 0x100000001b3ULL;
  }
  octets_ += octets.size();
}

void Party::attach(int descriptor, int epoll, std::uint64_t tag, TlsService* tls, bool server) {
  descriptor_ = descriptor;
  epoll_ = epoll;
  tag_ = tag;
  attached_ = true;
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  epoll_event event{};
  event.events = events_ = EPOLLIN;
  event.data.u64 = tag_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor_, &event);
  if (tls == nullptr) return;
  tls_ = tls;
  channel_ = server ? tls->to_client() : tls->to_server(nullptr);
  if (server) return;
  channel_->start();
  send_tls();
}

bool Party::open() const {
  return channel_ == nullptr || channel_->stage() == TlsChannel::Stage::kOpen ||
         channel_->stage() == TlsChannel::Stage::kClosed;
}

void Party::send_tls() {
  to_say_ += text_of(channel_->outgoing());
  channel_->outgoing_taken();
  write();
}

void Party::take(std::string_view octets) {
  if (channel_ == nullptr) {
    heard_.add(octets);
    return;
  }
  channel_->receive(octets_of(octets));
  if (channel_->stage() == TlsChannel::Stage::kHello) {
    channel_->answer(tls_->answer(channel_->hello(), nullptr));
  }
  std::array<std::uint8_t, 16384> plain;
  while (const std::size_t size = channel_->read(plain)) {
    heard_.add(text_of(std::span(plain).first(size)));
  }
  send_tls();
}

void Party::update() {
  if (gone()) return;
  // Errors and hang-ups are reported in any case; a FIN that was read would be again and again.
  std::uint32_t events = 0;
  if (listening_ && seen_ == Sight::kNothing) events |= EPOLLIN;
  if (at_ < to_say_.size()) events |= EPOLLOUT;
  if (events == events_) return;
  epoll_event event{};
  event.events = events_ = events;
  event.data.u64 = tag_;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor_, &event);
}

void Party::listen(bool on) {
  listening_ = on;
  update();
}

void Party::read(std::size_t most) {
  std::array<char, 65536> buffer;
  while (most > 0 && !gone() && seen_ == Sight::kNothing) {
    const ssize_t count = ::recv(descriptor_, buffer.data(), std::min(most, buffer.size()), 0);
    if (count > 0) {
      take({buffer.data(), static_cast<std::size_t>(count)});
      most -= static_cast<std::size_t>(count);
    } else if (count == 0) {
      const bool cut = channel_ != nullptr && channel_->stage() != TlsChannel::Stage::kClosed;
      seen_ = cut ? Sight::kCut : Sight::kFin;
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      seen_ = Sight::kReset;
    }
  }
  update();
}

bool Party::write() {
  while (!gone() && at_ < to_say_.size()) {
    const ssize_t count =
        ::send(descriptor_, to_say_.data() + at_, to_say_.size() - at_, MSG_NOSIGNAL);
    if (count < 0) break;  // full; or broken, which reading tells
    at_ += static_cast<std::size_t>(count);
  }
  const bool all = at_ == to_say_.size();
  if (all) {
    to_say_.clear();
    at_ = 0;
  }
  update();
  return all;
}

void Party::say(const std::string& octets) {
  told_.add(octets);
  if (channel_ == nullptr) {
    to_say_ += octets;
    write();
    return;
  }
  channel_->write(octets_of(octets));
  send_tls();
}

void Party::notify() {
  if (channel_ == nullptr) return;
  channel_->finish();  // once, however often it is asked
  send_tls();
}

void Party::finish() { ::shutdown(descriptor_, SHUT_WR); }

void Party::close() {
  if (!gone()) ::close(std::exchange(descriptor_, -1));
}

void Party::reset() {
  const linger now{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close();
}

bool Party::out() const {
  int unsent = 0;
  return gone() || ::ioctl(descriptor_, SIOCOUTQNSD, &unsent) != 0 || unsent == 0;
}

std::size_t Party::unread() const {
  int octets = 0;
  return ::ioctl(descriptor_, FIONREAD, &octets) == 0 ? static_cast<std::size_t>(octets) : 0;
}

void Party::look() {
  if (gone() || seen_ != Sight::kFin) return;
  pollfd state{descriptor_, 0, 0};
  if (::poll(&state, 1, 0) == 1 && (state.revents & POLLERR) != 0) seen_ = Sight::kFinReset;
}

}  // namespace smtpscope::ends
