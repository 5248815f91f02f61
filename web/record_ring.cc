#include "web/record_ring.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <utility>

#include "web/record_head.h"

namespace smtpscope {
namespace {

/// Lines of one session, or one line of none; with their line ends.
std::size_t size_of_piece(std::string_view text) {
  const std::uint64_t session = head_of_record(text).session;
  std::size_t size = 0;
  do {
    size = std::min(text.find('\n', size), text.size() - 1) + 1;
  } while (session != 0 && size < text.size() &&
           head_of_record(text.substr(size)).session == session);
  return size;
}

bool ends_session(std::string_view piece) {
  constexpr std::string_view kEnd = "\n{\"event\":\"session-ended\"";
  return piece.starts_with(kEnd.substr(1)) || piece.find(kEnd) != std::string_view::npos;
}

/// As an event's data has them: a line of the stream for each (HTML, 9.2.6).
void append_data(std::string& events, std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t end = std::min(piece.find('\n'), piece.size());
    events.append("data: ").append(piece.substr(0, end)).append("\n");
    piece.remove_prefix(std::min(end + 1, piece.size()));
  }
}

}  // namespace

RecordRing::RecordRing(std::string epoch, std::size_t limit, std::function<void()> changed)
    : epoch_(std::move(epoch)), limit_(limit), changed_(std::move(changed)) {}

void RecordRing::write(std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    while (!text.empty()) {
      const std::size_t size = size_of_piece(text);
      std::string_view piece = text.substr(0, size);
      while (piece.ends_with('\n')) piece.remove_suffix(1);
      if (!piece.empty()) add(piece);
      text.remove_prefix(size);
    }
    make_room();
  }
  changed_();
}

void RecordRing::add(std::string_view text) {
  const auto [event, session] = head_of_record(text);
  if (event == "run") ++run_;
  const bool stays = event == "run" || event == "run-ended" || event == "taps";
  const Key key{run_, session};
  records_.emplace_hint(records_.end(), ++last_, Record{key, stays, std::string(text)});
  held_ += text.size() + kOverhead;
  if (stays) return;
  Held& held = sessions_[key];
  // Its octets come behind its end, when the rest may be gone.
  const bool is_end = ends_session(text) || (event == "octets" && held.records.empty());
  held.records.push_back(last_);
  if (is_end && !std::exchange(held.ended, true)) ended_.push_back(key);
}

void RecordRing::make_room() {
  while (held_ > limit_ && records_.size() > 1) {
    if (!ended_.empty()) {
      const Key oldest = ended_.front();
      ended_.pop_front();
      for (const std::uint64_t number : sessions_[oldest].records) erase(number);
      sessions_.erase(oldest);
      gone_before_ = std::max(gone_before_, Key{oldest.first, oldest.second + 1});
      continue;
    }
    const auto first =
        std::ranges::find_if(records_, [](const auto& each) { return !each.second.stays; });
    if (first == records_.end()) return;
    const auto session = sessions_.find(first->second.key);
    session->second.records.pop_front();
    if (session->second.records.empty()) sessions_.erase(session);
    erase(first->first);
  }
}

void RecordRing::erase(std::uint64_t number) {
  const auto record = records_.find(number);
  held_ -= record->second.text.size() + kOverhead;
  gone_ = std::max(gone_, number);
  records_.erase(record);
}

std::uint64_t RecordRing::number_of(std::string_view id) const {
  constexpr std::uint64_t kLost = std::numeric_limits<std::uint64_t>::max();
  if (!id.starts_with(epoch_) || id.substr(epoch_.size()).substr(0, 1) != "-") return kLost;
  const std::string_view digits = id.substr(epoch_.size() + 1);
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size() ? number : kLost;
}

RecordRing::Piece RecordRing::read(std::uint64_t after, std::size_t octets) const {
  const std::lock_guard lock(mutex_);
  Piece piece{{}, after};
  // A number from the future is that of a run before this one.
  const bool lost = after < gone_ || after > last_;
  const auto put = [&](const auto& each) {
    fmt::format_to(std::back_inserter(piece.events), "id: {}-{}\n", epoch_, each.first);
    append_data(piece.events, each.second.text);
    piece.events += '\n';
    piece.last = each.first;
  };
  if (lost) {
    fmt::format_to(std::back_inserter(piece.events),
                   "event: resync\ndata: {{\"run\":{},\"before\":{}}}\n\n", gone_before_.first,
                   gone_before_.second);
    // What is left of the time before: of open sessions mostly. At once, so that the reader is
    // ahead of what goes meanwhile.
    for (auto at = records_.begin(); at != records_.upper_bound(gone_); ++at) put(*at);
    piece.last = after = gone_;
  }
  for (auto at = records_.upper_bound(after); at != records_.end(); ++at) {
    if (!piece.events.empty() && piece.events.size() >= octets) break;
    put(*at);
  }
  return piece;
}

std::size_t RecordRing::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

}  // namespace smtpscope
