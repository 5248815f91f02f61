#include "readers/logs/log_postfix.h"

#include <array>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_syslog_line.h"

namespace smtpscope {
namespace {

// "postfix/smtpd", "postfix/submission/smtpd"; the first word may be another (syslog_name).
bool is_smtpd(std::string_view program) { return program.ends_with("/smtpd"); }
bool is_smtp(std::string_view program) {
  return program.ends_with("/smtp") || program.ends_with("/lmtp");
}

/// Of a thousand lines that smtpd and smtp log with -v some fifty tell of a session. What cannot be
/// one of those is told by how its message begins, before its stamp is read.
bool may_tell(std::string_view line) {
  constexpr std::size_t kLongestHead = 128;
  const std::size_t tag = line.substr(0, kLongestHead).find("]: ");
  // Without a process' number, or with a name that long: it is looked at in full.
  if (tag == std::string_view::npos) return true;
  const std::string_view message = line.substr(tag + 3);
  constexpr std::array<std::string_view, 16> kBeginnings = {"< ",
                                                            "> ",
                                                            "connect from ",
                                                            "connect to ",
                                                            "disconnect from ",
                                                            "lost connection ",
                                                            "timeout after ",
                                                            "too many errors ",
                                                            "improper command pipelining ",
                                                            "SSL_",
                                                            "fatal: ",
                                                            "panic: ",
                                                            "warning: ",
                                                            "smtp_connect_addr: trying: ",
                                                            "reject: ",
                                                            "TLS "};
  if (begins_with_any(message, kBeginnings)) return true;
  // "NOQUEUE: reject: ", "4F1D: milter-reject: ", "4F1D: lost connection with ", "4F1D: to=<"
  constexpr std::size_t kLongestBeginning = 48;
  const std::string_view beginning = message.substr(0, kLongestBeginning);
  return beginning.find("reject: ") != std::string_view::npos ||
         beginning.find(": lost connection ") != std::string_view::npos ||
         beginning.find(": to=<") != std::string_view::npos;
}

}  // namespace

bool PostfixLog::recognises(std::string_view beginning) {
  // The date does not matter here.
  LogStamps stamps{WallTime{}};
  return any_line(beginning, [&](std::string_view line) {
    if (line.find("/smtp") == std::string_view::npos &&
        line.find("/lmtp") == std::string_view::npos)
      return false;
    const auto read = read_syslog_line(line, stamps);
    if (!read) return false;
    if (is_smtpd(read->program)) return PostfixSmtpd::recognises(read->message);
    return is_smtp(read->program) && PostfixSmtp::recognises(read->message);
  });
}

bool PostfixLog::recognises_deliveries(std::string_view beginning) {
  LogStamps stamps{WallTime{}};
  return any_line(beginning, [&](std::string_view line) {
    if (!may_tell(line)) return false;
    const auto read = read_syslog_line(line, stamps);
    return read && is_smtp(read->program) && PostfixDelivery::recognises(read->message);
  });
}

void PostfixLog::read(std::string_view line) {
  if (!may_tell(line)) return;
  const auto parsed = read_syslog_line(line, stamps_);
  if (!parsed) {
    // Around what was copied out of a log there may be prose, or what telnet showed.
    if (line.find("postfix/") == std::string_view::npos) {
      foreign_.take(line);
    } else {
      run_.unreadable("it does not begin with a time, a host and a program");
    }
    return;
  }
  foreign_.interrupt();
  if (is_smtpd(parsed->program)) {
    smtpd_.read(*parsed);
  } else if (is_smtp(parsed->program)) {
    smtp_.read(*parsed);
    if (!smtp_.tells(parsed->process)) delivery_.read(*parsed);
  }
}

void PostfixLog::finish() {
  foreign_.finish();
  smtpd_.finish();
  smtp_.finish();
  delivery_.finish();
}

const LogKind kPostfixKind = {
    .name = "postfix",
    .description = "logs of Postfix, with smtpd -v, smtp -v or debug_peer_list for the dialogue",
    .how = "postconf -e debug_peer_list=ADDRESS && postfix reload",
    .recognises = PostfixLog::recognises,
    .make = PostfixLog::make,
};

const LogKind kPostfixDeliveriesKind = {
    .name = "postfix-deliveries",
    .description = "logs of Postfix without a dialogue, as far as deliveries failed",
    .how = "grep QUEUE-ID /var/log/mail.log",
    .recognises = PostfixLog::recognises_deliveries,
    .make = PostfixLog::make,
};

}  // namespace smtpscope
