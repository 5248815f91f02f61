#include "cli/recorded_sessions.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "capture/wire_source.h"
#include "cli/session_export.h"
#include "exporters/html/page_records.h"
#include "exporters/json_writer.h"
#include "readers/joined_source.h"
#include "trace/replay.h"
#include "web/record_head.h"

namespace smtpscope {
namespace {

/// Text that is read once cannot be read again.
bool is_file(const std::string& path) {
  struct stat found {};
  return path != "-" && stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

class TextOutput : public Output {
 public:
  explicit TextOutput(std::string& text) : text_(text) {}
  void write(std::string_view text) override { text_ += text; }

 private:
  std::string& text_;
};

/// Makes records of all sessions, and keeps those of the last that are asked for.
class Keeper : public TimelineSink, public WireSink, private Output {
 public:
  Keeper(const OlderSessions::Asked& asked, const ExporterOptions& options)
      : asked_(asked), page_(options, *this) {}

  /// Before its first event, which completes what is known of the run.
  void comes_from(const WireSource& source) { source_ = &source; }
  void on_timeline(const TimelineEvent& event) override {
    if (!std::exchange(begun_, true)) page_.begin_run(source_->run());
    page_.on_timeline(event);
  }
  void on_wire(const WireEvent& event) override {
    if (event.session >= asked_.before) passed_ = true;
    if (event.session < asked_.before && event.session != kWholeRun) open_.insert(event.session);
    page_.on_record(event);
    if (std::holds_alternative<SessionEnded>(event.body)) open_.erase(event.session);
  }
  void end() {
    if (begun_) page_.end_run();
  }

  /// Nothing more comes of the sessions that are asked for.
  bool complete() const { return passed_ && open_.empty(); }
  const std::map<SessionId, std::string>& kept() const { return kept_; }
  /// Sessions that found no room, the newest of them + 1; 0: there are none.
  SessionId left_before() const { return left_before_; }

 private:
  void write(std::string_view text) override {
    // What is held until a filter has decided comes together: a text is of one session.
    const SessionId session = head_of_record(text).session;
    if (session == kWholeRun || session < asked_.from || session >= asked_.before ||
        session < left_before_) {
      return;
    }
    kept_[session] += text;
    octets_ += text.size();
    while (kept_.size() > RecordedSessions::kMost ||
           (octets_ > RecordedSessions::kMostOctets && kept_.size() > 1)) {
      octets_ -= kept_.begin()->second.size();
      left_before_ = kept_.begin()->first + 1;
      kept_.erase(kept_.begin());
    }
  }

  const OlderSessions::Asked asked_;
  PageRecords page_;
  const WireSource* source_ = nullptr;
  bool begun_ = false;
  bool passed_ = false;
  std::set<SessionId> open_;
  std::map<SessionId, std::string> kept_;
  std::size_t octets_ = 0;
  SessionId left_before_ = 0;
};

}  // namespace

RecordedSessions::RecordedSessions(SourceOptions source, const RuleSet& rules,
                                   ExporterOptions options)
    : source_(std::move(source)), rules_(rules), options_(options) {}

void RecordedSessions::add(std::string file) {
  add([files = std::vector{std::move(file)}] { return files; });
}

void RecordedSessions::add(std::function<std::vector<std::string>()> files) {
  const std::lock_guard lock(mutex_);
  files_.push_back(std::move(files));
}

/// None if there is no such run, or it cannot be read again.
std::vector<std::string> RecordedSessions::files_of(std::uint64_t run) {
  std::function<std::vector<std::string>()> asked_for;
  {
    const std::lock_guard lock(mutex_);
    if (run >= 1 && run <= files_.size()) asked_for = files_[run - 1];
  }
  std::vector<std::string> files = asked_for ? asked_for() : std::vector<std::string>();
  if (!std::ranges::all_of(files, is_file)) files.clear();
  return files;
}

void RecordedSessions::save(const Save& asked, const std::atomic<bool>& stop, Output& into) {
  const std::vector<std::string> files = files_of(asked.run);
  const SessionExport chosen{asked.session, asked.filter, asked.format, asked.redacted};
  std::string file;
  TextOutput text(file);
  const Result<ExportedFile> done =
      files.empty() ? Error{"it cannot be read again"}
                    : export_sessions(files, source_, rules_, options_, chosen, stop, text);
  JsonWriter json;
  json.begin_object();
  if (done) {
    json.string("name", done.value().name);
    json.string("type", done.value().type);
  } else {
    json.string("failed", done.error().message);
  }
  json.end_object();
  json.end_line();
  into.write(json.text());
  if (done) into.write(file);
}

void RecordedSessions::read(const Asked& asked, const std::atomic<bool>& stop, Output& into) {
  const std::vector<std::string> files = files_of(asked.run);
  std::string failed;
  Keeper keeper(asked, options_);
  if (files.empty()) {
    failed = "it cannot be read again";
  } else if (auto opened = open_files(files, source_); !opened) {
    failed = opened.error().message;
  } else {
    WireSource& source = *opened.value();
    keeper.comes_from(source);
    Replay replay({}, rules_, keeper, &keeper);
    replay.tell_headlines_of(source.run());
    while (!stop && !keeper.complete()) {
      const Result<bool> more = source.next(replay);
      if (!more) failed = more.error().message;
      if (!more || !more.value()) break;
    }
    if (stop) return;
    source.finish(replay);
    replay.finish();
    keeper.end();
    if (!replay.failures().empty()) failed = replay.failures().front();
  }
  for (const auto& [session, records] : keeper.kept()) into.write(records);
  JsonWriter json;
  json.begin_object();
  json.string("event", "older");
  if (keeper.left_before() > asked.from) {
    json.number("run", asked.run);
    json.number("before", keeper.left_before());
  } else if (asked.run > 1 && asked.from <= 1) {
    json.number("run", asked.run - 1);
    json.number("before", std::numeric_limits<std::uint32_t>::max());
  }
  json.string_if("failed", failed);
  json.end_object();
  json.end_line();
  into.write(json.text());
}

}  // namespace smtpscope
