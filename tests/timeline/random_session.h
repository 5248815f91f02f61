#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "capture/wire_event.h"

namespace smtpscope::test {

/// A session made by chance from pieces that matter, the same for the same seed. Half of its
/// replies fit what was asked, so that it gets somewhere.
class RandomSession {
 public:
  /// An endless session says nothing that ends or hides it: no QUIT, no 421, no TLS, no close.
  enum class Length { kAny, kEndless };

  explicit RandomSession(std::uint32_t seed, Length length = Length::kAny)
      : random_(seed), endless_(length == Length::kEndless) {}

  /// The whole session, with so many steps.
  void run(WireSink& sink, int steps);
  /// One piece of it.
  void begin(WireSink& sink);
  void step();
  void end();

 private:
  bool chance(std::uint32_t one_in) { return random_() % one_in == 0; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[random_() % from.size()];
  }
  Side pick_side() { return chance(2) ? Side::kClient : Side::kServer; }
  CloseKind pick_kind();
  void pause();
  void say(Side side, const std::string& text);
  template <typename Body>
  void feed(Body body);

  std::mt19937 random_;
  const bool endless_;
  Time now_;
  WireSink* sink_ = nullptr;
};

}  // namespace smtpscope::test
