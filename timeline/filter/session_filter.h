#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "timeline/event.h"

namespace smtpscope {

class FilterTerm;

/// What sessions come to, one word each; docs/filter.md has their meaning. The page decides alike
/// (page/facts.js).
enum class SessionOutcome : std::uint8_t {
  kOpen,
  kDelivered,
  kPartly,
  kRefused,
  kNotSent,
  kUnknown,
  kNotConnected,
  kNoMail,
};
std::string_view to_string(SessionOutcome outcome);

/// Which sessions somebody wants to see, in the language of docs/filter.md. Immutable; one for all
/// sessions, whose FilteredSession it must outlive.
class SessionFilter {
 public:
  /// The error names the column, from 1.
  static Result<SessionFilter> parse(std::string_view expression);
  ~SessionFilter();
  SessionFilter(SessionFilter&&) noexcept;
  SessionFilter& operator=(SessionFilter&&) noexcept;

 private:
  friend class FilterParser;
  friend class FilteredSession;

  enum class Kind : std::uint8_t { kAll, kAnd, kOr, kNot, kTerm };
  struct Node {
    Kind kind = Kind::kAll;
    std::size_t left = 0;   // a node; of kTerm a term
    std::size_t right = 0;  // of kAnd and kOr
  };

  SessionFilter();

  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<FilterTerm>> terms_;
  std::size_t root_ = 0;
};

/// What has been seen of one session, as far as a filter may ask for it.
struct SessionSoFar {
  Time began;
  Time last;
  WallTime wall;         // of its beginning
  bool failed = false;   // no server was reached
  bool refused = false;  // the server refused something
  bool ended = false;
  std::array<std::uint64_t, 6> outcomes{};  // transactions by Outcome, once it has ended

  SessionOutcome outcome() const;
};

/// One session on its way through a filter. Holds a few octets for each word of the filter, not
/// what it was fed. Not thread-safe.
class FilteredSession {
 public:
  /// `run_started` is Time zero. `filter` must outlive this.
  FilteredSession(const SessionFilter& filter, WallTime run_started);

  void feed(const TimelineEvent& event);
  /// As far as the session has gone.
  bool matches() const { return holds(filter_->root_); }
  const SessionSoFar& so_far() const { return so_far_; }

 private:
  struct TermState {
    bool seen = false;
    std::vector<std::uint64_t> findings;  // that stand, by number
  };

  bool holds(std::size_t node) const;

  const SessionFilter* filter_;
  WallTime run_started_;
  bool begun_ = false;
  SessionSoFar so_far_;
  std::vector<TermState> terms_;
};

}  // namespace smtpscope
