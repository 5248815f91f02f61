#include "proxy/upstream_dialogue.h"

#include <fmt/format.h>

#include <utility>

#include "base/ascii.h"
#include "base/octets.h"
#include "proxy/hello_rewriting.h"

namespace smtpscope {
namespace {

constexpr std::size_t kCodeDigits = 3;

/// RFC 5321 4.2.1: the last line of a reply has a space, or nothing, behind its code.
bool is_last(std::string_view line) {
  return line.size() <= kCodeDigits || line[kCodeDigits] != '-';
}

std::string first_line(std::string_view reply) {
  return std::string(reply.substr(0, reply.find_first_of("\r\n")));
}

}  // namespace

std::size_t UpstreamDialogue::receive(std::span<const std::uint8_t> octets) {
  if (whole_) {
    reply_.clear();
    line_ = 0;
    whole_ = false;
  }
  say_.clear();
  reply_of_ = stage_;
  std::size_t taken = 0;
  while (taken < octets.size()) {
    const char octet = static_cast<char>(octets[taken++]);
    reply_ += octet;
    if (octet != '\n') {
      if (reply_.size() < kMostReply) continue;
      give_up("its reply does not end");
      return taken;
    }
    const std::string_view line = std::string_view(reply_).substr(line_);
    line_ = reply_.size();
    if (!is_last(line)) continue;
    whole_ = true;
    conclude();
    return taken;
  }
  return taken;
}

void UpstreamDialogue::conclude() {
  const std::string_view reply = reply_;
  switch (stage_) {
    case Stage::kGreeting:
      if (!reply.starts_with("220")) {
        stage_ = Stage::kNone;
        return;
      }
      stage_ = Stage::kHello;
      say_ = fmt::format("EHLO {}\r\n", name_);
      return;
    case Stage::kHello:
      if (!reply.starts_with("250")) return give_up("it does not know EHLO: " + first_line(reply));
      if (without_starttls(reply) == reply) return give_up("it does not offer STARTTLS");
      stage_ = Stage::kStartTls;
      say_ = "STARTTLS\r\n";
      return;
    case Stage::kStartTls:
      if (!reply.starts_with("220")) return give_up("it refused STARTTLS: " + first_line(reply));
      stage_ = Stage::kGranted;
      return;
    case Stage::kGranted:
    case Stage::kRefused:
    case Stage::kNone:
      return;
  }
}

void UpstreamDialogue::give_up(std::string why) {
  failure_ = std::move(why);
  stage_ = Stage::kRefused;
}

}  // namespace smtpscope
