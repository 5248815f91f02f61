#include "trace/staged_replay.h"

#include <thread>
#include <utility>

#include "base/worker_thread.h"

namespace smtpscope {

/// Gathers what the source gives.
class StagedReplay::Reader : public WireSink {
 public:
  explicit Reader(StagedReplay& stages) : stages_(stages) {}

  void on_wire(const WireEvent& event) override {
    if (!std::exchange(begun_, true)) stages_.run_info_ = stages_.source_.run();
    if (stopped_) return;
    if (!batch_ && !(batch_ = stages_.read_.blank())) {
      stopped_ = true;
      return;
    }
    batch_->add(event);
    if (batch_->octets() >= kBatch) stages_.read_.put(std::move(batch_));
  }

  /// Nobody wants any more.
  bool stopped() const { return stopped_; }

  void read_all() {
    while (!stopped_) {
      const Result<bool> more = stages_.source_.next(*this);
      if (!more) stages_.fault_ = more.error();
      if (!more || !more.value()) break;
    }
    stages_.source_.finish(*this);
    if (!begun_) stages_.run_info_ = stages_.source_.run();
    if (batch_) stages_.read_.put(std::move(batch_));
  }

 private:
  StagedReplay& stages_;
  std::unique_ptr<WireBatch> batch_;
  bool begun_ = false;
  bool stopped_ = false;
};

/// The two stages before the caller's. Whatever happens, they do not outlive this.
class StagedReplay::Threads {
 public:
  explicit Threads(StagedReplay& stages)
      : stages_(stages),
        reader_(start_worker([&stages] { stages.read(); })),
        tracer_(start_worker([&stages] { stages.trace(); })) {}
  ~Threads() {
    stages_.read_.stop();
    stages_.traced_.stop();
    reader_.join();
    tracer_.join();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  StagedReplay& stages_;
  std::thread reader_;
  std::thread tracer_;
};

void StagedReplay::Tape::on_timeline(const TimelineEvent& event) {
  told->timeline.add(event);
  told->order.push_back(Told::What::kTimeline);
}

void StagedReplay::Tape::on_wire(const WireEvent& event) {
  told->records.add(event);
  told->order.push_back(Told::What::kRecord);
}

void StagedReplay::Told::clear() {
  order.clear();
  wire.reset();
  records.clear();
  timeline.clear();
}

StagedReplay::StagedReplay(WireSource& source, std::set<SessionId> wanted, const RuleSet& rules,
                           bool octets)
    : source_(source),
      octets_(octets),
      replay_(std::move(wanted), rules, tape_, octets ? &tape_ : nullptr) {
  replay_.tell_headlines_of(source.run());
}

StagedReplay::~StagedReplay() = default;

Result<Done> StagedReplay::run(const Listeners& listeners, const std::function<bool()>& enough) {
  {
    const Threads threads(*this);
    while (!enough()) {
      std::unique_ptr<Told> told = traced_.take();
      if (!told) break;
      tell(*told, listeners);
      if (told->wire) read_.give_back(std::move(told->wire));
      traced_.give_back(std::move(told));
    }
  }
  if (reader_failure_) std::rethrow_exception(reader_failure_);
  if (tracer_failure_) std::rethrow_exception(tracer_failure_);
  if (fault_) return *fault_;
  return Done{};
}

/// The first stage.
void StagedReplay::read() {
  try {
    Reader(*this).read_all();
  } catch (...) {
    reader_failure_ = std::current_exception();
  }
  read_.close();
}

/// The second stage.
void StagedReplay::trace() {
  try {
    bool wanted = true;
    while (wanted) {
      std::unique_ptr<WireBatch> batch = read_.take();
      const bool over = batch == nullptr;
      wanted = trace(std::move(batch)) && !over;
    }
  } catch (...) {
    tracer_failure_ = std::current_exception();
  }
  traced_.close();
}

/// nullptr: behind the last batch. False: nobody wants it any more.
bool StagedReplay::trace(std::unique_ptr<WireBatch> batch) {
  tape_.told = traced_.blank();
  if (!tape_.told) return false;
  if (!batch) {
    replay_.finish();
  } else {
    for (const WireEvent& event : batch->events()) {
      if (octets_) tape_.told->order.push_back(Told::What::kOctets);
      replay_.on_wire(event);
    }
    if (octets_) {
      tape_.told->wire = std::move(batch);
    } else {
      read_.give_back(std::move(batch));
    }
  }
  traced_.put(std::move(tape_.told));
  return true;
}

/// The last stage.
void StagedReplay::tell(Told& told, const Listeners& listeners) {
  std::size_t octets = 0, records = 0;
  for (const Told::What what : told.order) {
    switch (what) {
      case Told::What::kOctets:
        listeners.octets.on_wire(told.wire->events()[octets++]);
        break;
      case Told::What::kRecord:
        listeners.record.on_wire(told.records.events()[records++]);
        break;
      case Told::What::kTimeline:
        listeners.timeline.on_timeline(told.timeline.next());
        break;
    }
  }
}

}  // namespace smtpscope
