#include "cli/session_export.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <set>
#include <string_view>
#include <utility>

#include "base/system_error.h"
#include "cli/redaction.h"
#include "exporters/wanted_sessions.h"
#include "readers/joined_source.h"
#include "timeline/filter/session_filter.h"
#include "trace/replay.h"

namespace smtpscope {
namespace {

struct ExportKind {
  std::string_view format;
  std::string_view extension;
  std::string_view type;
};

constexpr ExportKind kKinds[] = {{"html", "html", "text/html"},
                                 {"jsonl", "jsonl", "application/jsonl"},
                                 {"markdown", "md", "text/markdown"},
                                 {"pcapng", "pcapng", "application/x-pcapng"}};

/// A folder that is gone again when this is.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make() {
    const char* directory = std::getenv("TMPDIR");
    std::string path =
        std::string(directory != nullptr && *directory != '\0' ? directory : "/tmp") +
        "/smtpscope-export-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      return Error{"cannot make the folder " + path + ": " + system_words(errno)};
    }
    return TemporaryFolder(std::move(path));
  }
  ~TemporaryFolder() {
    if (path_.empty()) return;
    ::unlink(file().c_str());
    ::rmdir(path_.c_str());
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;

  std::string file() const { return path_ + "/redacted.smtpcap"; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// Finds the sessions that two filters keep.
class Chooser : public TimelineSink {
 public:
  Chooser(const ExporterOptions& one, const ExporterOptions& other) : one_(one), other_(other) {}
  void begin(WallTime started) {
    one_.begin_run(started);
    other_.begin_run(started);
  }
  void on_timeline(const TimelineEvent& event) override {
    if (event.session != kWholeRun) all_.insert(event.session);
    if (one_.on_timeline(event)) by_one_.insert(event.session);
    if (other_.on_timeline(event)) by_other_.insert(event.session);
  }
  std::set<SessionId> take() {
    for (const SessionId session : one_.end_run()) by_one_.insert(session);
    for (const SessionId session : other_.end_run()) by_other_.insert(session);
    std::set<SessionId> chosen;
    for (const SessionId session : all_) {
      const bool kept = (one_.all() || by_one_.contains(session)) &&
                        (other_.all() || by_other_.contains(session));
      if (kept) chosen.insert(session);
    }
    return chosen;
  }

 private:
  WantedSessions one_;
  WantedSessions other_;
  std::set<SessionId> all_;
  std::set<SessionId> by_one_;
  std::set<SessionId> by_other_;
};

/// Hands on what is of the chosen sessions.
class Gate : public TimelineSink, public WireSink {
 public:
  Gate(const WireSource& source, const std::set<SessionId>& chosen, Exporter& exporter)
      : source_(source), chosen_(chosen), exporter_(exporter) {}
  void begin() {
    if (!std::exchange(begun_, true)) exporter_.begin_run(source_.run());
  }
  void on_timeline(const TimelineEvent& event) override {
    begin();
    if (is_chosen(event.session)) exporter_.on_timeline(event);
  }
  void on_wire(const WireEvent& event) override {
    if (is_chosen(event.session)) exporter_.on_record(event);
  }
  bool is_chosen(SessionId session) const { return chosen_.contains(session); }

 private:
  const WireSource& source_;
  const std::set<SessionId>& chosen_;
  Exporter& exporter_;
  bool begun_ = false;
};

/// Before it is traced, what formats of octets take.
class Entrance : public WireSink {
 public:
  Entrance(const Gate& gate, Exporter& exporter, Replay& replay)
      : gate_(gate), exporter_(exporter), replay_(replay) {}
  void on_wire(const WireEvent& event) override {
    if (gate_.is_chosen(event.session)) exporter_.on_octets(event);
    replay_.on_wire(event);
  }

 private:
  const Gate& gate_;
  Exporter& exporter_;
  Replay& replay_;
};

Result<Done> read_to_end(WireSource& source, WireSink& sink, const std::atomic<bool>& stop) {
  while (!stop) {
    const Result<bool> more = source.next(sink);
    if (!more) return more.error();
    if (!more.value()) break;
  }
  if (stop) return Error{"it was given up"};
  source.finish(sink);
  return Done{};
}

/// Events wait until the run is known, which the first of them completes.
class Choice : public TimelineSink {
 public:
  Choice(const WireSource& source, Chooser& chooser) : source_(source), chooser_(chooser) {}
  void on_timeline(const TimelineEvent& event) override {
    if (!std::exchange(begun_, true)) chooser_.begin(source_.run().started);
    chooser_.on_timeline(event);
  }

 private:
  const WireSource& source_;
  Chooser& chooser_;
  bool begun_ = false;
};

}  // namespace

Result<ExportedFile> export_sessions(const std::vector<std::string>& files,
                                     const SourceOptions& source, const RuleSet& rules,
                                     const ExporterOptions& options, const SessionExport& chosen,
                                     const std::atomic<bool>& stop, Output& into) {
  const ExportKind* kind = nullptr;
  for (const ExportKind& each : kKinds) {
    if (each.format == chosen.format) kind = &each;
  }
  if (kind == nullptr) return Error{"there is no such format"};
  const Result<SessionFilter> filter = SessionFilter::parse(chosen.filter);
  if (!filter) return filter.error();

  // Which: by the names as they are.
  std::set<SessionId> sessions = {chosen.session};
  if (chosen.session == 0) {
    auto original = open_files(files, source);
    if (!original) return original.error();
    ExporterOptions by_filter;
    if (!chosen.filter.empty()) by_filter.filter = &filter.value();
    Chooser chooser(options, by_filter);
    Choice choice(*original.value(), chooser);
    Replay replay({}, rules, choice);
    replay.tell_headlines_of(original.value()->run());
    if (auto read = read_to_end(*original.value(), replay, stop); !read) return read.error();
    replay.finish();
    sessions = chooser.take();
  }

  auto folder = TemporaryFolder::make();
  if (!folder) return folder.error();
  std::vector<std::string> from = files;
  if (chosen.redacted) {
    RedactionOptions redaction;
    redaction.inputs = files;
    const auto redacted = redact_capture(redaction, folder.value().file(), false);
    if (!redacted) return redacted.error();
    from = {folder.value().file()};
  }
  auto opened = open_files(from, chosen.redacted ? SourceOptions{} : source);
  if (!opened) return opened.error();
  ExporterOptions how = options;
  how.filter = nullptr;
  how.annotated_from.reset();
  how.arrangement = Arrangement::kBySession;
  const auto exporter = find_exporter(kind->format)->make(how, into);
  Gate gate(*opened.value(), sessions, *exporter);
  Replay replay({}, rules, gate, &gate);
  replay.tell_headlines_of(opened.value()->run());
  Entrance entrance(gate, *exporter, replay);
  if (auto read = read_to_end(*opened.value(), entrance, stop); !read) return read.error();
  replay.finish();
  gate.begin();
  exporter->end_run();
  exporter->finish();
  if (const auto fault = exporter->fault()) return *fault;
  return ExportedFile{
      std::string(chosen.redacted ? "redacted." : "smtpscope.") + std::string(kind->extension),
      std::string(kind->type)};
}

}  // namespace smtpscope
