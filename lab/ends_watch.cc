#include "lab/ends_watch.h"

namespace smtpscope {

EndsWatch::EndsWatch(SessionNotes& notes, Time now) : notes_(notes), now_(now) {
  notes_.began = now;
  notes_.last_told = now;
}

void EndsWatch::handle(Time now, const FromPeer& event) {
  now_ = now;
  DialogueNotes& end = event.from == Side::kClient ? notes_.client : notes_.server;
  end.said(event.from, event.octets, now);
  inner().handle(now, event);
}

void EndsWatch::handle(Time now, const PeerClosed& event) {
  now_ = now;
  if (event.side == Side::kClient && !notes_.client_left && !still_reads(event)) {
    notes_.client_left = now;
  }
  inner().handle(now, event);
}

void EndsWatch::handle(Time now, const UpstreamReady& event) {
  now_ = now;
  inner().handle(now, event);
}

void EndsWatch::handle(Time now, const UpstreamUnreachable& event) {
  now_ = now;
  notes_.unreachable = true;
  inner().handle(now, event);
}

void EndsWatch::handle(Time now, const WriteDrained& event) {
  now_ = now;
  inner().handle(now, event);
}

void EndsWatch::handle(Time now, const WriteFailed& event) {
  now_ = now;
  inner().handle(now, event);
}

void EndsWatch::handle(Time now, const AlarmRang& event) {
  now_ = now;
  inner().handle(now, event);
}

/// What comes behind its close nobody reads, but for a client that only half-closes, as one does
/// that has sent QUIT with all the rest (Exim).
bool EndsWatch::still_reads(const PeerClosed& event) const {
  if (event.kind != CloseKind::kFin || !notes_.client.quit()) return false;
  const auto awaited = notes_.client.awaited();
  return awaited && awaited->verb != Verb::kQuit;
}

Outward::Sent EndsWatch::send_to(Side to, std::span<const std::uint8_t> octets) {
  if (to == Side::kServer) {
    notes_.server.said(Side::kClient, octets, now_);
  } else if (!notes_.client_left) {
    notes_.client.said(Side::kServer, octets, now_);
    notes_.last_told = now_;
  }
  return outer().send_to(to, octets);
}

void EndsWatch::finish(Side to, bool truncated) {
  note_cut(to);
  outer().finish(to, truncated);
}

void EndsWatch::close(Side side, bool reset) {
  note_cut(side);
  if (side == Side::kClient && !notes_.client_released) notes_.client_released = now_;
  outer().close(side, reset);
}

void EndsWatch::note_cut(Side side) {
  if (side == Side::kClient && !notes_.client_cut) notes_.client_cut = now_;
}

}  // namespace smtpscope
