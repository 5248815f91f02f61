#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smtpscope {

/// Stand-ins for what must not leave the machine, the same for the same name, so that rows still
/// join. Not thread-safe.
class RecordPseudonyms {
 public:
  virtual ~RecordPseudonyms() = default;
  /// Of a host's address or name, in whatever case.
  virtual std::string address(std::string_view address) = 0;
  /// Of a path: that of its local part, and behind "@" that of its domain as address() gives it.
  virtual std::string mailbox(std::string_view path) = 0;
  /// Of a digest that anybody could compute from a guess.
  virtual std::uint64_t digest(std::uint64_t digest) = 0;
};

}  // namespace smtpscope
