#include "tests/timeline/expectations.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace smtpscope::test {
namespace {

using Kind = Expectation::Kind;
using Line = TimelineDump::Line;

class Judge {
 public:
  Judge(const Transcript& transcript, const TimelineDump& dump)
      : transcript_(transcript), lines_(dump.lines()) {}

  std::vector<std::string> judge() {
    for (const Expectation& one : transcript_.expectations) {
      if (!met(one)) {
        found_.push_back(fmt::format("line {}: {}", one.line, in_words(one)));
      }
    }
    if (transcript_.strict) {
      for (const Line& line : lines_) {
        if (line.annotation && line.folded_under.empty() && expected_.count(key(line)) == 0 &&
            !folded_later(line)) {
          found_.push_back(fmt::format("strict: nobody expected {}", line.text));
        }
      }
    }
    return found_;
  }

 private:
  bool here(const Expectation& one, const Line& line) const {
    if (line.session != one.session) return false;
    // What ends the sessions is behind the last line.
    return (line.after > one.before && line.after <= one.after) ||
           (one.after == transcript_.said && line.after > transcript_.said);
  }

  /// What an annotation is known by: numbers begin anew in each session.
  static std::pair<SessionId, std::uint64_t> key(const Line& line) {
    return {line.session, line.number};
  }

  bool folded_later(const Line& annotation) const {
    return std::ranges::any_of(lines_, [&](const Line& line) {
      return !line.annotation && !line.folded_under.empty() && key(line) == key(annotation);
    });
  }

  const Line* annotation(const Line& folded) const {
    for (const Line& line : lines_) {
      if (line.annotation && key(line) == key(folded)) return &line;
    }
    return nullptr;
  }

  bool met(const Expectation& one) {
    for (const Line& line : lines_) {
      switch (one.kind) {
        case Kind::kNever:
          if (line.annotation && line.rule == one.rule) return false;
          break;
        case Kind::kFires:
          if (line.annotation && here(one, line) && line.rule == one.rule &&
              line.folded_under.empty() &&
              (one.severity.empty() || one.severity == line.severity) &&
              (one.variant.empty() || one.variant == line.variant) &&
              expected_.insert(key(line)).second) {
            return true;
          }
          break;
        case Kind::kFolded:
          if (here(one, line) && line.folded_under == one.headline) {
            const Line* folded = annotation(line);
            if (folded != nullptr && folded->rule == one.rule) return true;
          }
          break;
        case Kind::kSilence:
          if (here(one, line) && line.party == one.party && line.milliseconds == one.milliseconds) {
            return true;
          }
          break;
        case Kind::kOutcome:
          if (!line.outcome.empty() && line.session == one.session &&
              line.number == one.transaction) {
            return line.outcome == one.words && (one.cause.empty() || one.cause == line.cause);
          }
          break;
        case Kind::kSays:
          if (here(one, line) && line.text.find(one.words) != std::string::npos) return true;
          break;
        case Kind::kNotEvaluated:
          for (const std::string& rule : line.not_evaluated) {
            if (rule == one.rule && line.session == one.session) return true;
          }
          break;
        case Kind::kVerdict:
          if (line.session != one.session) break;
          for (const std::string& words : line.verdict) {
            if (words.find(one.words) != std::string::npos) return true;
          }
          break;
      }
    }
    return one.kind == Kind::kNever;
  }

  static std::string in_words(const Expectation& one) {
    switch (one.kind) {
      case Kind::kNever:
        return fmt::format("{} fired, and must not", one.rule);
      case Kind::kFires:
        return fmt::format("{} {} {} does not fire here", one.rule, one.severity, one.variant);
      case Kind::kFolded:
        return fmt::format("{} is not folded under {} here", one.rule, one.headline);
      case Kind::kSilence:
        return fmt::format("no silence of the {} of {} ms", one.party, one.milliseconds);
      case Kind::kOutcome:
        return fmt::format("transaction {} is not {} {}", one.transaction, one.words, one.cause);
      case Kind::kSays:
        return fmt::format("nothing here says \"{}\"", one.words);
      case Kind::kNotEvaluated:
        return fmt::format("{} is not told to be not evaluated", one.rule);
      case Kind::kVerdict:
        return fmt::format("the verdict does not say \"{}\"", one.words);
    }
    return "";
  }

  const Transcript& transcript_;
  const std::vector<Line>& lines_;
  std::set<std::pair<SessionId, std::uint64_t>> expected_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> differences(const Transcript& transcript, const TimelineDump& dump) {
  return Judge(transcript, dump).judge();
}

}  // namespace smtpscope::test
