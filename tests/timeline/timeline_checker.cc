#include "tests/timeline/timeline_checker.h"

#include <fmt/format.h>

#include "timeline/rule.h"

namespace smtpscope::test {

void TimelineChecker::on_timeline(const TimelineEvent& event) {
  if (event.time < last_) fail("time goes back");
  last_ = event.time;
  if (ended) fail("an event behind the end of the session");
  std::visit([this](const auto& body) { check(body); }, event.body);
}

void TimelineChecker::fail(const std::string& what) {
  if (violation.empty()) violation = fmt::format("{} (entry {})", what, entries);
}

void TimelineChecker::check(const Entry& e) {
  if (e.number != ++entries) fail("entries are not numbered one by one");
  if (e.first > e.last) fail("an entry ends before it begins");
  if (e.since_previous < Duration::zero()) fail("negative time since the entry before");
  if (e.think && *e.think < Duration::zero()) fail("negative think time");
  if (e.answers >= e.number) fail("answers what comes later");
  // What comes behind the refusal that left a transaction nobody to send to stands outside.
  if (e.mark == TxnMark::kEndsBadly) lost_.insert(e.transaction);
  if (e.mark != TxnMark::kOutside && e.transaction == 0) fail("mark without transaction");
  if (e.mark == TxnMark::kOutside && e.transaction != 0 && lost_.count(e.transaction) == 0) {
    fail("transaction without mark");
  }
  if (e.mark == TxnMark::kBegins && !begun_.insert(e.transaction).second) fail("begins twice");
  if (e.transaction != 0 && begun_.count(e.transaction) == 0) fail("inside before it began");
  if (gone_.count(e.transaction) != 0) fail("inside what has ended");
  std::uint64_t octets = 0;
  for (const ReadPiece& piece : e.reads) octets += piece.octets;
  const std::uint64_t size = e.item->end - e.item->begin;
  if (octets > size) fail("reads carried more than the entry holds");
  if (e.read_count < e.reads.size()) fail("more reads listed than counted");
  const bool all_listed = e.read_count == e.reads.size();
  if (all_listed && octets != size && !holes_) fail("reads do not add up to the entry");
}

void TimelineChecker::check(const Silence& s) {
  if (s.to < s.from) fail("negative silence");
  if (s.owed.empty()) fail("a silence in which nothing was owed");
}

void TimelineChecker::check(const Annotation& a) {
  if (a.number != ++annotations) fail("annotations are not numbered one by one");
  if (a.text.empty()) fail("an annotation without words");
  for (const std::uint64_t entry : a.entries) {
    if (entry == 0 || entry > entries) fail(fmt::format("{} cites entry {}", a.rule->id, entry));
  }
  if (!a.folded_under.empty()) folded_.insert(a.number);
}

void TimelineChecker::check(const AnnotationFolded& f) {
  if (f.number == 0 || f.number > annotations) fail("folds what is not there");
  if (!folded_.insert(f.number).second) fail("folds twice");
}

void TimelineChecker::check(const TransactionEnded& t) {
  const Transaction& txn = *t.transaction;
  if (begun_.count(txn.number) == 0) fail("ends before it began");
  if (!gone_.insert(txn.number).second) fail("ends twice");
  if (txn.outcome == Outcome::kOpen) fail("ends open");
  if (txn.rcpt_accepted + txn.rcpt_refused > txn.rcpt_sent) fail("more replies than RCPTs");
  if (txn.last_entry > entries) fail("ends with an entry to come");
  ++outcomes_;
}

void TimelineChecker::check(const TimelineGap&) { holes_ = true; }

void TimelineChecker::check(const TimelineSessionEnded& e) {
  ended = true;
  if (gone_ != begun_) fail("a transaction never ended");
  if (e.totals->transactions != outcomes_) fail("transactions miscounted");
  if (e.totals->annotations != annotations - folded_.size()) fail("annotations miscounted");
  std::uint64_t sum = 0;
  for (const std::uint64_t n : e.totals->outcomes) sum += n;
  if (sum != outcomes_) fail("outcomes miscounted");
  if (e.verdict.empty()) fail("no verdict");
}

}  // namespace smtpscope::test
