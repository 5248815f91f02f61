#include "readers/log_swaks.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "readers/log_lines.h"

namespace smtpscope {
namespace {

constexpr std::size_t kMarkSize = 4;
constexpr std::array<std::string_view, 4> kServerMarks = {"<-  ", "<** ", "<~  ", "<~* "};
constexpr std::array<std::string_view, 2> kClientMarks = {" -> ", " ~> "};
constexpr std::string_view kTrying = "=== Trying ";
constexpr std::string_view kConnected = "=== Connected to ";
constexpr std::string_view kConnectionClosed = "=== Connection closed with remote host";
constexpr std::string_view kServerClosed = "*** Remote host closed connection";

/// The blank of a mark is not there where an empty line was trimmed.
bool has_mark(std::string_view line, std::span<const std::string_view> marks) {
  return std::any_of(marks.begin(), marks.end(), [&](std::string_view mark) {
    return line.starts_with(mark) || line == mark.substr(0, mark.find_last_not_of(' ') + 1);
  });
}

/// With --suppress-data the message is told as "12 lines sent".
bool tells_lines(std::string_view line) {
  constexpr std::string_view kSent = " lines sent";
  if (!line.ends_with(kSent)) return false;
  line.remove_suffix(kSent.size());
  return !line.empty() && std::all_of(line.begin(), line.end(), is_digit);
}

constexpr Fidelity kTranscriptFidelity = {
    .unknown = kUnknownOctets | kUnknownReads | kUnknownCloses | kUnknownTimes,
    .resolution = {},
    .inside_tls = true};

}  // namespace

bool SwaksLog::recognises(std::string_view beginning) {
  return any_line(beginning, [](std::string_view line) { return line.starts_with(kTrying); });
}

LogSession& SwaksLog::session(bool greeting) {
  if (!session_) {
    session_.emplace(run_,
                     LogSession::Beginning{.client = "swaks",
                                           .server = server_,
                                           .fidelity = kTranscriptFidelity,
                                           .mid_session = !greeting},
                     run_.without_times(latest_));
  }
  return *session_;
}

void SwaksLog::end() {
  if (session_) session_->end(session_->last());
  session_.reset();
}

void SwaksLog::read(std::string_view line) {
  const Time now = run_.without_times(latest_);
  if (has_mark(line, kServerMarks)) {
    session(true).say(Side::kServer, line.substr(std::min(line.size(), kMarkSize)), now);
  } else if (has_mark(line, kClientMarks)) {
    const std::string_view said = line.substr(std::min(line.size(), kMarkSize));
    LogSession& speaking = session(false);
    if (speaking.in_message() && tells_lines(said)) {
      speaking.skip_message(now);
    } else {
      speaking.say(Side::kClient, said, now);
    }
  } else if (line.starts_with(kTrying)) {
    end();
    server_ = line.substr(kTrying.size(), line.rfind("...") - kTrying.size());
  } else if (line.starts_with(kConnected)) {
    end();
    session(true);
  } else if (line.starts_with(kConnectionClosed)) {
    end();
  } else if (line.starts_with(kServerClosed) && session_) {
    session_->close(Side::kServer, CloseKind::kFin, "as swaks says, unexpectedly", now);
    end();
  }
}

}  // namespace smtpscope
