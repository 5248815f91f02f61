#include "capture/capture_series.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/ascii.h"
#include "base/octets.h"
#include "base/system_error.h"
#include "capture/append_point.h"
#include "capture/capture_file.h"
#include "capture/event_format.h"
#include "capture/new_file.h"

namespace smtpscope {
namespace {

/// Greeting, EHLO with its replies, STARTTLS and AUTH fit; of a session for which they do not, the
/// next file has less to tell.
constexpr std::size_t kMostOpening = std::size_t{8} * 1024;
/// Files with one name, but for its number.
constexpr unsigned kMostAgain = 100'000;
/// What is being compressed at the end may go on for that long.
constexpr Duration kCompressingPatience = std::chrono::seconds(60);

constexpr std::string_view kGoesOn = "the session goes on in the next file of the run";
constexpr std::string_view kBegan =
    "the session began in an earlier file of the run, which has what came in between";

/// `line` with a field more.
std::string marked(std::string_view line, std::string_view field) {
  std::string text(line.substr(0, line.rfind('}')));
  text += field;
  text += "}\n";
  return text;
}

std::string line_of(const WireEvent& event) {
  std::string line(most_event_line(event), '\0');
  line.resize(static_cast<std::size_t>(format_event(line.data(), event) - line.data()));
  return line;
}

std::string seam_gap(SessionId session, Time time, std::uint64_t events, std::string_view why) {
  return marked(line_of({session, time, Gap{std::nullopt, 0, events, why}}), ",\"seam\":true");
}

/// The client announces a message: RFC 5321 4.1.1.2, and its like.
bool begins_mail(const WireEvent& event) {
  const auto* bytes = std::get_if<Bytes>(&event.body);
  if (bytes == nullptr || bytes->from != Side::kClient || bytes->aside) return false;
  const std::string text = in_lower_case(text_of(bytes->head));
  for (const std::string_view verb : {"mail ", "send ", "saml ", "soml ", "mail:"}) {
    const std::size_t at = text.find(verb);
    if (at == 0 || (at != std::string::npos && text[at - 1] == '\n')) return true;
  }
  return false;
}

}  // namespace

CaptureSeries::CaptureSeries(CaptureSeriesOptions options, CaptureName name,
                             CaptureWriter::Tell tell)
    : options_(std::move(options)),
      name_(std::move(name)),
      tell_(std::move(tell)),
      keeper_(std::make_unique<CaptureKeeper>(name_, options_.keeping, tell_)) {}

Result<std::unique_ptr<CaptureSeries>> CaptureSeries::open(const CaptureSeriesOptions& options,
                                                           const RunInfo& run,
                                                           CaptureWriter::Tell tell) {
  auto name = CaptureName::parse(options.path);
  if (!name) return name.error();
  const bool rotates = options.rotate_octets || options.rotate_every;
  const bool keeps =
      options.keeping.most_files || options.keeping.most_octets || options.keeping.oldest;
  if ((rotates || keeps) && !name.value().is_pattern()) {
    return Error{
        fmt::format("{} needs a name for each file: give --write one with the time in it, such as "
                    "run-%Y%m%dT%H%M%S.smtpcap",
                    rotates ? "--rotate" : "--keep")};
  }
  std::unique_ptr<CaptureSeries> series(
      new CaptureSeries(options, std::move(name.value()), std::move(tell)));
  if (auto opened = series->open_first(run); !opened) return opened.error();
  return series;
}

Result<Done> CaptureSeries::open_first(const RunInfo& run) {
  begun_.run = run;
  begun_.run.part = 1;
  struct stat there {};
  path_ = name_.at(run.started);
  const bool exists = ::stat(path_.c_str(), &there) == 0;
  if (options_.append && path_ != "-" && exists && there.st_size > 0) {
    if (auto done = go_on_with(path_, run); !done) return done;
  } else {
    if (!options_.force) path_ = free_name(run.started);
    auto writer =
        CaptureWriter::create(path_, options_.force || options_.append, begun_.run, tell_);
    if (!writer) return writer.error();
    current_ = std::move(writer.value());
  }
  first_path_ = path_;
  set_next_turn(Time() + (run.started - begun_.run.started));
  return Done{};
}

Result<Done> CaptureSeries::go_on_with(const std::string& path, const RunInfo& wanted) {
  auto point = find_append_point(path);
  if (!point) return point.error();
  const RunInfo& found = point.value().run;
  const auto other = [&](std::string_view what, std::string_view there) {
    return Error{fmt::format(
        "cannot append to {}: it was written with {} {}; give the same, or another file", path,
        what, there.empty() ? "''" : there)};
  };
  if (found.tap != wanted.tap) return other("--tap", found.tap);
  if (found.message_kept != wanted.message_kept) return other("--message", found.message_kept);
  if (found.credentials_kept != wanted.credentials_kept) {
    return other("credentials", found.credentials_kept ? "kept (--keep-credentials)" : "masked");
  }
  if (!found.redacted.empty())
    return Error{fmt::format("cannot append to {}: it was redacted", path)};
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) {
    return Error{fmt::format("cannot append to {}: {}", path, system_words(errno))};
  }
  const auto end = static_cast<off_t>(point.value().end);
  if (::ftruncate(descriptor, end) != 0 || ::lseek(descriptor, end, SEEK_SET) < 0) {
    const int fault = errno;
    ::close(descriptor);
    return Error{fmt::format("cannot append to {}: {}", path, system_words(fault))};
  }
  begun_.run.started = found.started;
  begun_.run.run = found.run.empty() ? wanted.run : found.run;
  begun_.run.part = std::max<std::uint64_t>(found.part, 1);
  begun_.last_session = point.value().last_session;
  begun_.cut_octets = point.value().cut_octets;
  begun_.appended = true;
  current_ = std::make_unique<CaptureWriter>(descriptor, BackgroundFile::kDefaultLimit, tell_);
  return Done{};
}

