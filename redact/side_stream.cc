#include "redact/side_stream.h"

#include <algorithm>
#include <cassert>

namespace smtpscope {

void SideStream::append(std::string_view octets) {
  if (octets.empty()) return;
  if (runs_.empty() || runs_.back().missing > 0) runs_.emplace_back();
  runs_.back().octets += octets;
  received_ += octets.size();
}

void SideStream::skip(std::uint64_t octets) {
  if (octets == 0) return;
  runs_.push_back({.octets = {}, .missing = octets});
  received_ += octets;
  pass_missing();
}

void SideStream::pass_missing() {
  while (!runs_.empty() && runs_.front().missing > 0) {
    extend(runs_.front().missing, 0);
    runs_.pop_front();
  }
}

std::string_view SideStream::undecided(std::uint64_t end) {
  pass_missing();
  if (runs_.empty() || end <= decided_) return {};
  const std::string_view rest = std::string_view(runs_.front().octets).substr(used_);
  return rest.substr(
      0, static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), end - decided_)));
}

void SideStream::decide(const Rewriting& rewriting) {
  for (const Rewriting::Piece& piece : rewriting.pieces()) {
    assert(!runs_.empty() && runs_.front().octets.size() - used_ >= piece.original);
    used_ += static_cast<std::size_t>(piece.original);
    extend(piece.original, piece.replaced);
  }
  text_ += rewriting.text();
  if (!runs_.empty() && used_ == runs_.front().octets.size()) {
    runs_.pop_front();
    used_ = 0;
  } else if (used_ > std::size_t{64} * 1024) {  // moved now and then, not each time
    runs_.front().octets.erase(0, used_);
    used_ = 0;
  }
  pass_missing();
}

void SideStream::extend(std::uint64_t original, std::uint64_t replaced) {
  decided_ += original;
  Anchor end = anchors_.back();
  const bool same = original == replaced;
  if (same && anchors_.size() > 1) {
    // One anchor for what is replaced octet by octet.
    const Anchor& before = anchors_[anchors_.size() - 2];
    if (end.original - before.original == end.replaced - before.replaced) anchors_.pop_back();
  }
  end.original += original;
  end.replaced += replaced;
  anchors_.push_back(end);
}

std::uint64_t SideStream::place_of(std::uint64_t offset) const {
  const auto next = std::upper_bound(
      anchors_.begin(), anchors_.end(), offset,
      [](std::uint64_t wanted, const Anchor& anchor) { return wanted < anchor.original; });
  assert(next != anchors_.begin());
  const Anchor& before = *(next - 1);
  if (next == anchors_.end()) return before.replaced;
  const std::uint64_t original = next->original - before.original;
  const std::uint64_t replaced = next->replaced - before.replaced;
  // Sizes of gaps may be anything; what was replaced by nothing needs no product.
  if (original == replaced) return before.replaced + (offset - before.original);
  return replaced == 0 ? before.replaced
                       : before.replaced + (offset - before.original) * replaced / original;
}

std::string_view SideStream::rewritten(std::uint64_t begin, std::uint64_t end) const {
  const std::uint64_t from = place_of(begin);
  const std::uint64_t to = place_of(end);
  return std::string_view(text_).substr(static_cast<std::size_t>(from - text_begin_),
                                        static_cast<std::size_t>(to - from));
}

void SideStream::forget(std::uint64_t offset) {
  while (anchors_.size() > 1 && anchors_[1].original <= offset) anchors_.pop_front();
  const std::uint64_t from = place_of(offset);
  const auto gone = static_cast<std::size_t>(from - text_begin_);
  if (gone < text_.size() && gone < std::size_t{64} * 1024) return;
  text_.erase(0, gone);
  text_begin_ = from;
}

}  // namespace smtpscope
