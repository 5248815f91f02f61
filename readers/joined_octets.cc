#include "readers/joined_octets.h"

namespace smtpscope {

Result<std::size_t> JoinedOctets::read(std::span<std::uint8_t> room) {
  while (part_ < parts_.size()) {
    Result<std::size_t> got = parts_[part_]->read(room);
    if (!got) return got;
    if (got.value() > 0) {
      line_open_ = room[got.value() - 1] != '\n';
      return got;
    }
    // The last one may grow.
    if (part_ + 1 == parts_.size()) return got;
    ++part_;
    if (!line_open_) continue;
    line_open_ = false;
    room[0] = '\n';
    return std::size_t{1};
  }
  return std::size_t{0};
}

}  // namespace smtpscope
