#include "parser/pending_message.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>
#include <string_view>

#include "base/ascii.h"
#include "base/octets.h"

namespace smtpscope {
namespace {

/// Lines with credentials (find_credentials) cannot be spelled without one of these.
constexpr std::string_view kWords[] = {"AUTH", "EXPS", "PASS", "LOGIN", "APOP", "COOKIE"};
constexpr std::size_t kLongestWord = 6;

/// "." CRLF: what comes behind the content (RFC 5321 4.1.1.4).
constexpr std::size_t kTerminator = 3;

bool mentions_credentials(std::string_view text) {
  return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
    const auto found = std::search(text.begin(), text.end(), word.begin(), word.end(),
                                   [](char a, char b) { return upper(a) == b; });
    return found != text.end();
  });
}

}  // namespace

PendingMessage::PendingMessage(MessageScanner::Framing framing, std::uint64_t begin,
                               std::uint64_t headline_octets)
    : early_until(begin),
      scanner_(framing),
      headline_(headline_octets),
      anchor_(framing),
      watches_(framing == MessageScanner::Framing::kDotTerminated) {}

std::size_t PendingMessage::scan(std::span<const std::uint8_t> octets, std::uint64_t at) {
  const std::uint64_t scanned_before = scanner_.wire_octets();
  const std::size_t taken = scanner_.scan(octets);
  octets = octets.first(taken);
  if (!headline_.done()) read_headline(octets, scanned_before);
  if (point_) {
    keep_tail(octets);
  } else if (watches_) {
    watch(octets, at, scanned_before);
  }
  return taken;
}

/// Behind a candidate there may be the header section of another message.
void PendingMessage::read_headline(std::span<const std::uint8_t> octets,
                                   std::uint64_t scanned_before) {
  const std::uint64_t candidate = facts().first_candidate_end;
  if (candidate == 0) {
    headline_.scan(octets);
    return;
  }
  const std::uint64_t before = candidate - std::min(candidate, scanned_before);
  headline_.scan(octets.first(static_cast<std::size_t>(before)));
  headline_.stop();
}

Headline PendingMessage::headline() {
  subject_ = headline_.subject();
  message_id_ = headline_.message_id();
  return {subject_, message_id_};
}

std::string_view PendingMessage::behind_candidate() const {
  if (!point_ || point_->how != DataEnd::kCandidate) return {};
  // The candidate was none to the scanner, so the terminator lies behind it.
  const std::size_t terminator = scanner_.ended() ? kTerminator : 0;
  assert(point_->tail.size() >= terminator);
  return text_of(std::span(point_->tail).first(point_->tail.size() - terminator));
}

void PendingMessage::keep_tail(std::span<const std::uint8_t> octets) {
  if (point_->tail.size() + octets.size() > kMaxTail) {
    give_up();
    return;
  }
  std::vector<std::uint8_t>& tail = point_->tail;
  const std::size_t looked_at = tail.size() - std::min(tail.size(), kLongestWord - 1);
  tail.insert(tail.end(), octets.begin(), octets.end());
  const std::string_view text = text_of(tail);
  if (mentions_credentials(text.substr(looked_at))) point_->tail_may_hold_credentials = true;
}

void PendingMessage::watch(std::span<const std::uint8_t> octets, std::uint64_t at,
                           std::uint64_t scanned_before) {
  const std::uint64_t candidate = facts().first_candidate_end;
  if (candidate == 0) {
    if (!scanner_.ended()) advance_anchor(octets);
    return;
  }
  if (candidate < anchor_.wire_octets()) {  // it lies in what was left out of the trace
    give_up();
    return;
  }
  // The candidate lies in these octets, or before CRs that came with the ones before them.
  const std::uint64_t crs_behind = candidate < scanned_before ? scanned_before - candidate : 0;
  const std::size_t inside =
      candidate > scanned_before ? static_cast<std::size_t>(candidate - scanned_before) : 0;
  MessageScanner there = anchor_;
  if (crs_behind == 0) {
    there = replay(octets.first(inside));
  } else {
    crs_behind_anchor_ -= crs_behind;
    there = replay({});
  }

  point_ = std::make_unique<ResyncPoint>();
  point_->how = DataEnd::kCandidate;
  point_->end = point_->tail_begin = at + inside - crs_behind;
  point_->facts = there.facts();
  point_->facts.candidates = {};
  point_->facts.candidates[static_cast<std::size_t>(facts().first_candidate)] = 1;
  point_->facts.first_candidate = facts().first_candidate;
  point_->facts.first_candidate_end = candidate;
  watches_ = false;
  if (crs_behind > kMaxTail) {
    give_up();
    return;
  }
  point_->tail.assign(static_cast<std::size_t>(crs_behind), '\r');
  keep_tail(octets.subspan(inside));
}

MessageScanner PendingMessage::replay(std::span<const std::uint8_t> octets) const {
  constexpr std::array<std::uint8_t, 16> kCrs = {'\r', '\r', '\r', '\r', '\r', '\r', '\r', '\r',
                                                 '\r', '\r', '\r', '\r', '\r', '\r', '\r', '\r'};
  MessageScanner scanner = anchor_;
  for (std::uint64_t left = crs_behind_anchor_; left > 0;) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left, kCrs.size()));
    scanner.scan(std::span(kCrs).first(n));
    left -= n;
  }
  if (!octets.empty()) scanner.scan(octets);
  return scanner;
}

void PendingMessage::advance_anchor(std::span<const std::uint8_t> octets) {
  std::size_t crs = 0;
  while (crs < octets.size() && octets[octets.size() - 1 - crs] == '\r') ++crs;
  if (crs == octets.size()) {
    crs_behind_anchor_ += crs;
  } else if (crs == 0) {
    anchor_ = scanner_;
    crs_behind_anchor_ = 0;
  } else {
    anchor_ = replay(octets.first(octets.size() - crs));
    crs_behind_anchor_ = crs;
  }
}

void PendingMessage::left_out(const MessageScanner& after) {
  scanner_ = anchor_ = after;
  headline_.stop();
  crs_behind_anchor_ = 0;
  if (point_ || facts().first_candidate_end != 0) give_up();
}

void PendingMessage::gap(std::uint64_t n, std::uint64_t at) {
  missing += n;
  headline_.stop();
  watches_ = false;
  point_ = std::make_unique<ResyncPoint>();
  point_->how = DataEnd::kGap;
  point_->end = at;
  point_->tail_begin = at + n;
  point_->facts = facts();
  // The gap may hold the beginning of an AUTH command.
  point_->tail_may_hold_credentials = true;
}

void PendingMessage::give_up() {
  point_.reset();
  watches_ = false;
}

}  // namespace smtpscope
