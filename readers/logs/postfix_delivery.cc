#include "readers/logs/postfix_delivery.h"

#include <fmt/format.h>

#include <array>

#include "readers/logs/postfix_peer.h"
#include "readers/text/line_content.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_syslog_line.h"
#include "readers/text/program_words.h"

namespace smtpscope {
namespace {

constexpr std::string_view kConnectTo = "connect to ";
constexpr std::string_view kInReplyTo = " (in reply to ";
constexpr std::size_t kMostProcesses = 4096;

/// "4F1D2A0: to=<bob@example.net>, relay=none, …, status=deferred (why)".
struct Delivery {
  std::string_view recipient;  // with its brackets
  std::string_view why;
};

/// Empty when the line tells no delivery, or one that went well.
std::optional<Delivery> delivery_in(std::string_view message) {
  constexpr std::size_t kLongestQueueId = 32;
  const std::size_t at = message.substr(0, kLongestQueueId).find(": to=<");
  if (at == std::string_view::npos || !message.ends_with(')')) return std::nullopt;
  const std::size_t status = message.find(", status=", at);
  if (status == std::string_view::npos) return std::nullopt;
  const std::string_view how = message.substr(status + 9);
  const std::size_t open = how.find(" (");
  if (open == std::string_view::npos || how.starts_with("sent")) return std::nullopt;
  const std::string_view to = message.substr(at + 5);
  Delivery told;
  told.recipient = to.substr(0, to.find('>') + 1);
  told.why = how.substr(open + 2, how.size() - open - 3);
  return told;
}

/// The server that a reason names first: "host mx[192.0.2.25] said: …", with what is behind it.
std::optional<PostfixPeer> named_peer(std::string_view why, std::string_view before) {
  PostfixPeer peer;
  if (!why.starts_with(before) || !take_postfix_peer(why.substr(before.size()), peer))
    return std::nullopt;
  return peer;
}

/// What was sent when "… while WHAT" happened, or what a reply answers: "RCPT TO command".
enum class DeliveryStep : std::uint8_t { kGreeting, kHello, kMail, kRcpt, kData, kMessage, kOther };
DeliveryStep step_of(std::string_view words) {
  struct Words {
    std::string_view words;
    DeliveryStep step;
  };
  constexpr std::array kSteps = {
      Words{"greeting", DeliveryStep::kGreeting},    Words{"EHLO", DeliveryStep::kHello},
      Words{"HELO", DeliveryStep::kHello},           Words{"LHLO", DeliveryStep::kHello},
      Words{"MAIL FROM", DeliveryStep::kMail},       Words{"RCPT TO", DeliveryStep::kRcpt},
      Words{"end of data", DeliveryStep::kMessage},  Words{"end of DATA", DeliveryStep::kMessage},
      Words{"message body", DeliveryStep::kMessage}, Words{"DATA", DeliveryStep::kData}};
  for (const Words& each : kSteps) {
    if (words.find(each.words) != std::string_view::npos) return each.step;
  }
  return DeliveryStep::kOther;
}

/// Its command is said in `book`.
void say_step(DialogueBook& book, DeliveryStep step, std::string_view words,
              std::string_view recipient) {
  const auto say = [&](std::string_view command) { book.say("", Side::kClient, command); };
  switch (step) {
    case DeliveryStep::kHello:
      return say(words.find("HELO") != std::string_view::npos ? "HELO ***" : "EHLO ***");
    case DeliveryStep::kMail:
      return say("MAIL FROM:<***>");
    case DeliveryStep::kRcpt:
      return say(fmt::format("RCPT TO:{}", recipient));
    case DeliveryStep::kData:
      return say("DATA");
    case DeliveryStep::kMessage:
      say("DATA");
      book.say("", Side::kServer, "354 End data with <CR><LF>.<CR><LF>");
      return book.skip_message("");
    case DeliveryStep::kGreeting:
    case DeliveryStep::kOther:
      return;
  }
}

bool names_no_host(std::string_view why) {
  return why.starts_with("Host or domain name not found") ||
         why.find("Name service error") != std::string_view::npos;
}

}  // namespace

PostfixDelivery::PostfixDelivery(LogRun& run, WallTime latest)
    : book_(run, latest, {.client = "postfix", .unknown = kPostfixHides}) {}

bool PostfixDelivery::recognises(std::string_view message) {
  PostfixPeer peer;
  if (message.starts_with(kConnectTo)) {
    return take_postfix_peer(message, peer) && says_unreachable(message);
  }
  const auto told = delivery_in(message);
  if (!told) return false;
  if (told->why.starts_with(kConnectTo) || names_no_host(told->why))
    return says_unreachable(told->why);
  return named_peer(told->why, "host ") || named_peer(told->why, "lost connection with ") ||
         named_peer(told->why, "conversation with ");
}

void PostfixDelivery::read(const SyslogLine& line) {
  if (line.message.starts_with(kConnectTo)) {
    const auto peer = named_peer(line.message, kConnectTo);
    if (peer) unreached(line, postfix_address(*peer), line.message);
    return;
  }
  const auto told = delivery_in(line.message);
  if (!told) return;
  const std::string_view why = told->why;
  if (why.starts_with(kConnectTo)) {
    const auto peer = named_peer(why, kConnectTo);
    if (peer) unreached(line, postfix_address(*peer), why);
  } else if (names_no_host(why)) {
    std::string_view name = between(why, "name=", " ");
    if (name.empty()) name = between(why, "for name=", " ");
    unreached(line, name, why);
  } else if (const auto host = named_peer(why, "host ")) {
    book_.at(line.stamp);
    told_by_server(told->recipient, postfix_address(*host), host->behind);
  } else if (const auto gone = named_peer(why, "lost connection with ")) {
    book_.at(line.stamp);
    lost(told->recipient, postfix_address(*gone), why);
  } else if (const auto slow = named_peer(why, "conversation with ")) {
    book_.at(line.stamp);
    lost(told->recipient, postfix_address(*slow), why);
  }
}

void PostfixDelivery::unreached(const SyslogLine& line, std::string_view server,
                                std::string_view why) {
  if (!says_unreachable(why)) return;
  if (last_failure_.size() >= kMostProcesses) last_failure_.clear();
  std::string& last = last_failure_[std::string(line.process)];
  const bool delivery = !line.message.starts_with(kConnectTo);
  if (delivery && last == why) return;
  last = why;
  book_.at(line.stamp);
  book_.announce("", server);
  book_.remark("", why);
}

/// " said: 550 5.1.1 … (in reply to RCPT TO command)", " refused to talk to me: 554 …"
void PostfixDelivery::told_by_server(std::string_view recipient, std::string_view server,
                                     std::string_view why) {
  constexpr std::string_view kSaid = " said: ";
  constexpr std::string_view kRefused = " refused to talk to me: ";
  const bool greeting = why.starts_with(kRefused);
  if (!greeting && !why.starts_with(kSaid)) return;
  why.remove_prefix(greeting ? kRefused.size() : kSaid.size());
  std::string_view step;
  if (const std::size_t at = why.rfind(kInReplyTo); at != std::string_view::npos) {
    step = why.substr(at + kInReplyTo.size());
    why = why.substr(0, at);
  }
  if (!is_reply_line(why)) return;
  if (greeting) {
    book_.announce("", server);
  } else {
    book_.announce_rest("", server);
    say_step(book_, step_of(step), step, recipient);
  }
  // Postfix joins the lines of a reply with blanks: "550-5.1.1 no such 550 5.1.1 user".
  for (const std::string_view each : unglued_reply(why, /*blanks=*/true)) {
    book_.say("", Side::kServer, trimmed_blanks(each));
  }
  book_.end("");
}

/// "lost connection with mx[192.0.2.25] while receiving the initial server greeting",
/// "conversation with mx[192.0.2.25] timed out while sending RCPT TO".
void PostfixDelivery::lost(std::string_view recipient, std::string_view server,
                           std::string_view why) {
  const std::size_t at = why.find(" while ");
  if (at == std::string_view::npos) return;
  const DeliveryStep step = step_of(why.substr(at));
  const bool greeting = step == DeliveryStep::kGreeting;
  greeting ? book_.announce("", server) : book_.announce_rest("", server);
  book_.connected("", {});
  say_step(book_, step, why.substr(at), recipient);
  why.starts_with("lost ") ? book_.close("", Side::kServer, why) : book_.remark("", why);
  book_.end("");
}

}  // namespace smtpscope
