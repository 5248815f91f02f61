#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "exporters/output.h"

namespace smtpscope {

/// The records of the sessions that were last, for readers that come and go at their own speed.
/// Those of a session that were written together are one piece; pieces are numbered from 1. Bounded
/// by octets: the session that ended first goes first, as a whole, so that what is here of a
/// session is all of it; records of open ones go only when there is nothing else. A reader that has
/// not had what is gone is told so. Those of runs never go. Thread-safe; the callback is called on
/// the writer's thread without the lock.
class RecordRing : public Output {
 public:
  /// What a piece costs besides its text.
  static constexpr std::size_t kOverhead = 96;

  /// `changed` is called after each write. `epoch` is another one for each run: letters and digits.
  RecordRing(std::string epoch, std::size_t limit, std::function<void()> changed);

  /// Whole lines, a record each. The lines of a session that follow one another are a piece.
  void write(std::string_view text) override;

  /// Readers name a piece "<epoch>-<number>", so that a number of an earlier run is known for one.
  /// Gives a number that read() takes for lost if it is not of this ring.
  std::uint64_t number_of(std::string_view id) const;

  /// What a reader gets next.
  struct Piece {
    std::string events;      // as server-sent events; "": nothing new
    std::uint64_t last = 0;  // number of the last piece, or what was asked with
  };
  /// Pieces behind number `after`, each an event with a line of data for each record, as many as
  /// make `octets` but at least one. Where some of them are gone, an event "resync" comes first,
  /// with the run (from 1) and session before which sessions may be missing, and then all that
  /// there is.
  Piece read(std::uint64_t after, std::size_t octets) const;

  std::size_t held() const;

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // run, session
  struct Held {
    std::deque<std::uint64_t> records;
    bool ended = false;
  };

  struct Record {
    Key key;
    bool stays = false;
    std::string text;  // a line or more, without the last line end
  };

  void add(std::string_view text);
  void make_room();
  void erase(std::uint64_t number);

  const std::string epoch_;
  const std::size_t limit_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Record> records_;  // by number
  std::map<Key, Held> sessions_;             // 0: what is of no session
  std::deque<Key> ended_;                    // in the order in which they did
  std::uint64_t run_ = 0;                    // that is being written
  std::uint64_t last_ = 0;                   // number
  std::uint64_t gone_ = 0;                   // the last that is there no more
  Key gone_before_{0, 0};                    // sessions before it may be missing
  std::size_t held_ = 0;
};

}  // namespace smtpscope
