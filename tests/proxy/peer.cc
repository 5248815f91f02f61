#include "tests/proxy/peer.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tests/catch.h"

namespace smtpscope {
namespace {

constexpr auto kPatience = std::chrono::seconds(120);

socklen_t length_of(const SocketAddress& address) {
  return address.family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

SocketAddress name_of(int descriptor) {
  sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  REQUIRE(getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return SocketAddress(reinterpret_cast<const sockaddr*>(&storage));
}

void bound_receiving(int descriptor, int receive_buffer) {
  if (receive_buffer == 0) return;
  REQUIRE(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer)) ==
          0);
}

}  // namespace

Peer::Peer(int descriptor) : descriptor_(descriptor) {
  REQUIRE(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0);
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // fails on Unix sockets
}

Peer::Peer(Peer&& from) noexcept { *this = std::move(from); }

Peer& Peer::operator=(Peer&& from) noexcept {
  close();
  descriptor_ = std::exchange(from.descriptor_, -1);
  received = std::move(from.received);
  fin_seen = from.fin_seen;
  reset_seen = from.reset_seen;
  return *this;
}

Peer::~Peer() { close(); }

Peer Peer::connect(const SocketAddress& address, int receive_buffer) {
  const int descriptor = ::socket(address.family(), SOCK_STREAM, 0);
  REQUIRE(descriptor >= 0);
  bound_receiving(descriptor, receive_buffer);
  REQUIRE(::connect(descriptor, address.get(), length_of(address)) == 0);
  return Peer(descriptor);
}

std::size_t Peer::send_some(std::string_view octets) {
  const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  REQUIRE(errno == EAGAIN);
  return 0;
}

void Peer::send(std::string_view octets) { REQUIRE(send_some(octets) == octets.size()); }

void Peer::read(std::size_t most) {
  std::array<char, 65536> buffer;
  while (most > 0 && is_open() && !fin_seen && !reset_seen) {
    const ssize_t count = ::recv(descriptor_, buffer.data(), std::min(most, buffer.size()), 0);
    if (count > 0) {
      received.append(buffer.data(), static_cast<std::size_t>(count));
      most -= static_cast<std::size_t>(count);
    } else if (count == 0) {
      fin_seen = true;
    } else if (errno == ECONNRESET || errno == EPIPE) {
      reset_seen = true;
    } else {
      REQUIRE(errno == EAGAIN);
      return;
    }
  }
}

void Peer::finish() { REQUIRE(::shutdown(descriptor_, SHUT_WR) == 0); }

void Peer::reset() {
  const linger now{1, 0};
  REQUIRE(setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
  close();
}

void Peer::close() {
  if (is_open()) ::close(std::exchange(descriptor_, -1));
}

bool Peer::is_reset() const {
  pollfd state{descriptor_, 0, 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & POLLERR) != 0;
}

SocketAddress Peer::own_address() const { return name_of(descriptor_); }

PeerListener PeerListener::tcp(const std::string& host, std::uint16_t port, int backlog) {
  const auto address = SocketAddress::from_numeric(host, port);
  REQUIRE(address);
  const int descriptor = ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK, 0);
  REQUIRE(descriptor >= 0);
  REQUIRE(::bind(descriptor, address->get(), length_of(*address)) == 0);
  REQUIRE(::listen(descriptor, backlog) == 0);
  return PeerListener(descriptor);
}

PeerListener PeerListener::local(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  REQUIRE(descriptor >= 0);
  REQUIRE(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(::listen(descriptor, 16) == 0);
  return PeerListener(descriptor);
}

PeerListener::~PeerListener() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

SocketAddress PeerListener::address() const { return name_of(descriptor_); }

Peer PeerListener::accept(int receive_buffer) {
  const int descriptor = ::accept(descriptor_, nullptr, nullptr);
  if (descriptor < 0) {
    REQUIRE(errno == EAGAIN);
    return {};
  }
  bound_receiving(descriptor, receive_buffer);
  return Peer(descriptor);
}

void run_until(Loop& loop, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    loop.run_ready();
    if (done()) return;
    if (std::chrono::steady_clock::now() > deadline) FAIL("what the test waits for did not come");
    // Woken by the loop's events; the timeout is for its timers and for the test's own sockets.
    pollfd wake{loop.descriptor(), POLLIN, 0};
    ::poll(&wake, 1, 2);
  }
}

}  // namespace smtpscope
