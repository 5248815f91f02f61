#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "timeline/filter/text_pattern.h"

namespace smtpscope {

/// Hosts to look for: a network, an address, or a part of a name. A value.
class HostPattern {
 public:
  /// Nothing if it has a '/' and is no network.
  static std::optional<HostPattern> read(std::string_view text);

  /// Of an address as timelines have it: "192.0.2.1:25", "[2001:db8::1]:25", "mx.example:25".
  bool matches(std::string_view address) const;

 private:
  explicit HostPattern(std::string_view text);

  std::string bits_;        // the first of the address, '0' and '1'; "" for a name
  std::size_t length_ = 0;  // of a whole address of that version
  TextPattern name_;
};

}  // namespace smtpscope
