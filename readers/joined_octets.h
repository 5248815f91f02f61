#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "capture/octet_source.h"

namespace smtpscope {

/// The octets of texts one behind the other, each beginning on a line of its own. Not thread-safe.
class JoinedOctets : public OctetSource {
 public:
  explicit JoinedOctets(std::vector<std::unique_ptr<OctetSource>> parts)
      : parts_(std::move(parts)) {}

  Result<std::size_t> read(std::span<std::uint8_t> room) override;

 private:
  std::vector<std::unique_ptr<OctetSource>> parts_;
  std::size_t part_ = 0;
  bool line_open_ = false;  // the part so far does not end in a line end
};

}  // namespace smtpscope
