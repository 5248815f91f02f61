#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/side.h"
#include "base/time.h"
#include "capture/wire_event.h"
#include "timeline/rule_set.h"

namespace smtpscope::test {

/// Something that must come of a transcript; transcripts/README.md has their meaning.
struct Expectation {
  enum class Kind { kFires, kFolded, kNever, kSilence, kOutcome, kVerdict, kSays, kNotEvaluated };

  Kind kind = Kind::kFires;
  std::size_t line = 0;           // in the file, from 1
  std::size_t before = 0;         // how many wire events had happened before the last line
  std::size_t after = 0;          // and after it
  SessionId session = 1;          // the one that was spoken of when it was written
  std::string rule;               // kFires, kFolded, kNever, kNotEvaluated
  std::string severity;           // kFires; "" any
  std::string variant;            // kFires; "" any
  std::string headline;           // kFolded
  std::string party;              // kSilence
  std::int64_t milliseconds = 0;  // kSilence
  std::uint64_t transaction = 0;  // kOutcome
  std::string words;              // kOutcome: outcome; kVerdict, kSays
  std::string cause;              // kOutcome; "" any
};

/// A wire event that owns its octets.
struct OwnedEvent {
  Time time;
  std::vector<std::uint8_t> octets;
  std::string text;  // behind a view in `event`
  WireEvent event;
};

/// A dialogue and what must come of it, read from a file.
struct Transcript {
  std::string name;
  std::string source;  // the file's text
  bool mid_session = false;
  bool strict = false;
  std::vector<OwnedEvent> events;  // SessionOpened first, SessionEnded last
  std::size_t said = 0;            // events before those that end the sessions still open
  std::vector<Expectation> expectations;
  RuleSet rules;
  std::string error;  // "" if it could be read; else line and reason

  /// Views in `events` point into it: it must not be moved after this.
  void settle_views();
};

/// Paths of all files in tests/timeline/transcripts, in order.
std::vector<std::string> transcript_files();

Transcript read_transcript(const std::string& path);
/// The same from the text of such a file.
Transcript parse_transcript(std::string name, std::string source);

}  // namespace smtpscope::test
