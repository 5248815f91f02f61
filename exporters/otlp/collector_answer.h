#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace smtpscope {

/// What came of a request to a collector.
struct CollectorAnswer {
  int status = 0;                            // of HTTP; 0: there was no answer
  std::string fault = {};                    // why not
  std::optional<Duration> retry_after = {};  // RFC 9110 10.2.3
  std::string body = {};
};

/// What is to be done then.
enum class DeliveryStep : std::uint8_t {
  kDone,    // it has them, but for those that it rejected
  kRetry,   // later, the same
  kSplit,   // they were too many for one request
  kGiveUp,  // it will never take them
};

struct Delivery {
  DeliveryStep step = DeliveryStep::kDone;
  std::uint64_t rejected = 0;  // kDone: spans that it did not take
  std::string words = {};      // why it is not well; "" if it is
};

/// As the OTLP specification says (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Response"). `json`:
/// requests, and so answers, are OTLP/JSON.
Delivery judge_answer(const CollectorAnswer& answer, bool json);

}  // namespace smtpscope
