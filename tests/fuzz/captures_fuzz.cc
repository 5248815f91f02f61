// A whole capture file, made of the input, through what show, diff and redact do with it: nothing
// ends the program, how the file is cut into reads makes no difference, a run is the same as
// itself, and redaction leaves one event for each.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/octets.h"
#include "capture/capture_reader.h"
#include "diff/runs/normalizer.h"
#include "diff/runs/run_comparison.h"
#include "diff/taps/taps_comparison.h"
#include "exporters/exporter.h"
#include "redact/redactor.h"
#include "tests/readers/memory_octets.h"
#include "timeline/rule_set.h"
#include "trace/replay.h"
#include "trace/run_recorder.h"

using namespace smtpscope;

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

class Text : public Output {
 public:
  void write(std::string_view text) override { text_ += text; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

class Counter : public WireSink {
 public:
  void on_wire(const WireEvent& /*event*/) override { ++events; }
  std::uint64_t events = 0;
};

/// Hands events to an exporter as `show` does.
class ToExporter : public WireSink {
 public:
  ToExporter(Exporter& exporter, Replay& replay) : exporter_(exporter), replay_(replay) {}
  void on_wire(const WireEvent& event) override {
    exporter_.on_octets(event);
    replay_.on_wire(event);
  }

 private:
  Exporter& exporter_;
  Replay& replay_;
};

class ToRecord : public WireSink {
 public:
  explicit ToRecord(Exporter& exporter) : exporter_(exporter) {}
  void on_wire(const WireEvent& event) override { exporter_.on_record(event); }

 private:
  Exporter& exporter_;
};

class ToRecorder : public WireSink {
 public:
  ToRecorder(RunRecorder& recorder, Replay& replay) : recorder_(recorder), replay_(replay) {}
  void on_wire(const WireEvent& event) override {
    recorder_.on_wire(event);
    replay_.on_wire(event);
  }

 private:
  RunRecorder& recorder_;
  Replay& replay_;
};

std::unique_ptr<CaptureReader> open(std::string_view file, std::size_t piece) {
  auto reader =
      CaptureReader::open(std::make_unique<test::MemoryOctets>(std::string(file), piece), "fuzz");
  return reader ? std::move(reader.value()) : nullptr;
}

void read_all(CaptureReader& reader, WireSink& sink) {
  while (true) {
    const Result<bool> more = reader.next(sink);
    require(more.ok(), "memory cannot be read");
    if (!more.value()) break;
  }
  reader.finish(sink);
  static_cast<void>(reader.notices());
}

std::string shown(std::string_view file, std::size_t piece, const ExporterKind& kind,
                  const RuleSet& rules) {
  const std::unique_ptr<CaptureReader> reader = open(file, piece);
  Text text;
  ExporterOptions options;
  options.rules = &rules;
  options.verbose = true;
  const std::unique_ptr<Exporter> exporter = kind.make(options, text);
  ToRecord record(*exporter);
  Replay replay({}, rules, *exporter, kind.octets ? &record : nullptr);
  replay.tell_headlines_of(reader->run());
  ToExporter events(*exporter, replay);
  exporter->begin_run(reader->run());
  read_all(*reader, events);
  exporter->end_run();
  exporter->finish();
  return text.take();
}

RunRecord recorded(std::string_view file, const RuleSet& rules) {
  const std::unique_ptr<CaptureReader> reader = open(file, ~std::size_t{0});
  RunRecorder recorder("fuzz", reader->run());
  Replay replay({}, rules, recorder);
  ToRecorder events(recorder, replay);
  read_all(*reader, events);
  return recorder.take();
}

void redact(std::string_view file, BodyPolicy policy) {
  constexpr std::string_view kKey = "a key that is the same in each run";
  Counter before, after;
  const std::unique_ptr<CaptureReader> plain = open(file, ~std::size_t{0});
  read_all(*plain, before);
  Pseudonyms names(kKey);
  Redactor redactor(names, policy, after);
  const std::unique_ptr<CaptureReader> reader = open(file, ~std::size_t{0});
  read_all(*reader, redactor);
  redactor.finish();
  static_cast<void>(redacted_run(reader->run(), names, policy));
  require(before.events == after.events, "redaction does not leave one event for each");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const RuleSet kRules;
  static const Result<Normalizers> kNormalizers = Normalizers::make({});
  const std::string_view file = text_of({data, size});
  if (open(file, ~std::size_t{0}) == nullptr) return 0;
  for (const ExporterKind& kind : all_exporters()) {
    if (kind.make == nullptr) continue;  // writes a folder
    require(shown(file, ~std::size_t{0}, kind, kRules) == shown(file, 7, kind, kRules),
            "the reads make a difference");
  }
  const RunRecord run = recorded(file, kRules);
  require(compare_runs(run, run, kNormalizers.value(), {}).same(), "a run differs from itself");
  static_cast<void>(compare_taps(run, run, kRules));
  for (const BodyPolicy policy : {BodyPolicy::kDrop, BodyPolicy::kShape, BodyPolicy::kKeep}) {
    redact(file, policy);
  }
  return 0;
}
