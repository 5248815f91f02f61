// Indy's log components (TIdLogFile, TIdLogDebug), of Delphi and C++Builder: "Recv DATE TIME:
// …<EOL>", the stamp in the form of the machine's locale, line ends as <EOL> (in older ones
// <CR><LF>).

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

/// What stands behind the stamp; "" if there is none. `time`: where its time of day begins.
std::string_view behind_indy_stamp(std::string_view line, std::string_view& time) {
  std::size_t at = line.find(": ");
  // A time of day has colons without blanks.
  if (at > 32) return {};  // or there is none
  const std::string_view stamp = line.substr(0, at);
  const std::size_t hour = stamp.find(':');
  if (hour == std::string_view::npos || hour < 1) return {};
  std::size_t begin = hour;
  while (begin > 0 && is_digit(stamp[begin - 1])) --begin;
  time = line.substr(begin);
  return line.substr(at + 2);
}

class IndyReader : public PastedReader {
 public:
  IndyReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "Indy", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    std::string_view rest, time;
    if (take_mark(line, "Recv ", rest)) {
      say(Side::kServer, behind_indy_stamp(rest, time), time);
    } else if (take_mark(line, "Sent ", rest)) {
      say(Side::kClient, behind_indy_stamp(rest, time), time);
    } else if (line.starts_with("Stat ") && line.ends_with("Connected.")) {
      book_.announce("", "");
    } else if (line.starts_with("Stat ") && line.ends_with("Disconnected.")) {
      book_.end("");
    }
  }

 private:
  void say(Side from, std::string_view text, std::string_view time) {
    if (text.empty()) return;
    if (const auto stamp = stamps_.read_time_of_day(time)) book_.at(stamp);
    while (!text.empty()) {
      constexpr std::array<std::string_view, 3> kEnds = {"<EOL>", "<CR><LF>", "<LF>"};
      std::size_t end = text.size(), size = 0;
      for (const std::string_view each : kEnds) {
        if (const std::size_t at = text.find(each); at < end) {
          end = at;
          size = each.size();
        }
      }
      book_.say("", from, text.substr(0, end));
      text.remove_prefix(end + size);
    }
  }
};

bool recognises_indy(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    std::string_view rest, time;
    return take_mark(line, "Recv ", rest) && is_reply_line(behind_indy_stamp(rest, time));
  });
}

}  // namespace

const LogKind kIndyKind = {
    .name = "indy",
    .description = "what Indy's log components write, of Delphi and C++Builder",
    .how = "SMTP.IOHandler.Intercept := IdLogFile1; IdLogFile1.Active := True",
    .recognises = recognises_indy,
    .make = make_log_reader<IndyReader>,
};

}  // namespace smtpscope
