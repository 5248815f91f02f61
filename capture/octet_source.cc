#include "capture/octet_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/system_error.h"

namespace smtpscope {

DescriptorOctets::~DescriptorOctets() { ::close(descriptor_); }

Result<std::size_t> DescriptorOctets::read(std::span<std::uint8_t> room) {
  while (true) {
    const ssize_t got = ::read(descriptor_, room.data(), room.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return std::size_t{0};
    return Error{fmt::format("cannot read {}: {}", name_, system_words(errno))};
  }
}

}  // namespace smtpscope
