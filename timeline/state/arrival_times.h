#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/side.h"
#include "base/time.h"
#include "timeline/event.h"

namespace smtpscope {

/// Remembers when which octets of either stream arrived, until items have been made of them.
/// Items know stream offsets only; here they get their times. Reads that came at one time count as
/// one. Bounded: kMaxMarks reads per side are told apart, the first of them and the last
/// kLastReads; those between become one. Not thread-safe.
class ArrivalTimes {
 public:
  static constexpr std::size_t kMaxMarks = 64;
  /// Reads listed one by one per entry; more are counted.
  static constexpr std::size_t kKeptReads = 16;
  /// The last reads of an entry, which are listed too.
  static constexpr std::size_t kLastReads = 4;

  /// Octets came in one read.
  void add(Side side, std::uint64_t octets, Time time, bool by_proxy, bool undelivered);
  /// Octets are missing; the stream goes on `octets` later.
  void skip(Side side, std::uint64_t octets);

  /// How the octets [begin, end) of a side came.
  struct Arrival {
    Time first, last;
    bool by_proxy = false;
    bool undelivered = false;
    std::uint64_t read_count = 0;
    std::size_t pieces = 0;       // filled in
    std::size_t last_pieces = 0;  // likewise
  };
  /// `fallback` is the answer where nothing is known of these octets. Fills `pieces` with the
  /// first reads that carried them, and `last_pieces` with the last ones, kLastReads at most.
  Arrival look_up(Side side, std::uint64_t begin, std::uint64_t end, Time fallback,
                  std::span<ReadPiece> pieces, std::span<ReadPiece> last_pieces = {}) const;
  /// When the octet before `end` came; `fallback` as above.
  Time time_of(Side side, std::uint64_t end, Time fallback) const;

  /// Octets before `end` are not asked for any more.
  void forget(Side side, std::uint64_t end);

 private:
  /// A read: it brought the octets from the mark before up to `end`.
  struct Mark {
    std::uint64_t end = 0;
    Time time;
    std::uint32_t reads = 1;
    bool by_proxy = false;
    bool undelivered = false;
  };
  struct Stream {
    /// Makes room for a read when there are kMaxMarks.
    void make_room();

    std::vector<Mark> marks;  // [head, end)
    std::size_t head = 0;
    std::uint64_t received = 0;
    std::uint64_t forgotten = 0;
  };

  std::array<Stream, 2> streams_;
};

}  // namespace smtpscope
