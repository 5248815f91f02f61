#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "capture/wire_source.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "trace/batch_queue.h"
#include "trace/replay.h"
#include "trace/timeline_batch.h"
#include "trace/wire_batch.h"

namespace smtpscope {

/// A recording made into timelines by three threads, each a stage of the way and ahead of the next
/// by some batches: one reads (files, packets, TCP), one traces (a Replay), and the caller's writes
/// down. Each stage keeps the order of the recording, so that what comes out is what one thread
/// alone would tell: rules look across sessions, and so do exporters.
///
/// Memory is bounded by kUnderWay for each of the two ways. For one run.
class StagedReplay {
 public:
  /// Enough that none of the stages waits for the others at each turn, little beside the machine.
  static constexpr std::size_t kUnderWay = std::size_t{8} * 1024 * 1024;
  /// A batch goes on when it has so much: with less the threads wake each other too often.
  static constexpr std::size_t kBatch = std::size_t{512} * 1024;

  /// Who is told, on the caller's thread.
  struct Listeners {
    TimelineSink& timeline;
    WireSink& octets;  // each event, before what the timelines tell of it
    WireSink& record;  // as Replay's
  };

  /// `wanted` and `rules` are those of Replay. With `octets` the listeners are told of these, too.
  /// All must outlive this.
  StagedReplay(WireSource& source, std::set<SessionId> wanted, const RuleSet& rules, bool octets);
  ~StagedReplay();
  StagedReplay(const StagedReplay&) = delete;
  StagedReplay& operator=(const StagedReplay&) = delete;

  /// Reads, traces and tells all of it, unless `enough` says so first. The Error is one of reading:
  /// what was read before it has been told.
  Result<Done> run(const Listeners& listeners, const std::function<bool()>& enough);

  /// What the source says of its run: from the first event on, and after run().
  const RunInfo& run_info() const { return run_info_; }
  /// After run().
  const Replay& replay() const { return replay_; }

 private:
  class Reader;
  class Threads;

  /// What a batch of wire events gives: what is told, in this order.
  struct Told {
    enum class What : std::uint8_t { kOctets, kRecord, kTimeline };

    std::size_t octets() const { return records.octets() + timeline.octets(); }
    void clear();

    std::vector<What> order;
    std::unique_ptr<WireBatch> wire;  // for the listener of octets; else nullptr
    WireBatch records;
    TimelineBatch timeline;
  };
  /// Takes what the Replay tells.
  class Tape : public TimelineSink, public WireSink {
   public:
    void on_timeline(const TimelineEvent& event) override;
    void on_wire(const WireEvent& event) override;
    std::unique_ptr<Told> told;
  };

  void read();
  void trace();
  bool trace(std::unique_ptr<WireBatch> batch);
  static void tell(Told& told, const Listeners& listeners);

  WireSource& source_;
  const bool octets_;
  Tape tape_;
  Replay replay_;
  BatchQueue<WireBatch> read_{kUnderWay};
  BatchQueue<Told> traced_{kUnderWay};
  // The reader's, until it has ended.
  RunInfo run_info_;  // written before the first batch is handed on, or at the end
  std::optional<Error> fault_;
  // What a stage has thrown.
  std::exception_ptr reader_failure_;
  std::exception_ptr tracer_failure_;
};

}  // namespace smtpscope
