#include "proxy/tls/upstream_dialogue.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/tls/hello_rewriting.h"

namespace smtpscope {
std::size_t UpstreamDialogue::receive(std::span<const std::uint8_t> octets) {
  say_.clear();
  reply_of_ = stage_;
  const std::size_t taken = reply_.receive(octets);
  if (reply_.endless()) give_up("its reply does not end");
  if (reply_.whole()) conclude();
  return taken;
}

void UpstreamDialogue::conclude() {
  switch (stage_) {
    case Stage::kGreeting:
      if (!reply_.has_code("220")) {
        stage_ = Stage::kNone;
        return;
      }
      stage_ = Stage::kHello;
      say_ = fmt::format("EHLO {}\r\n", name_);
      return;
    case Stage::kHello:
      if (!reply_.has_code("250")) return give_up("it does not know EHLO: " + reply_.first_line());
      if (without_starttls(reply_.text()) == reply_.text())
        return give_up("it does not offer STARTTLS");
      stage_ = Stage::kStartTls;
      say_ = "STARTTLS\r\n";
      return;
    case Stage::kStartTls:
      if (!reply_.has_code("220")) return give_up("it refused STARTTLS: " + reply_.first_line());
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