void CaptureSeries::on_wire(const WireEvent& event) {
  last_time_ = std::max(last_time_, event.time);
  if (is_due(event.time)) turn(event.time);
  if (event.session == kWholeRun) {
    if (previous_) previous_->on_wire(event);
    current_->on_wire(event);
    return;
  }
  const auto at = open_.try_emplace(event.session).first;
  Open& open = at->second;
  note(open, event);
  (open.in_previous ? *previous_ : *current_).on_wire(event);
  if (std::holds_alternative<SessionEnded>(event.body)) {
    const bool was_in_previous = open.in_previous;
    open_.erase(at);
    if (was_in_previous) leave_previous();
  }
  if (previous_ && event.time >= previous_until_) move_all(event.time);
}

/// Keeps what has to stand in the next file again.
void CaptureSeries::note(Open& open, const WireEvent& event) {
  if (open.in_opening && begins_mail(event)) open.in_opening = false;
  if (!open.in_opening) {
    ++open.events;
    return;
  }
  const std::string line = line_of(event);
  if (open.open_line.empty() && std::holds_alternative<SessionOpened>(event.body)) {
    open.open_line = line;
    return;
  }
  if (open.opening.size() + line.size() <= kMostOpening) {
    open.opening += marked(line, ",\"seam\":true");
    return;
  }
  open.in_opening = false;
  open.opening = {};
  ++open.events;
}

bool CaptureSeries::pending() const {
  return current_->pending() || (previous_ && previous_->pending()) || reopen_;
}

void CaptureSeries::flush() {
  // Not before: what had been handed over when it was asked for stands in the file before.
  if (reopen_ && current_->is_well() && reopen_.exchange(false) && may_reopen()) turn(last_time_);
  if (previous_) previous_->flush();
  current_->flush();
  queued_ = current_->queued() + (previous_ ? previous_->queued() : 0);
  lost_events_ = totals().lost_events;
}

bool CaptureSeries::awaits_rest(SessionId session) const {
  if (!previous_) return false;
  const auto at = open_.find(session);
  return at != open_.end() && at->second.in_previous;
}

void CaptureSeries::at_rest(SessionId session) {
  const auto at = open_.find(session);
  if (at != open_.end() && at->second.in_previous) move(session, at->second, last_time_, true);
}

bool CaptureSeries::is_due(Time now) const {
  const bool due = (options_.rotate_octets && current_->size() >= *options_.rotate_octets) ||
                   (next_turn_ && now >= *next_turn_);
  // A disk that does not take this file will not take another one.
  return due && current_->is_well();
}

