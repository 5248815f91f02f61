#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <variant>

#include "timeline/event.h"
#include "timeline/filter/session_filter.h"
#include "timeline/filter/time_range.h"

namespace smtpscope {

/// One word of a filter. Immutable.
class FilterTerm {
 public:
  virtual ~FilterTerm() = default;
  /// The event alone makes the session one that the term is for.
  virtual bool seen_in(const TimelineEvent& /*event*/) const { return false; }
  /// An annotation is what it is for; as long as that stands.
  virtual bool stands(const Annotation& /*annotation*/) const { return false; }
  /// What has become of the session does.
  virtual bool holds(const SessionSoFar& /*session*/) const { return false; }
};

/// A key and what makes a term of its value.
struct FilterKey {
  std::string_view name;
  std::variant<std::unique_ptr<FilterTerm>, FilterFault> (*make)(std::string_view value);
};

/// All of them, in the order of docs/filter.md.
std::span<const FilterKey> all_filter_keys();

/// A word without a key.
std::unique_ptr<FilterTerm> free_term(std::string_view word);

}  // namespace smtpscope
