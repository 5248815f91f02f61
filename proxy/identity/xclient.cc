#include "proxy/identity/xclient.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/octets.h"
#include "proxy/aside.h"

namespace smtpscope {
namespace {

constexpr std::size_t kCodeDigits = 3;

std::string_view without_line_end(std::string_view line) {
  return line.substr(0, line.find_first_of("\r\n"));
}

std::string host_of(const SocketAddress& any) {
  const SocketAddress address = any.unmapped();
  // RFC 5321 4.1.3; Postfix takes an IPv6 address in no other way.
  return (address.family() == AF_INET6 ? "IPV6:" : "") + address.host();
}

}  // namespace

std::string xclient_command(std::string_view ehlo_reply, const ConnectionEnds& ends) {
  std::string command = "XCLIENT";
  bool has_address = false;
  const auto offer = [&](std::string_view attribute) {
    if (equal_ignoring_case(attribute, "NAME")) {
      // Nobody has looked it up. Without a word the server would keep the name of this host.
      command += " NAME=[UNAVAILABLE]";
    } else if (equal_ignoring_case(attribute, "ADDR")) {
      command += " ADDR=" + host_of(ends.client);
      has_address = true;
    } else if (equal_ignoring_case(attribute, "PORT")) {
      command += fmt::format(" PORT={}", ends.client.port());
    } else if (equal_ignoring_case(attribute, "DESTADDR")) {
      command += " DESTADDR=" + host_of(ends.destination);
    } else if (equal_ignoring_case(attribute, "DESTPORT")) {
      command += fmt::format(" DESTPORT={}", ends.destination.port());
    }
  };
  for (std::size_t at = 0; at < ehlo_reply.size();) {
    const std::size_t end = std::min(ehlo_reply.find('\n', at), ehlo_reply.size());
    std::string_view words = without_line_end(ehlo_reply.substr(at, end - at));
    at = end + 1;
    words.remove_prefix(std::min(words.size(), kCodeDigits + 1));
    bool first = true;
    while (!words.empty()) {
      const std::size_t space = std::min(words.find(' '), words.size());
      const std::string_view word = words.substr(0, space);
      words.remove_prefix(std::min(words.size(), space + 1));
      if (std::exchange(first, false)) {
        if (!equal_ignoring_case(word, "XCLIENT")) break;
      } else {
        offer(word);
      }
    }
  }
  return has_address ? command + "\r\n" : std::string();
}

void XclientAnnouncement::handle(Time now, const FromPeer& event) {
  if (broken_off_) return;
  if (event.from == Side::kClient || stage_ == Stage::kOver) return inner().handle(now, event);
  std::span<const std::uint8_t> octets = event.octets;
  while (!octets.empty() && stage_ != Stage::kOver) {
    octets = octets.subspan(reply_.receive(octets));
    if (reply_.whole()) on_reply(now, event.tls);
    if (reply_.endless()) give_up(now, "its reply does not end");
  }
  if (octets.empty() || given_up_ || broken_off_) return;
  inner().handle(now, FromPeer{Side::kServer, octets, event.tls});
}

void XclientAnnouncement::on_reply(Time now, bool tls) {
  switch (stage_) {
    case Stage::kGreeting:
      if (!reply_.has_code("220")) {  // it turns everybody away
        hand_reply_on(now, tls);
        return;
      }
      record(now, Side::kServer, reply_.text());
      stage_ = Stage::kHello;
      say(now, fmt::format("EHLO {}\r\n", outer().own_name()));
      return;
    case Stage::kHello: {
      record(now, Side::kServer, reply_.text());
      const std::string command =
          reply_.has_code("250") ? xclient_command(reply_.text(), ends_) : std::string();
      if (command.empty()) return give_up(now, "it does not offer XCLIENT to smtpscope");
      stage_ = Stage::kXclient;
      say(now, command);
      return;
    }
    case Stage::kXclient:
      if (!reply_.has_code("220")) {
        record(now, Side::kServer, reply_.text());
        return give_up(now, fmt::format("it refused XCLIENT: {}", reply_.first_line()));
      }
      hand_reply_on(now, tls);
      return;
    case Stage::kOver:
      return;
  }
}

void XclientAnnouncement::say(Time now, std::string_view command) {
  record(now, Side::kClient, command);
  outer().send_to(Side::kServer, octets_of(command));
}

/// It is the greeting that the client gets; the server is the client's from here on.
void XclientAnnouncement::hand_reply_on(Time now, bool tls) {
  stage_ = Stage::kOver;
  inner().handle(now, FromPeer{Side::kServer, octets_of(reply_.text()), tls});
  if (!given_up_) conclude(now);
}

void XclientAnnouncement::conclude(Time now) {
  const std::vector<std::uint8_t> held = std::exchange(held_, {});
  if (!held.empty()) {
    const Sent sent = outer().send_to(Side::kServer, held);
    if (sent.failed) return inner().handle(now, WriteFailed{Side::kServer});
    if (sent.waiting > 0) return;  // WriteDrained will follow
    inner().handle(now, WriteDrained{Side::kServer});
  }
  if (std::exchange(finish_due_, false) && !given_up_) outer().finish(Side::kServer, truncated_);
}

void XclientAnnouncement::give_up(Time now, std::string_view why) {
  stage_ = Stage::kOver;
  broken_off_ = true;
  held_.clear();
  inner().handle(now,
                 LayerFailed{fmt::format("the server cannot be told who the client is: {}", why),
                             "421 4.3.0 smtpscope: the mail server behind this tracing proxy "
                             "does not let it tell who you are\r\n"});
}

void XclientAnnouncement::handle(Time now, const PeerClosed& event) {
  if (event.side == Side::kServer && stage_ != Stage::kOver) {
    if (stage_ == Stage::kGreeting) {
      if (!reply_.whole() && !reply_.text().empty()) {
        inner().handle(now, FromPeer{Side::kServer, octets_of(reply_.text())});
      }
      stage_ = Stage::kOver;
    } else {
      give_up(now, "it closed instead of answering");
    }
  }
  if (!given_up_) inner().handle(now, event);
}

void XclientAnnouncement::handle(Time now, const UpstreamUnreachable& event) {
  stage_ = Stage::kOver;
  inner().handle(now, event);
}

void XclientAnnouncement::handle(Time now, const WriteDrained& event) {
  // Until the server knows the client, what waits for it is held here.
  if (event.to == Side::kServer && stage_ != Stage::kOver) return;
  inner().handle(now, event);
}

void XclientAnnouncement::handle(Time now, const WriteFailed& event) {
  if (event.to == Side::kServer) {
    stage_ = Stage::kOver;
    held_.clear();
  }
  inner().handle(now, event);
}

Outward::Sent XclientAnnouncement::send_to(Side to, std::span<const std::uint8_t> octets) {
  if (to == Side::kClient || stage_ == Stage::kOver) return outer().send_to(to, octets);
  held_.insert(held_.end(), octets.begin(), octets.end());
  return {octets.size(), false};
}

void XclientAnnouncement::finish(Side to, bool truncated) {
  if (to == Side::kServer && stage_ != Stage::kOver) {
    finish_due_ = true;
    truncated_ = truncated;
    return;
  }
  outer().finish(to, truncated);
}

void XclientAnnouncement::close(Side side, bool reset) {
  if (side == Side::kServer) {
    given_up_ = true;
    stage_ = Stage::kOver;
  }
  outer().close(side, reset);
}

void XclientAnnouncement::record(Time now, Side from, std::string_view text) {
  if (observer_ == nullptr || given_up_) return;
  observer_->feed(WireEvent{session_, now, said_aside(from, text)});
}

}  // namespace smtpscope
