#include "readers/input_buffer.h"

#include <algorithm>
#include <cstring>

namespace smtpscope {

Result<bool> InputBuffer::read_until(std::size_t octets) {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const std::size_t size = std::max(octets, end_) + kReadSize;
  if (buffer_.size() < size) buffer_.resize(size);
  while (end_ < octets) {
    const Result<std::size_t> got = octets_->read(std::span(buffer_).subspan(end_));
    if (!got) return got.error();
    if (got.value() == 0) return false;
    end_ += got.value();
  }
  return true;
}

}  // namespace smtpscope
