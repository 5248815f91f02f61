#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "exporters/otlp/collector_answer.h"
#include "exporters/otlp/collector_settings.h"

namespace smtpscope {

/// Takes requests to a collector. post() blocks, and is called on one thread.
class CollectorLink {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~CollectorLink() = default;
  virtual CollectorAnswer post(const std::string& request) = 0;
  /// From any thread: post() returns by then, and at once when that is over.
  virtual void end_by(Clock::time_point when) = 0;
};

/// Over HTTP. To be called before threads are started, for libcurl's sake.
Result<std::unique_ptr<CollectorLink>> open_collector_link(const CollectorSettings& settings);

}  // namespace smtpscope
