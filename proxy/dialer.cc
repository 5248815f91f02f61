#include "proxy/dialer.h"

#include <fmt/format.h>

#include <cassert>
#include <utility>

namespace smtpscope {
namespace {

/// Addresses whose failures are told one by one.
constexpr std::uint32_t kToldFailures = 4;

}  // namespace

/// libuv's request to connect; it outlives an attempt that was given up.
struct Dialer::Request {
  uv_connect_t request;
  Dialer* dialer;
};

Dialer::Dialer(Loop& loop, Resolver* resolver, const Endpoint& endpoint, Duration timeout,
               DialerEvents& events)
    : loop_(loop), resolver_(resolver), endpoint_(endpoint), timeout_(timeout), events_(events) {
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
    attempt_ = Connection::make(loop_, Connection::Transport::kTcp);
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
  if (status == 0) {
    attempt_->set_no_delay();
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
