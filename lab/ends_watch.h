#pragma once

#include <array>
#include <deque>
#include <optional>

#include "lab/dialogue_notes.h"
#include "proxy/layer.h"

namespace smtpscope {

/// What a session was at its two ends: what the client said and was told, and what the server was
/// told and said. Under a scenario these are two dialogues.
struct SessionNotes {
  Time began;
  DialogueNotes client;
  DialogueNotes server;
  bool unreachable = false;         // the server was not to be had
  std::optional<Time> client_left;  // it closed its direction, or the connection was lost
  std::optional<Time> client_cut;   // its connection was closed, or its direction, from our side
  std::optional<Time> client_released;  // and from then on nothing is heard of it
  Time last_told;                       // when the client was last given octets

  /// The client left of its own accord, not since it was cut off.
  bool left_first() const { return client_left && (!client_cut || *client_left <= *client_cut); }
};

/// The layer next to the sockets that keeps those notes; changes nothing. Sans-I/O. Not
/// thread-safe.
class EndsWatch : public Layer {
 public:
  /// `notes` must outlive it.
  explicit EndsWatch(SessionNotes& notes, Time now);

  using Layer::handle;
  void handle(Time now, const FromPeer& event) override;
  void handle(Time now, const PeerClosed& event) override;
  void handle(Time now, const UpstreamReady& event) override;
  void handle(Time now, const UpstreamUnreachable& event) override;
  void handle(Time now, const WriteDrained& event) override;
  void handle(Time now, const WriteFailed& event) override;
  void handle(Time now, const AlarmRang& event) override;

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override;
  void finish(Side to, bool truncated) override;
  void close(Side side, bool reset) override;

 private:
  void note_cut(Side side);
  bool still_reads(const PeerClosed& event) const;

  SessionNotes& notes_;
  Time now_;
};

}  // namespace smtpscope
