#include "readers/packets/flow_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "base/octets.h"

namespace smtpscope {
namespace {

/// What a connection may say in so many pieces before it is judged.
constexpr std::size_t kMaxSaid = 256;

std::string text_of_end(const ConnectionEnd& end) { return endpoint_text(end.address, end.port); }

}  // namespace

bool SessionLedger::is_mail_server(const ConnectionEnd& end) const {
  if (!ports_.empty()) return ports_.contains(end.port);
  return is_mail_port(end.port) || servers_.contains(end);
}

FlowSession::FlowSession(const std::array<ConnectionEnd, 2>& ends, const TcpConnection& connection,
                         SessionLedger& ledger, Time now)
    : ends_(ends), connection_(connection), ledger_(ledger), began_(now), last_(now) {}

template <typename Body>
void FlowSession::emit(Time time, Body&& body) {
  // Stamps step back; in a session time does not.
  last_ = std::max(last_, time);
  ledger_.sink->on_wire({session_, last_, std::forward<Body>(body)});
}

std::optional<Peer> FlowSession::presumed_server() const {
  if (const auto opener = connection_.opener()) return other(*opener);
  const bool lower = ledger_.is_mail_server(ends_[0]);
  const bool higher = ledger_.is_mail_server(ends_[1]);
  if (lower != higher) return lower ? Peer::kLower : Peer::kHigher;
  return std::nullopt;
}

std::optional<ConnectionEnd> FlowSession::recognised_server() const {
  if (stage_ != Stage::kRecognised || !candidate_->judgement.tunnel_target.empty()) {
    return std::nullopt;
  }
  return endpoint(other(candidate_->judgement.client));
}

void FlowSession::on_packet() {
  if (stage_ == Stage::kUndecided) {
    const std::optional<Peer> server = presumed_server();
    if (server && ledger_.is_mail_server(endpoint(*server))) {
      show();
    } else if (server && ledger_.ports_are_named()) {
      ignore(false);
    }
  }
  if (stage_ == Stage::kShown && !opened_ && connection_.handshake_end()) open();
}

// Before it is known what is spoken.

void FlowSession::keep(const Said& said, std::span<const std::uint8_t> octets) {
  if (!candidate_) candidate_ = std::make_unique<Candidate>();
  candidate_->said.push_back(said);
  candidate_->octets[index(said.from)].append(text_of(octets));
  if (stage_ == Stage::kUndecided) decide(false);
}

void FlowSession::decide(bool over) {
  Beginning beginning;
  beginning.opener = connection_.opener();
  const bool lower = is_mail_port(ends_[0].port), higher = is_mail_port(ends_[1].port);
  if (!beginning.opener && lower != higher) {
    beginning.server = lower ? Peer::kLower : Peer::kHigher;
  }
  beginning.over = over || (candidate_ && candidate_->said.size() >= kMaxSaid);
  if (candidate_) beginning.said = {candidate_->octets[0], candidate_->octets[1]};
  Judgement judgement = judge(beginning);
  switch (judgement.kind) {
    case Judgement::Kind::kUndecided:
      return;
    case Judgement::Kind::kSmtp:
      if (ledger_.ports_are_named()) {
        ignore(false);
      } else {
        candidate_->judgement = std::move(judgement);
        stage_ = Stage::kRecognised;
      }
      return;
    case Judgement::Kind::kTls:
    case Judgement::Kind::kOther:
      ignore(judgement.kind == Judgement::Kind::kTls);
      return;
  }
}

/// Nothing will be said any more that tells what is spoken.
void FlowSession::settle() {
  if (stage_ == Stage::kUndecided) decide(true);
  if (stage_ == Stage::kRecognised) show();
}

void FlowSession::ignore(bool tls) {
  const bool said = candidate_ != nullptr;
  candidate_.reset();
  stage_ = Stage::kDone;
  if (said) ++ledger_.others;
  if (said && tls) ++ledger_.tls;
}

void FlowSession::show() {
  const std::unique_ptr<Candidate> candidate = std::move(candidate_);
  if (stage_ == Stage::kRecognised) {
    client_ = candidate->judgement.client;
    tunnel_target_ = candidate->judgement.tunnel_target;
  } else if (const auto server = presumed_server()) {
    client_ = other(*server);
  }
  stage_ = Stage::kShown;
  // A connection joined later gets its number with its first octets: a mere acknowledgement is not
  // worth one.
  if (connection_.from_beginning()) session_ = ledger_.next_session();
  if (candidate) release(*candidate);
}

/// What was held goes its way, without what was said to get through a tunnel.
void FlowSession::release(const Candidate& candidate) {
  std::array<std::size_t, 2> at{};
  for (const Said& said : candidate.said) {
    const std::size_t from = index(said.from);
    switch (said.what) {
      case Said::What::kOctets: {
        auto octets = octets_of(candidate.octets[from])
                          .subspan(at[from], static_cast<std::size_t>(said.octets));
        const std::size_t prelude = candidate.judgement.prelude[from];
        const std::size_t skip =
            at[from] < prelude ? std::min(octets.size(), prelude - at[from]) : 0;
        at[from] += octets.size();
        octets = octets.subspan(skip);
        if (!octets.empty()) on_octets(said.from, said.time, octets);
        break;
      }
      case Said::What::kMissing:
      case Said::What::kCut:
        on_missing(said.from, said.time, said.octets, said.what == Said::What::kCut);
        break;
      case Said::What::kFin:
        on_fin(said.from, said.time);
        break;
    }
  }
}

// What is said.

void FlowSession::on_octets(Peer from, Time time, std::span<const std::uint8_t> octets) {
  if (stage_ == Stage::kDone) return;
  if (stage_ < Stage::kShown) {
    keep({Said::What::kOctets, from, time, octets.size()}, octets);
    return;
  }
  if (!opened_) open();
  spoke_[index(from)] = true;
  Bytes bytes;
  bytes.from = side_of(from);
  bytes.head = octets;
  emit(time, bytes);
}

void FlowSession::on_missing(Peer from, Time time, std::uint64_t octets, bool cut) {
  if (stage_ == Stage::kDone) return;
  if (stage_ < Stage::kShown) {
    keep({cut ? Said::What::kCut : Said::What::kMissing, from, time, octets}, {});
    return;
  }
  if (!opened_) open();
  emit(time, Gap{side_of(from), octets, 0,
                 cut ? "packets were cut short when captured" : "packets are not in the capture"});
}

void FlowSession::on_fin(Peer from, Time time) {
  if (stage_ == Stage::kDone) return;
  if (stage_ < Stage::kShown) {
    keep({Said::What::kFin, from, time, 0}, {});
    return;
  }
  if (!opened_) open();
  close(from, CloseKind::kFin, time);
}

void FlowSession::on_reset(Peer from, Time time) {
  settle();
  if (stage_ < Stage::kShown || stage_ == Stage::kDone) return;
  if (!connection_.syn_ack() && from != client_ && !opened_ && connection_.from_beginning()) {
    last_ = std::max(last_, time);
    fail(fmt::format("{} refused the connection", text_of_end(endpoint(from))));
    return;
  }
  if (!opened_) open();
  if (std::exchange(reset_[index(from)], true)) return;
  close(from, CloseKind::kReset, time);
  if (stage_ == Stage::kShown) stage_ = Stage::kLingering;
}

void FlowSession::on_contradiction(Peer /*from*/, Time /*time*/) {
  if (stage_ != Stage::kShown && stage_ != Stage::kLingering) return;
  if (!std::exchange(contradicted_, true)) ledger_.contradictions.add(session_);
}

void FlowSession::close(Peer from, CloseKind kind, Time time) {
  closed_[index(from)] = true;
  emit(time, Closed{.from = side_of(from), .kind = kind, .reason = {}});
  if (closed_[0] && closed_[1]) finish_session();
}

void FlowSession::open() {
  opened_ = true;
  if (session_ == 0) session_ = ledger_.next_session();
  const std::string client = text_of_end(endpoint(client_));
  const std::string server = text_of_end(endpoint(other(client_)));
  SessionOpened opened;
  opened.client = client;
  opened.listener = server;
  opened.upstream = tunnel_target_.empty() ? server : tunnel_target_;
  opened.mid_session = !connection_.from_beginning();
  const auto syn = connection_.first_syn();
  const auto syn_ack = connection_.syn_ack();
  const auto handshake_end = connection_.handshake_end();
  if (syn_ack && handshake_end) {
    opened.rtt = std::max(*handshake_end - *syn_ack, Duration::zero());
  }
  // The session begins when the connection stands: up to then nobody keeps anybody waiting. `took`
  // tells when the SYN was.
  const Time stands = syn_ack.value_or(began_);
  last_ = began_;
  emit(stands, opened);
  if (opened.mid_session) return;

  UpstreamConnected connected;
  connected.server = server;
  if (syn && syn_ack) {
    connected.took = std::max(*syn_ack - *syn, Duration::zero());
    connected.rtt = std::max(*syn_ack - *connection_.last_syn(), Duration::zero());
  }
  emit(stands, connected);
}

/// There was a SYN, and no connection came of it.
void FlowSession::fail(std::string_view reason) {
  opened_ = true;
  if (session_ == 0) session_ = ledger_.next_session();
  const std::string client = text_of_end(endpoint(client_));
  const std::string server = text_of_end(endpoint(other(client_)));
  const Time now = last_;
  last_ = began_;
  SessionOpened opened;
  opened.client = client;
  opened.listener = opened.upstream = server;
  emit(began_, opened);
  emit(now, UpstreamFailed{reason});
  finish_session();
}

void FlowSession::finish_session() {
  const bool both = connection_.seen(Peer::kLower) && connection_.seen(Peer::kHigher);
  if (!both && (spoke_[0] || spoke_[1])) {
    ledger_.one_sided.add(session_);
  }
  stage_ = Stage::kDone;
  emit(last_, SessionEnded{});
}

void FlowSession::end(bool at_end) {
  settle();
  if (stage_ < Stage::kShown || stage_ == Stage::kDone) {
    stage_ = Stage::kDone;
    return;
  }
  if (!opened_) {
    const bool answered = connection_.syn_ack().has_value();
    if (!connection_.from_beginning()) {
      stage_ = Stage::kDone;  // only acknowledgements were seen
      return;
    }
    if (!answered) {
      const std::uint32_t syns = connection_.syns();
      fail(fmt::format("{} did not answer {}", text_of_end(endpoint(other(client_))),
                       counted(syns, "SYN")));
      return;
    }
    open();
  }
  // The other side of a one-sided capture will never close.
  const bool over = closed_[0] || closed_[1] || !connection_.seen(Peer::kLower) ||
                    !connection_.seen(Peer::kHigher);
  if (at_end && !over) {
    stage_ = Stage::kDone;
    return;
  }
  finish_session();
}

}  // namespace smtpscope
