#include "parser/pending_replies.h"

#include <algorithm>
#include <cassert>

namespace smtpscope {

Exchange PendingReplies::add(Answers answers, Verb verb, std::uint8_t marks,
                             std::uint32_t replies) {
  assert(replies > 0);
  const Exchange exchange = next_++;
  push({exchange, replies, 0, answers, verb, marks, replies > 1});
  return exchange;
}

void PendingReplies::add_second(Exchange exchange, Verb verb) {
  push({exchange, 1, 1, Answers::kBlob, verb, 0, true});
}

void PendingReplies::push(const Run& run) {
  owed_ += run.replies;
  if (run.marks & kBehindBareLf) behind_bare_lf_ += run.replies;
  if (runs() > 0) {
    Run& last = runs_.back();
    const bool adjoins =
        !last.several && !run.several && last.exchange + last.replies == run.exchange;
    // Every chunk that is the last of its message may turn out to be owed several (RFC 2033 4.2).
    if (adjoins && last.answers == run.answers && last.verb == run.verb &&
        last.marks == run.marks && !(run.marks & kLastChunk)) {
      last.replies += run.replies;
      return;
    }
    if (runs() >= kMaxRuns) {
      if (last.marks & kBehindBareLf) behind_bare_lf_ -= last.replies;
      if (run.marks & kBehindBareLf) behind_bare_lf_ -= run.replies;
      last.replies += run.replies;
      last.answers = Answers::kCommand;
      last.verb = Verb::kUnknown;
      last.marks = 0;
      last.several = false;
      return;
    }
  }
  // The vector is reused from its front: a client that keeps pipelining does not grow it for ever.
  if (runs_.size() == runs_.capacity() && head_ > runs_.size() / 2) {
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  runs_.push_back(run);
}

PendingReplies::Answered PendingReplies::oldest() const {
  assert(!empty());
  const Run& run = runs_[head_];
  return {run.answers, run.verb,  run.exchange,
          run.ordinal, run.marks, !run.several || run.replies == 1};
}

PendingReplies::Answered PendingReplies::second() const {
  assert(owed_ > 1);
  const Run& first = runs_[head_];
  if (first.replies > 1) {
    Answered next = oldest();
    if (!first.several) ++next.exchange;
    if (first.several) ++next.ordinal;
    return next;
  }
  const Run& run = runs_[head_ + 1];
  return {run.answers, run.verb,  run.exchange,
          run.ordinal, run.marks, !run.several || run.replies == 1};
}

PendingReplies::Answered PendingReplies::take() {
  const Answered answered = oldest();
  shorten_oldest(1);
  return answered;
}

void PendingReplies::shorten_oldest(std::uint32_t replies) {
  Run& run = runs_[head_];
  assert(replies <= run.replies);
  owed_ -= replies;
  if (run.marks & kBehindBareLf) behind_bare_lf_ -= replies;
  run.replies -= replies;
  if (run.several) {
    run.ordinal += replies;
  } else {
    run.exchange += replies;
  }
  if (run.replies > 0) return;
  if (++head_ == runs_.size()) {
    runs_.clear();
    head_ = 0;
    constexpr std::size_t kIdleRuns = 8;
    if (runs_.capacity() > kIdleRuns) std::vector<Run>().swap(runs_);
  }
}

void PendingReplies::set_oldest(std::uint32_t replies) {
  assert(!empty());
  Run& run = runs_[head_];
  assert(run.several || run.replies == 1);
  if (replies <= run.ordinal) {
    shorten_oldest(run.replies);
    return;
  }
  const std::uint32_t left = replies - run.ordinal;
  owed_ = owed_ - run.replies + left;
  if (run.marks & kBehindBareLf) behind_bare_lf_ = behind_bare_lf_ - run.replies + left;
  run.replies = left;
  run.several = true;
}

std::uint32_t PendingReplies::ends_of_message() const {
  return static_cast<std::uint32_t>(std::count_if(
      runs_.begin() + static_cast<std::ptrdiff_t>(head_), runs_.end(), [](const Run& run) {
        return run.answers == Answers::kEndOfData || (run.marks & kLastChunk) != 0;
      }));
}

bool PendingReplies::has_hello() const {
  return std::any_of(
      runs_.begin() + static_cast<std::ptrdiff_t>(head_), runs_.end(),
      [](const Run& run) { return run.verb == Verb::kEhlo || run.verb == Verb::kLhlo; });
}

void PendingReplies::void_all() {
  runs_.clear();
  head_ = 0;
  owed_ = behind_bare_lf_ = 0;
}

void PendingReplies::void_suspects() {
  while (suspect()) {
    const Run& run = runs_[head_];
    const Exchange suspects = suspect_below_ - run.exchange;
    shorten_oldest(run.several || suspects >= run.replies ? run.replies
                                                          : static_cast<std::uint32_t>(suspects));
  }
}

}  // namespace smtpscope
