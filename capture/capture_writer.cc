#include "capture/capture_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "base/system_error.h"
#include "capture/capture_file.h"
#include "capture/event_format.h"

namespace smtpscope {
namespace {

/// errno of the failure, 0 when all of `text` was written.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(descriptor, text.data(), text.size());
    if (wrote > 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (wrote == 0) {
      return ENOSPC;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// The sentences of one who watches the file.
BackgroundFile::Tell told_by_file(const CaptureWriter::Tell& tell) {
  if (!tell) return {};
  return [tell](int error) {
    if (error == 0) {
      tell("the capture is written again, and nothing waits for the disk any more");
    } else {
      tell(fmt::format(
          "the capture cannot be written: {}; it is tried again and again, and mail flows on. What "
          "is to be recorded waits in memory, and is left out when that is full",
          system_words(error)));
    }
  };
}

std::string why_lost(int error) {
  if (error == 0) return "the disk did not keep up";
  if (error == ENOSPC || error == EDQUOT) return "the disk was full";
  return fmt::format("writing failed: {}", system_words(error));
}

}  // namespace

Result<std::unique_ptr<CaptureWriter>> CaptureWriter::create(const std::string& path, bool force,
                                                             const RunInfo& run, Tell tell) {
  const Result<int> descriptor = create_capture_file(path, force);
  if (!descriptor) return descriptor.error();
  if (const int error = write_all(descriptor.value(), format_header(run))) {
    ::close(descriptor.value());
    return Error{fmt::format("cannot write the capture to {}: {}", path, system_words(error))};
  }
  return std::make_unique<CaptureWriter>(descriptor.value(), BackgroundFile::kDefaultLimit,
                                         std::move(tell));
}

CaptureWriter::Totals& CaptureWriter::Totals::operator+=(const Totals& more) {
  events += more.events;
  lost_events += more.lost_events;
  lost_octets += more.lost_octets;
  unwritten += more.unwritten;
  if (!more.trouble.empty()) trouble = more.trouble;
  return *this;
}

CaptureWriter::CaptureWriter(int descriptor, std::size_t limit, Tell tell)
    : file_(descriptor, BackgroundFile::Ownership::kOwned, limit, told_by_file(tell)),
      tell_(std::move(tell)) {}

CaptureWriter::CaptureWriter(BackgroundFile::Open open, Tell tell)
    : file_(std::move(open), BackgroundFile::kDefaultLimit, told_by_file(tell)),
      tell_(std::move(tell)) {}

bool CaptureWriter::put(std::string_view lines) {
  if (!file_.append(lines)) return false;
  size_ += lines.size();
  return true;
}

void CaptureWriter::on_wire(const WireEvent& event) {
  if (!note_losses() || !write(event)) lose(event);
}

bool CaptureWriter::write(const WireEvent& event) {
  char* const line = file_.reserve(most_event_line(event));
  if (!line) return false;
  const char* const end = format_event(line, event);
  const auto* bytes = std::get_if<Bytes>(&event.body);
  file_.commit(static_cast<std::size_t>(end - line), {1, bytes ? bytes->octets() : 0});
  size_ += static_cast<std::uint64_t>(end - line);
  ++totals_.events;
  return true;
}

/// Of what was lost already: if the line is lost too, that is not one event more.
bool CaptureWriter::write_gap(SessionId session, Time time, const Gap& gap) {
  const WireEvent event{session, time, gap};
  char* const line = file_.reserve(most_event_line(event));
  if (!line) return false;
  file_.commit(static_cast<std::size_t>(format_event(line, event) - line));
  return true;
}

void CaptureWriter::lose(const WireEvent& event) {
  if (why_.empty()) {
    why_ = why_lost(file_.status().error);
    missing_ = {};
    if (tell_) {
      tell_(
          fmt::format("the capture loses events: {}; mail flows on. They are counted, and the "
                      "capture will say so where they are missing",
                      why_));
    }
  }
  ++missing_.events;
  ++totals_.lost_events;
  const bool known = lost_.size() < kMaxSessions || lost_.contains(event.session);
  Lost& lost = known ? lost_[event.session] : lost_of_others_;
  ++lost.events;
  lost.last = event.time;
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    lost.octets[index(bytes->from)] += bytes->octets();
    totals_.lost_octets += bytes->octets();
    missing_.octets += bytes->octets();
  } else if (const auto* gap = std::get_if<Gap>(&event.body)) {
    if (gap->from) lost.octets[index(*gap->from)] += gap->octets;
  } else if (std::holds_alternative<SessionOpened>(event.body)) {
    if (known) lost.opened = std::make_unique<EventCopy>(event);
  } else if (std::holds_alternative<SessionEnded>(event.body)) {
    lost.ended = true;
  }
}

/// Writes the gaps that are not yet in the capture. False when there is no room for all of them.
bool CaptureWriter::note_losses() {
  if (lost_.empty() && lost_of_others_.events == 0) return true;
  while (!lost_.empty()) {
    if (!note_losses_of(lost_.begin()->first, lost_.begin()->second)) return false;
    lost_.erase(lost_.begin());
  }
  if (lost_of_others_.events > 0) {
    const std::uint64_t octets = lost_of_others_.octets[0] + lost_of_others_.octets[1];
    const Gap gap{std::nullopt, octets, lost_of_others_.events, why_};
    if (!write_gap(kWholeRun, lost_of_others_.last, gap)) return false;
    lost_of_others_ = {};
  }
  why_.clear();
  if (tell_) {
    tell_(
        fmt::format("the capture takes events again: {} of them are missing, with {} octets from "
                    "the wire, as it says where they belong",
                    missing_.events, missing_.octets));
  }
  return true;
}

/// Each step is taken off `lost` as it is written: the next attempt goes on behind it.
bool CaptureWriter::note_losses_of(SessionId session, Lost& lost) {
  if (lost.opened) {
    if (!write(lost.opened->event())) return false;
    lost.opened.reset();
    --lost.events;
    found_again();
  }
  // Its time is that of the session's last lost event, and so is the end of the session.
  const std::uint64_t ends = lost.ended ? 1 : 0;
  for (const Side side : {Side::kClient, Side::kServer}) {
    std::uint64_t& octets = lost.octets[index(side)];
    if (octets == 0) continue;
    if (!write_gap(session, lost.last, Gap{side, octets, lost.events - ends, why_})) return false;
    octets = 0;
    lost.events = ends;
  }
  if (lost.events > ends) {
    const Gap gap{std::nullopt, 0, lost.events - ends, why_};
    if (!write_gap(session, lost.last, gap)) return false;
    lost.events = ends;
  }
  if (!lost.ended) return true;
  if (!write({session, lost.last, SessionEnded{}})) return false;
  found_again();
  return true;
}

/// An event that there was no room for got into the capture after all.
void CaptureWriter::found_again() {
  --totals_.lost_events;
  --missing_.events;
}

void CaptureWriter::flush() {
  note_losses();
  file_.flush();
}

bool CaptureWriter::close(Duration patience) {
  flush();
  // What was lost last can be told only once the queue has room again.
  if (!note_losses() && file_.drain(patience / 2)) flush();
  const bool all_told = lost_.empty() && lost_of_others_.events == 0;
  return file_.close(patience) && all_told && totals_.lost_events == 0;
}

CaptureWriter::Totals CaptureWriter::totals() const {
  const BackgroundFile::Status status = file_.status();
  Totals totals = totals_;
  totals.unwritten = status.lost;
  totals.lost_events += status.lost_counts.events;
  totals.lost_octets += status.lost_counts.octets;
  if (status.error != 0) totals.trouble = system_words(status.error);
  return totals;
}

}  // namespace smtpscope