/// A name without the time in it must have become free.
bool CaptureSeries::may_reopen() {
  if (name_.is_pattern()) return true;
  if (path_ == "-") return false;
  switch (look_for_name(current_->descriptor(), path_)) {
    case FileName::kFree:
      return true;
    case FileName::kSame:
      say(fmt::format("the capture goes on in {}, which was not renamed", path_));
      return false;
    case FileName::kTaken:
      say(fmt::format(
          "the capture is not begun anew: {} is another file now, and is not overwritten; what was "
          "written before goes on",
          path_));
      return false;
  }
  return false;
}

/// Of a pattern no file was meant in particular: one that is there keeps its name, and so does one
/// that is not there yet or no longer.
std::string CaptureSeries::free_name(WallTime when) {
  std::string name = name_.at(when);
  if (!name_.is_pattern()) return name;
  times_used_ = name == last_base_ ? times_used_ + 1 : 0;
  last_base_ = name;
  struct stat there {};
  for (; times_used_ < kMostAgain; ++times_used_) {
    name = name_.at(when, times_used_);
    if (::lstat(name.c_str(), &there) != 0) break;
  }
  return name;
}

void CaptureSeries::turn(Time now) {
  if (previous_) move_all(now);
  const WallTime wall = begun_.run.started + now.time_since_epoch();
  ++begun_.run.part;
  previous_ = std::move(current_);
  previous_path_ = std::exchange(path_, free_name(wall));
  current_ = std::make_unique<CaptureWriter>(
      [path = path_, header = format_header(begun_.run)] { return begin_file_again(path, header); },
      tell_);
  previous_until_ = now + kLongestOverlap;
  left_in_previous_ = open_.size() + 1;
  for (auto& [session, open] : open_) open.in_previous = true;
  turned_ = true;
  set_next_turn(now);
  leave_previous();
}

void CaptureSeries::set_next_turn(Time now) {
  if (!options_.rotate_every) return;
  const Duration every = *options_.rotate_every;
  const Duration wall = begun_.run.started.time_since_epoch() + now.time_since_epoch();
  next_turn_ = now + (every - wall % every);
}

/// From the file before into the new one.
void CaptureSeries::move(SessionId session, Open& open, Time now, bool at_rest) {
  previous_->put(seam_gap(session, now, 1, kGoesOn));
  std::string lines;
  if (open.in_opening) {
    // All of it stands in the new file.
    lines = marked(open.open_line, ",\"seam\":true") + open.opening;
  } else if (at_rest && !open.opening.empty()) {
    lines = marked(open.open_line, ",\"seam\":true") + open.opening +
            seam_gap(session, now, open.events, kBegan);
  } else if (!open.open_line.empty()) {
    const bool joined = open.open_line.find(",\"mid_session\":true") != std::string::npos;
    lines =
        marked(open.open_line, joined ? ",\"seam\":true" : ",\"mid_session\":true,\"seam\":true");
  }
  current_->put(lines);
  open.in_previous = false;
  leave_previous();
}

/// Who has not come to rest is cut where he is.
void CaptureSeries::move_all(Time now) {
  for (auto& [session, open] : open_) {
    if (previous_ && open.in_previous) move(session, open, now, false);
  }
}

void CaptureSeries::leave_previous() {
  if (--left_in_previous_ > 0) return;
  previous_->flush();
  // A file that was renamed under its name belongs to who has renamed it.
  keeper_->retire(std::move(previous_),
                  name_.is_pattern() ? std::move(previous_path_) : std::string(), path_);
}

bool CaptureSeries::close() {
  if (previous_) move_all(last_time_);
  current_->flush();
  keeper_->retire(std::move(current_), name_.is_pattern() ? path_ : std::string(), path_);
  keeper_->finish(2 * BackgroundFile::kPatience + kCompressingPatience);
  return keeper_->whole();
}

CaptureWriter::Totals CaptureSeries::totals() const {
  CaptureWriter::Totals sum = keeper_->totals();
  for (const CaptureWriter* writer : {previous_.get(), current_.get()}) {
    if (writer != nullptr) sum += writer->totals();
  }
  return sum;
}

void CaptureSeries::say(std::string_view text) const {
  if (tell_) tell_(text);
}

}  // namespace smtpscope
