#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "net/allow_list.h"
#include "parser/verb.h"

namespace smtpscope {

/// Which sessions a line is for. Counted are those of the client that it names, from 1.
struct LabWho {
  std::optional<AllowList> client;
  unsigned percent = 100;
  std::uint64_t first = 0;      // only so many; 0: all
  std::uint64_t every = 0;      // only each so-manieth; 0: all
  std::uint64_t from = 0;       // only from this one on
  std::uint64_t to = 0;         // only up to this one; 0: all
  std::uint64_t more_than = 0;  // only those beyond so many within `within`; 0: all
  Duration within{};
};

enum class LabWhen : std::uint8_t {
  kAlways,  // the line names no moment
  kConnect,
  kGreeting,
  kCommand,
  kReply,     // to a command
  kMessage,   // its content, BDAT's included
  kFinalDot,  // or the end of the last chunk
  kReplyToDot,
  kOctet,   // of all that the client says
  kServer,  // all that the server says
  kTls,
};

/// When in a session.
struct LabMoment {
  LabWhen when = LabWhen::kAlways;
  Verb verb = Verb::kUnknown;  // kCommand, kReply
  std::uint64_t count = 0;     // which of those commands, from 1; 0: each
  std::uint64_t octets = 0;    // kMessage: behind so many; kOctet: behind so many
};

enum class LabAction : std::uint8_t {
  kHide,
  kOffer,
  kReply,
  kWait,
  kSwallow,
  kClose,
  kReset,
  kOneLine,
  kSlice,
  kThrottle,
  kReplace,
  kFailHandshake,
};

/// One line of a scenario: for whom, when, what.
struct LabLine {
  std::string text;   // as it was written, without blanks at its ends
  std::string place;  // "FILE:3", "--what-if 'LINE'"
  LabWho who;
  LabMoment moment;
  LabAction action = LabAction::kHide;
  std::vector<std::string> keywords;  // kHide, upper case; kOffer: keyword, then its parameters
  std::string text_to_find;           // kReplace
  std::string reply;                  // kReply, kReplace: without the line's end
  Duration time{};                    // kWait, kSlice: between two
  std::uint64_t octets = 0;           // kSlice: each; kThrottle: a second
};

/// What is to be changed in the sessions of a run. Immutable once parsed.
struct LabProgram {
  std::vector<LabLine> lines;
  std::uint64_t seed = 1;  // of what happens to a part of the sessions

  /// Makes all waits of `wait` so many times as long.
  void scale_waits(double factor);
  /// What the user may not have meant, a sentence each.
  std::vector<std::string> warnings() const;
};

}  // namespace smtpscope
