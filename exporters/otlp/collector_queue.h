#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "exporters/otlp/collector_link.h"
#include "exporters/otlp/span_encoding.h"

namespace smtpscope {

/// Spans on their way to a collector, sent by a thread of their own, so that nothing waits for the
/// network. What finds no room is dropped and counted. A collector that cannot be reached, or asks
/// to be spared, is tried again and again, less and less often; what it refuses is lost.
///
/// add() is called on one thread, close() when nothing comes any more.
class CollectorQueue {
 public:
  struct Limits {
    /// Of spans that wait, or are on their way.
    std::size_t octets = std::size_t{64} * 1024 * 1024;
    /// Of a request, before it is compressed. Collectors take 20 MiB, some less.
    std::size_t request = std::size_t{1} * 1024 * 1024;
    /// So long spans gather before they are sent.
    Duration gather = std::chrono::seconds(1);
    /// Between tries: the first, and the longest.
    Duration first_wait = std::chrono::seconds(1);
    Duration longest_wait = std::chrono::seconds(30);
    /// Losses while all else is well are told no more often.
    Duration tell_again = std::chrono::minutes(1);
  };
  static constexpr Duration kPatience = std::chrono::seconds(5);

  /// Called on the thread of the queue, with a sentence: when trouble begins, and when it is over.
  using Tell = std::function<void(std::string_view words)>;

  /// `encoding` has its resource, and is not changed any more. `shown`: what the collector is
  /// called.
  CollectorQueue(std::unique_ptr<CollectorLink> link, std::shared_ptr<const SpanEncoding> encoding,
                 bool json, std::string shown, Tell tell, const Limits& limits);
  CollectorQueue(std::unique_ptr<CollectorLink> link, std::shared_ptr<const SpanEncoding> encoding,
                 bool json, std::string shown, Tell tell)
      : CollectorQueue(std::move(link), std::move(encoding), json, std::move(shown),
                       std::move(tell), Limits{}) {}
  /// Closes.
  ~CollectorQueue();
  CollectorQueue(const CollectorQueue&) = delete;
  CollectorQueue& operator=(const CollectorQueue&) = delete;

  /// A span, as the encoding has written it.
  void add(std::string_view span);
  /// Spans that the collector will never have.
  std::uint64_t lost() const;
  /// Spans that wait, or are on their way.
  std::uint64_t waiting() const;

  /// Sends what waits. After `patience`, or when the collector cannot be reached, what is left is
  /// lost. False if anything was.
  bool close(Duration patience = kPatience);

 private:
  class Shared;

  std::shared_ptr<Shared> shared_;  // with the thread
  bool closed_ = false;
};

}  // namespace smtpscope
