#include "net/dialer.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <utility>

namespace smtpscope {
namespace {

/// Addresses whose failures are told one by one.
constexpr std::uint32_t kToldFailures = 4;

/// Gives the connection a socket that is bound to an address which is not this host's. A fault of
/// libuv, or 0.
int open_as(Connection& connection, const SocketAddress& client, int family) {
  SocketAddress source = client.unmapped();
  if (source.family() != family) return UV_EAFNOSUPPORT;
  source.set_port(0);
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return uv_translate_sys_error(errno);
  const int on = 1;
  const bool six = family == AF_INET6;
  const bool transparent =
      six ? ::setsockopt(descriptor, SOL_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) == 0
          : ::setsockopt(descriptor, SOL_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0;
  const socklen_t length = six ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (!transparent || ::bind(descriptor, source.get(), length) != 0) {
    const int fault = uv_translate_sys_error(errno);
    ::close(descriptor);
    return fault;
  }
  const int fault = uv_tcp_open(connection.tcp(), descriptor);
  if (fault != 0) ::close(descriptor);
  return fault;
}

}  // namespace

/// libuv's request to connect; it outlives an attempt that was given up.
struct Dialer::Request {
  uv_connect_t request;
  Dialer* dialer;
};

Dialer::Dialer(Loop& loop, Resolver* resolver, const Endpoint& endpoint, Duration timeout,
               const OwnListeners* own, DialerEvents& events)
    : loop_(loop),
      resolver_(resolver),
      endpoint_(endpoint),
      timeout_(timeout),
      own_(own),
      events_(events) {
  assert(endpoint.kind == Endpoint::Kind::kUnix ||
         (endpoint.kind == Endpoint::Kind::kTcp && resolver != nullptr));
}

Dialer::~Dialer() {
  if (request_ != nullptr) request_->dialer = nullptr;
  if (resolver_ != nullptr) resolver_->forget(*this);
}

void Dialer::start() {
  begun_ = loop_.now();
  if (endpoint_.kind == Endpoint::Kind::kUnix) {
    attempt_ = Connection::make(loop_, Connection::Transport::kUnix);
    request_ = new Request{{}, this};
    request_->request.data = request_;
    uv_pipe_connect(&request_->request, attempt_->pipe(), endpoint_.path.c_str(), on_uv_connected);
    return;
  }
  if (Addresses addresses = resolver_->ask(*this)) on_resolved(addresses);
}

void Dialer::on_resolved(const Addresses& addresses) {
  addresses_ = addresses;
  try_next();
}

void Dialer::on_not_resolved(std::string_view reason) {
  events_.on_unreachable(fmt::format("{}: {}", endpoint_.text(), reason));
}

void Dialer::try_next() {
  while (next_ < addresses_->size()) {
    const SocketAddress& address = (*addresses_)[next_];
    if (own_ != nullptr && own_->reached_by(address) != nullptr) {
      note_failure("that is where smtpscope itself listens");
      continue;
    }
    attempt_ = Connection::make(loop_, Connection::Transport::kTcp);
    if (speaks_from_) {
      if (const int fault = open_as(*attempt_, *speaks_from_, address.family()); fault != 0) {
        attempt_.reset();
        note_failure(fmt::format("cannot speak from the client's address {}: {}",
                                 speaks_from_->host(), uv_strerror(fault)));
        continue;
      }
    }
    request_ = new Request{{}, this};
    request_->request.data = request_;
    const int fault =
        uv_tcp_connect(&request_->request, attempt_->tcp(), address.get(), on_uv_connected);
    if (fault == 0) {
      if (!timer_) timer_ = Timer::calling<&Dialer::on_timeout>(loop_, this);
      timer_->start_once(timeout_);
      return;
    }
    delete std::exchange(request_, nullptr);
    attempt_.reset();
    note_failure(uv_strerror(fault));
  }
  const std::string reason = failed_ == 1 ? fmt::format("{}: {}", endpoint_.text(), failures_)
                                          : fmt::format("{}: {} ({} addresses tried)",
                                                        endpoint_.text(), failures_, failed_);
  events_.on_unreachable(reason);
}

void Dialer::on_uv_connected(uv_connect_t* uv_request, int status) {
  auto* request = static_cast<Request*>(uv_request->data);
  Dialer* dialer = request->dialer;
  delete request;
  if (dialer == nullptr) return;  // given up
  dialer->request_ = nullptr;
  dialer->on_attempt_ended(status);
}

void Dialer::on_attempt_ended(int status) {
  if (timer_) timer_->stop();
  // A port that refuses is ECONNREFUSED (RFC 9293 3.10.7.3). These two are the RST of a server that
  // had accepted, and maybe said why: that is still to be read. The socket has told its error.
  const bool broke_off =
      endpoint_.kind == Endpoint::Kind::kTcp && (status == UV_ECONNRESET || status == UV_EPIPE);
  if (broke_off) attempt_->note_fault(status);
  if (status == 0 || broke_off) {
    attempt_->set_no_delay();
    attempt_->set_keep_alive();
    const std::string server =
        endpoint_.kind == Endpoint::Kind::kUnix ? endpoint_.text() : (*addresses_)[next_].text();
    events_.on_connected(std::move(attempt_), server, loop_.now() - begun_, failed_);
    return;
  }
  attempt_.reset();
  if (endpoint_.kind == Endpoint::Kind::kUnix) {
    events_.on_unreachable(fmt::format("{}: {}", endpoint_.text(), uv_strerror(status)));
    return;
  }
  note_failure(uv_strerror(status));
  try_next();
}

void Dialer::on_timeout() {
  std::exchange(request_, nullptr)->dialer = nullptr;
  attempt_.reset();
  note_failure(
      fmt::format("no answer within {} s", std::chrono::duration<double>(timeout_).count()));
  try_next();
}

void Dialer::note_failure(std::string_view reason) {
  ++failed_;
  const SocketAddress& address = (*addresses_)[next_++];
  if (failed_ > kToldFailures) return;
  if (addresses_->size() == 1) {
    failures_ = reason;
    return;
  }
  if (!failures_.empty()) failures_ += "; ";
  failures_ += fmt::format("{}: {}", address.text(), reason);
}

}  // namespace smtpscope
