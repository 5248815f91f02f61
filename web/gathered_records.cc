#include "web/gathered_records.h"

#include "web/record_head.h"

namespace smtpscope {

void GatheredRecords::write(std::string_view text) {
  const std::uint64_t session = head_of_record(text).session;
  if (session == 0) {
    flush();
    next_.write(text);
    return;
  }
  held_[session] += text;
  octets_ += text.size();
  if (octets_ > kMost) flush();
}

void GatheredRecords::flush() {
  if (held_.empty()) return;
  std::string all;
  all.reserve(octets_);
  for (const auto& [session, text] : held_) all += text;
  held_.clear();
  octets_ = 0;
  next_.write(all);
}

}  // namespace smtpscope
