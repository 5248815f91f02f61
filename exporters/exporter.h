#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "capture/wire_event.h"
#include "exporters/file_totals.h"
#include "exporters/output.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "timeline/severity.h"

namespace smtpscope {

class RecordPseudonyms;
class SessionFilter;

/// In which order the events of sessions that overlap are put out.
enum class Arrangement : std::uint8_t {
  kByTime,     // as they come: for a live view
  kBySession,  // each session as a whole, in the order in which they were opened
};

/// How lines of the text timeline say when.
enum class TimeShown : std::uint8_t {
  kRelative,  // since the session began
  kWall,      // the local time of day, as logs have it
  kBoth,
};

/// What the user asked for. Formats ignore what does not concern them.
struct ExporterOptions {
  Arrangement arrangement = Arrangement::kByTime;
  /// Leave out sessions without an annotation of at least this severity. Folded ones do not count.
  std::optional<Severity> annotated_from;
  /// Leave out sessions that it does not keep; nullptr: it keeps all. Must outlive the exporter.
  const SessionFilter* filter = nullptr;
  /// Say at the beginning of each run where it comes from: there are several.
  bool name_runs = false;
  /// Text of earlier runs, by another exporter, stands in front of this one's.
  bool goes_on = false;
  /// The rules that annotated the timelines, to be named in the output; may be nullptr. Must
  /// outlive the exporter.
  const RuleSet* rules = nullptr;

  // For records and spans only.
  std::string_view host;  // the machine that they are said to be of; must outlive the exporter
  /// Stand in for names; nullptr: names stay. Must outlive the exporter.
  RecordPseudonyms* pseudonyms = nullptr;
  /// For spans: what is told of where they come from, by name. nullptr: nothing of the user's. Must
  /// outlive the exporter.
  const std::vector<std::pair<std::string, std::string>>* resource = nullptr;

  // For the eye only.
  std::size_t width = 0;  // columns of the terminal; 0: lines are not cut
  bool unicode = true;    // else ASCII only
  bool colour = false;
  TimeShown time = TimeShown::kRelative;
  bool verbose = false;  // every reply line, read boundaries, folded annotations
};

/// Writes timelines in one format. Takes one run after the other: begin_run(), its events, then
/// end_run(); after the last run finish(). Not thread-safe.
class Exporter : public TimelineSink {
 public:
  virtual void begin_run(const RunInfo& run) = 0;
  /// For formats that hold octets (ExporterKind::octets): the wire event that the next timeline
  /// events come of. Credentials may be in it, if the run has them.
  virtual void on_octets(const WireEvent& /*event*/) {}
  /// Likewise: a wire event as it may be written down, credentials masked; some time after the
  /// timeline events that come of it.
  virtual void on_record(const WireEvent& /*event*/) {}
  /// Nothing more comes of this run. Sessions that have not ended are shown as far as they went.
  virtual void end_run() = 0;
  /// There were several files: what each comes to. Nothing where the format says it already.
  virtual void sum_up(std::span<const FileTotals> /*files*/) {}
  /// Completes the document.
  virtual void finish() = 0;
  /// Why what was written is not all that there is, although the output took it. To be asked at the
  /// end.
  virtual std::optional<Error> fault() const { return std::nullopt; }
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
  bool adds = false;      // kFolder: it replaces no file, so the folder may hold some
  bool in_parts = false;  // what several exporters write, one after the other, is one document too
  /// Lines that say that so many octets are missing there. nullptr: a document with a hole is none,
  /// so the format is not for live runs, whose reader may be too slow.
  std::string (*hole)(std::uint64_t octets) = nullptr;
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
