#pragma once

#include <string>

#include "capture/octet_source.h"

namespace smtpscope {

/// What was compressed, in its original size. A stream that is damaged or cut ends where it can no
/// longer be read.
class UnpackedOctets : public OctetSource {
 public:
  /// What is wrong with the compression, "" if nothing was up to now.
  virtual const std::string& damage() const = 0;
  /// The end, as it is now, lies inside of what was compressed as one.
  virtual bool cut() const = 0;
};

}  // namespace smtpscope
