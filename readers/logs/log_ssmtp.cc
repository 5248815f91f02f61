#include "readers/logs/log_ssmtp.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_syslog_line.h"

namespace smtpscope {
namespace {

constexpr std::string_view kArrowFromServer = "[<-] ";
constexpr std::string_view kArrowFromClient = "[->] ";
constexpr std::string_view kSsmtp = "sSMTP";
/// rsyslog writes the line end that sSMTP leaves in its messages like this.
constexpr std::string_view kEscapedLineEnd = "#012";

constexpr std::uint16_t kSsmtpHides =
    kUnknownOctets | kUnknownReads | kUnknownCloses | kUnknownReplyLines;

bool has_arrow(std::string_view line) {
  return line.starts_with(kArrowFromServer) || line.starts_with(kArrowFromClient);
}

/// The commands that sSMTP knows.
bool is_ssmtp_command(std::string_view line) {
  constexpr std::array<std::string_view, 8> kVerbs = {"EHLO", "HELO", "STARTTLS", "AUTH",
                                                      "MAIL", "RCPT", "DATA",     "QUIT"};
  const std::string_view verb = line.substr(0, line.find(' '));
  return std::find(kVerbs.begin(), kVerbs.end(), verb) != kVerbs.end();
}

}  // namespace

bool SsmtpLog::recognises(std::string_view beginning) {
  LogStamps stamps{WallTime{}};
  return any_line(beginning, [&](std::string_view line) {
    if (line.starts_with(kArrowFromServer))
      return is_reply_line(line.substr(kArrowFromServer.size()));
    const auto read = read_syslog_line(line, stamps);
    if (!read || read->program != kSsmtp) return false;
    return is_reply_line(read->message) || has_arrow(read->message);
  });
}

void SsmtpLog::read(std::string_view line) {
  if (line.empty()) return;
  Said said;
  said.fidelity = {.unknown = kSsmtpHides, .inside_tls = true};
  if (has_arrow(line)) {
    said.line = line;
    said.fidelity.unknown |= kUnknownTimes;
    said.time = run_.without_times(latest_);
    arrow(said);
    return;
  }
  const auto parsed = read_syslog_line(line, stamps_);
  if (!parsed) {
    // On standard error its other messages stand between, and those of other programs.
    return;
  }
  if (parsed->program != kSsmtp) return;
  said.process = parsed->process;
  said.line = parsed->message;
  if (said.line.ends_with(kEscapedLineEnd)) said.line.remove_suffix(kEscapedLineEnd.size());
  said.fidelity.resolution = parsed->stamp.resolution;
  said.time = run_.time_of(parsed->stamp);
  if (has_arrow(said.line)) {
    arrow(said);
    return;
  }
  const LogSession* session = sessions_.find(said.process);
  if (session == nullptr) {
    if (is_reply_line(said.line)) take(said, Side::kServer);
    return;
  }
  const bool awaits_reply = !session->in_message() && session->last_speaker() == Side::kClient;
  if (awaits_reply) {
    if (is_reply_line(said.line)) take(said, Side::kServer);
  } else if (session->in_message() || is_ssmtp_command(said.line) || last_reply_ == "334") {
    take(said, Side::kClient);
  }
}

void SsmtpLog::arrow(Said said) {
  const Side from = said.line.starts_with(kArrowFromServer) ? Side::kServer : Side::kClient;
  said.line.remove_prefix(kArrowFromServer.size());
  take(said, from);
}

void SsmtpLog::take(const Said& said, Side from) {
  LogSession* session = sessions_.find(said.process);
  if (session == nullptr) {
    const bool greeting = from == Side::kServer;
    std::string_view server = greeting ? said.line : std::string_view();
    server.remove_prefix(std::min<std::size_t>(server.size(), 4));  // "220 "
    session = &sessions_.open(said.process,
                              {.client = std::string(kSsmtp),
                               .server = std::string(server.substr(0, server.find(' '))),
                               .fidelity = said.fidelity,
                               .mid_session = !greeting},
                              said.time);
  }
  session->say(from, said.line, said.time);
  if (from == Side::kServer) last_reply_ = said.line.substr(0, 3);
  if (session->over()) sessions_.end(said.process, said.time);
}

const LogKind kSsmtpKind = {
    .name = "ssmtp",
    .description = "what sSMTP tells with -v or Debug=YES",
    .how = "ssmtp -v RECIPIENT <message 2>log.txt",
    .recognises = SsmtpLog::recognises,
    .make = SsmtpLog::make,
};

}  // namespace smtpscope
