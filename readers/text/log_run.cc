#include "readers/text/log_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "base/time_bounds.h"
#include "capture/wall_time.h"

namespace smtpscope {

LogRun::LogRun(const std::string& file) {
  info_.source = file;
  // Nothing was masked or left out by us.
  info_.credentials_kept = true;
  info_.message_kept = "full";
}

Time LogRun::time_of(const LogStamp& stamp) {
  zoneless_ = zoneless_ || !stamp.zoned;
  yearless_ = yearless_ || stamp.yearless;
  if (!std::exchange(started_, true)) info_.started = stamp.time;
  if (!first_stamp_) first_stamp_ = stamp.time;
  return Time(std::clamp(stamp.time - *first_stamp_, Duration::zero(), kFurthestTime));
}

Time LogRun::without_times(WallTime when) {
  if (!std::exchange(started_, true)) {
    info_.started = when;
    undated_ = true;
  }
  return at_ns(0);
}

void LogRun::unreadable(std::string_view why) {
  if (unreadable_++ == 0) first_unreadable_ = fmt::format("line {}: {}", lines_, why);
}

std::vector<SourceNotice> LogRun::notices() const {
  using Kind = SourceNotice::Kind;
  std::vector<SourceNotice> notices;
  if (unreadable_ > 0) {
    notices.push_back({Kind::kCorrupt, unreadable_,
                       fmt::format("{} could not be read; the first is {}",
                                   counted(unreadable_, "line"), first_unreadable_)});
  }
  for (const std::string& note : notes_) notices.push_back({Kind::kUnknown, 1, note});
  if (given_up_ > 0) {
    notices.push_back(
        {Kind::kCut, given_up_,
         fmt::format("{} ended here although the log may go on with {}: too many were "
                     "open at a time",
                     counted(given_up_, "session"), given_up_ == 1 ? "it" : "them")});
  }
  if (sessions_ == 0) {
    notices.push_back({Kind::kUnknown, 1, "it holds no SMTP session"});
  } else if (undated_ && first_stamp_) {
    notices.push_back({Kind::kUnknown, 1,
                       "it begins with what has no time: the dates shown are those of the file, "
                       "only the time between two stamps is right"});
  } else if (zoneless_) {
    const std::string year = format_wall_time(info_.started).substr(0, 4);
    notices.push_back(
        {Kind::kUnknown, 1,
         fmt::format("its stamps name no time zone{}: they are shown as if they were UTC{}",
                     yearless_ ? " and no year" : "",
                     yearless_ ? fmt::format(", the first one of {}", year) : "")});
  }
  return notices;
}

}  // namespace smtpscope
