#pragma once

#include <cstdint>

#include "base/time.h"

namespace smtpscope {

/// What the kernel knows of a TCP connection of ours (TCP_INFO): whether the other host confirms
/// what it is sent. That host's kernel does it, whether its program reads or hangs.
struct TcpFigures {
  std::uint64_t unconfirmed = 0;   // octets on their way, or lost
  std::uint64_t unsent = 0;        // octets that the kernel holds back, mostly for want of window
  std::uint32_t sent_again = 0;    // how often in a row the first of them was, without an answer
  std::uint32_t probes = 0;        // of a closed window, likewise
  std::uint32_t segment = 0;       // most octets of a packet to it; 0: unknown
  std::uint32_t out_of_order = 0;  // packets from it that came before an earlier one
  Duration unheard{};              // since it confirmed anything

  /// It has all that it was sent.
  bool confirmed() const { return unconfirmed == 0 && unsent == 0 && probes == 0; }
  /// It does not answer: a packet is lost on the way now and then, twice in a row hardly.
  bool lost() const { return (unconfirmed > 0 && sent_again >= 2) || probes >= 2; }
};

}  // namespace smtpscope
