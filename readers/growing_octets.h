#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "capture/octet_source.h"

namespace smtpscope {

/// The octets of a file that is being written, and of what takes its place: a log is moved away and
/// begun anew, or emptied, when it has grown long (logrotate(8)). Not thread-safe.
class GrowingOctets : public OctetSource {
 public:
  /// Takes the descriptor of `path`. `tell` is told, in one sentence, when the file is another one.
  GrowingOctets(int descriptor, std::string path, std::function<void(std::string_view)> tell);
  ~GrowingOctets() override;
  GrowingOctets(const GrowingOctets&) = delete;
  GrowingOctets& operator=(const GrowingOctets&) = delete;

  Result<std::size_t> read(std::span<std::uint8_t> room) override;
  /// Only logs go on in another file.
  void stay() { stays_ = true; }

 private:
  bool go_on();

  int descriptor_;
  std::string path_;
  std::function<void(std::string_view)> tell_;
  std::uint64_t position_ = 0;
  bool line_open_ = false;
  bool stays_ = false;
};

}  // namespace smtpscope
