#include "readers/logs/log_swaks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/line_content.h"
#include "readers/text/log_lines.h"
#include "readers/text/program_words.h"

namespace smtpscope {
namespace {

constexpr std::size_t kMarkSize = 4;
constexpr std::array<std::string_view, 4> kServerMarks = {"<-  ", "<** ", "<~  ", "<~* "};
constexpr std::array<std::string_view, 2> kClientMarks = {" -> ", " ~> "};
constexpr std::string_view kTrying = "=== Trying ";
constexpr std::string_view kConnected = "=== Connected to ";
constexpr std::string_view kConnectionClosed = "=== Connection closed with remote host";
constexpr std::string_view kSwaksTimedOut = "<** Timeout (";
constexpr std::string_view kSwaksNoTls = "*** TLS startup failed";
constexpr std::string_view kSwaksError = "*** ";
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
                                           .mid_session = !greeting,
                                           .told_by = Side::kClient},
                     run_.without_times(latest_));
  }
  return *session_;
}

void SwaksLog::end() {
  if (session_) session_->end(session_->last());
  session_.reset();
}

/// "*** Error connecting to 192.0.2.25:25:", and why on the next line, behind a tab.
void SwaksLog::error(std::string_view text, Time now) {
  if (session_) {
    if (const auto words = program_words(text)) {
      session_->remark(words->kind, words->length, text, now);
    }
  } else if (std::exchange(unconnected_, false)) {
    session_.emplace(run_,
                     LogSession::Beginning{.client = "swaks",
                                           .server = server_,
                                           .fidelity = kTranscriptFidelity,
                                           .told_by = Side::kClient,
                                           .unreachable = std::string(trimmed_blanks(text))},
                     now);
    end();
  } else {
    unconnected_ = text.starts_with("Error connecting to ");
  }
}

void SwaksLog::read(std::string_view line) {
  read_line(line) ? foreign_.interrupt() : void(foreign_.take(line));
}

bool SwaksLog::read_line(std::string_view line) {
  const Time now = run_.without_times(latest_);
  if (line.starts_with(kSwaksTimedOut)) {
    // In the place of a reply that never came.
    session(false).remark(RemarkKind::kTimeout, length_named(line), line.substr(kMarkSize), now);
  } else if (has_mark(line, kServerMarks)) {
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
  } else if (line.starts_with(kSwaksNoTls) && session_) {
    session_->remark(RemarkKind::kTlsFailed, {}, line.substr(kMarkSize), now);
    session_->fail_handshake(std::nullopt, line.substr(kMarkSize), now);
  } else if (line.starts_with(kServerClosed) && session_) {
    session_->remark(RemarkKind::kClosed, {}, line.substr(kMarkSize), now);
    session_->close(Side::kServer, CloseKind::kFin, {}, now);
    end();
  } else if (line.starts_with(kSwaksError)) {
    error(line.substr(kMarkSize), now);
  } else {
    return false;
  }
  return true;
}

const LogKind kSwaksKind = {
    .name = "swaks",
    .description = "transcripts of swaks",
    .how = "swaks --server HOST --to RECIPIENT >log.txt 2>&1",
    .recognises = SwaksLog::recognises,
    .make = SwaksLog::make,
};

}  // namespace smtpscope
