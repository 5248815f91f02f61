#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "capture/wire_event.h"
#include "exporters/file_totals.h"
#include "exporters/output.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "timeline/severity.h"

namespace smtpscope {

/// In which order the events of sessions that overlap are put out.
enum class Arrangement : std::uint8_t {
  kByTime,     // as they come: for a live view
  kBySession,  // each session as a whole, in the order in which they were opened
};

/// What the user asked for. Formats ignore what does not concern them.
struct ExporterOptions {
  Arrangement arrangement = Arrangement::kByTime;
  /// Leave out sessions without an annotation of at least this severity. Folded ones do not count.
  std::optional<Severity> annotated_from;
  /// Say at the beginning of each run where it comes from: there are several.
  bool name_runs = false;
  /// Text of earlier runs, by another exporter, stands in front of this one's.
  bool goes_on = false;
  /// The rules that annotated the timelines, to be named in the output; may be nullptr. Must
  /// outlive the exporter.
  const RuleSet* rules = nullptr;

  // For the eye only.
  std::size_t width = 0;  // columns of the terminal; 0: lines are not cut
  bool unicode = true;    // else ASCII only
  bool colour = false;
  bool verbose = false;  // every reply line, read boundaries, folded annotations
};

/// The event makes its session one that ExporterOptions::annotated_from asks for.
bool is_wanted_annotation(const TimelineEvent& event, const ExporterOptions& options);

/// Writes timelines in one format. Takes one run after the other: begin_run(), its events, then
/// end_run(); after the last run finish(). Not thread-safe.
class Exporter : public TimelineSink {
 public:
  virtual void begin_run(const RunInfo& run) = 0;
  /// For formats that hold octets (ExporterKind::octets): the wire event that the next timeline
  /// events come of. Credentials may be in it, if the run has them.
  virtual void on_octets(const WireEvent& /*event*/) {}
  /// Idem: a wire event as it may be written down, credentials masked; some time after the timeline
  /// events that come of it.
  virtual void on_record(const WireEvent& /*event*/) {}
  /// Nothing more comes of this run. Sessions that have not ended are shown as far as they went.
  virtual void end_run() = 0;
  /// There were several files: what each comes to. Nothing where the format says it already.
  virtual void sum_up(std::span<const FileTotals> /*files*/) {}
  /// Completes the document.
  virtual void finish() = 0;
};

/// What there is to know of a format besides its name.
enum class ExporterTarget : std::uint8_t {
  kText,    // for a terminal or a file
  kBinary,  // for a file or a pipe
  kFolder,  // several files
};

/// A format that timelines can be written in.
struct ExporterKind {
  std::string_view name;
  std::string_view description;  // one line
  ExporterTarget target = ExporterTarget::kText;
  bool octets = false;    // it wants on_octets() and on_record(), so it is made of captures only
  bool in_parts = false;  // what several exporters write, one after the other, is one document too
  /// `output` must outlive the exporter. kFolder has make_in instead.
  std::unique_ptr<Exporter> (*make)(const ExporterOptions& options, Output& output) = nullptr;
  std::unique_ptr<Exporter> (*make_in)(const ExporterOptions& options,
                                       OutputFolder& folder) = nullptr;
};

/// All formats; the first is the default. Adding one: one file pair, one row here, one test.
std::span<const ExporterKind> all_exporters();

/// nullptr if there is none of that name.
const ExporterKind* find_exporter(std::string_view name);

}  // namespace smtpscope
