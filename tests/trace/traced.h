#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "timeline/event.h"
#include "timeline/rule.h"
#include "trace/live_trace.h"

namespace smtpscope::test {

/// A door for threads: whoever passes waits until it is open.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  /// Somebody stands before the closed door. False: not within 20 s.
  bool wait_for_somebody() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(240), [this] { return waiting_ > 0; });
  }
  bool somebody_waits() {
    const std::lock_guard lock(mutex_);
    return !open_ && waiting_ > 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

/// What a timeline tells, a word each; and what a test wants to happen at some of them.
class Told : public TimelineSink {
 public:
  void on_timeline(const TimelineEvent& event) override {
    std::string word = std::to_string(event.session);
    if (std::holds_alternative<TimelineSessionStarted>(event.body)) {
      word += " opened";
    } else if (std::holds_alternative<TimelineSessionEnded>(event.body)) {
      word += " ended";
    } else if (const auto* entry = std::get_if<Entry>(&event.body)) {
      word += " " + std::to_string(entry->item->end - entry->item->begin);
    } else if (const auto* gap = std::get_if<TimelineGap>(&event.body)) {
      word += " gap of " + std::to_string(gap->gap.octets) + ": " + std::string(gap->gap.why);
    } else {
      return;
    }
    words.push_back(word);
    if (then) then(words.back());
  }

  std::vector<std::string> words;
  std::function<void(const std::string&)> then;
};

class Sayings : public TraceNotices {
 public:
  void notice(std::string_view text) override {
    said.emplace_back(text);
    if (then) then();
  }
  std::vector<std::string> said;
  std::function<void()> then;
};

/// Rules for tests: `evaluate` is a plain function, so what it does is set here.
inline std::function<void()> what_the_rule_does;

/// Asked about every NOOP.
inline const Rule kNoopRule = {.id = "test-noop",
                               .category = Category::kServer,
                               .severity = Severity::kInfo,
                               .fault = Fault::kUnknown,
                               .triggers = kOnCommand,
                               .verbs = verbs(Verb::kNoop),
                               .evaluate = [](RuleContext&) { what_the_rule_does(); }};

}  // namespace smtpscope::test
