#include "proxy/identity/reception.h"

#include <fmt/format.h>

#include <utility>

#include "base/octets.h"

namespace smtpscope {
namespace {

// RFC 5321 3.8: 421 is how a server says that it closes; RFC 3463 X.3.0 is "other mail system
// status".
constexpr std::string_view kWantsHeader =
    "421 4.3.0 smtpscope: this port wants to be told by a PROXY header who the client is\r\n";

}  // namespace

Reception::Reception(Loop& loop, ConnectionPtr connection, const Arrival& arrival,
                     ReceptionHost& host)
    : connection_(std::move(connection)),
      arrival_(arrival),
      host_(host),
      timer_(Timer::calling<&Reception::on_time_up>(loop, this)) {}

void Reception::start() {
  connection_->set_events(this);
  connection_->start_reading();
  timer_->start_once(kPatience);
}

void Reception::on_read(Connection& connection, Time, std::span<const std::uint8_t> octets) {
  if (!fault_.empty()) return;  // it was turned away
  const std::size_t taken = header_.receive(octets);
  if (header_.state() == ProxyHeaderReader::State::kMore) return;
  if (header_.state() == ProxyHeaderReader::State::kWrong) return turn_away(header_.fault());
  const std::span<const std::uint8_t> rest = octets.subspan(taken);
  rest_.assign(rest.begin(), rest.end());
  connection.stop_reading();
  connection.set_events(nullptr);
  host_.on_announced(*this);
}

void Reception::on_closed(Connection&, CloseKind, std::string_view) {
  if (fault_.empty()) fault_ = "it closed before its PROXY header was whole";
  host_.on_not_announced(*this);
}

void Reception::on_time_up() {
  if (fault_.empty()) {
    turn_away(fmt::format("no PROXY header came within {} s",
                          std::chrono::duration_cast<std::chrono::seconds>(kPatience).count()));
  } else {
    host_.on_not_announced(*this);
  }
}

void Reception::turn_away(std::string fault) {
  fault_ = std::move(fault);
  // A client that speaks TLS would not understand it.
  const bool waits = !arrival_.tls && connection_->send(octets_of(kWantsHeader)).waiting > 0;
  if (!waits) connection_->finish();
  timer_->start_once(kLinger);
}

Arrival Reception::arrival() const {
  Arrival arrival = arrival_;
  if (const auto& ends = header_.ends()) {
    arrival.client = ends->client;
    arrival.reached = ends->destination;
  }
  return arrival;
}

std::string Reception::announced_by() const {
  if (!header_.ends()) return {};
  return fmt::format("{} (PROXY v{})", arrival_.client.text(), header_.version());
}

ConnectionPtr Reception::take_connection() { return std::move(connection_); }

}  // namespace smtpscope
