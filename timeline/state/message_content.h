#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <string_view>

#include "base/side.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// Octets of a message, as they went over the wire.
struct KeptContent {
  std::string octets;  // the beginning
  bool whole = true;   // that is all of it
};

/// Keeps the octets of the streams until it is known which of them are a message: items tell where
/// one lies, not what is in it. Fed with the same events as the sanitizers, each before its
/// sanitizer. Keeps `most` octets of what is not yet an item, per side of a session, and
/// `most_in_all` of all sessions; what is beyond them, or was left out of the capture, is missing
/// in the message. One per run. Not thread-safe.
class MessageContent : public WireSink {
 public:
  static constexpr std::size_t kUsualMost = 128 * 1024;

  explicit MessageContent(std::size_t most = kUsualMost,
                          std::size_t most_in_all = std::numeric_limits<std::size_t>::max())
      : most_(most), most_in_all_(most_in_all) {}

  void on_wire(const WireEvent& event) override;

  /// The octets [begin, end) of a side's stream, up to the first that is missing.
  KeptContent content(SessionId session, Side side, std::uint64_t begin, std::uint64_t end) const;
  /// Octets before `end` are in items: they are not asked for any more.
  void forget(SessionId session, Side side, std::uint64_t end);

 private:
  /// Octets that lie together.
  struct Stretch {
    std::uint64_t begin = 0;
    std::string octets;
    std::uint64_t end() const { return begin + octets.size(); }
  };
  struct Stream {
    std::uint64_t received = 0;
    std::deque<Stretch> stretches;
    std::size_t kept = 0;
    void add(std::string_view octets, std::size_t most);
    void forget(std::uint64_t end);
  };
  struct Streams {
    Stream sides[2];
  };

  void add(Stream& stream, std::string_view octets);

  const std::size_t most_;
  const std::size_t most_in_all_;
  std::size_t kept_ = 0;  // of all streams
  std::map<SessionId, Streams> open_;
};

}  // namespace smtpscope
