#include "lab/dialogue_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "parser/path.h"

namespace smtpscope {

bool DialogueNotes::Refusal::of_mail() const {
  return answers == Answers::kGreeting || answers == Answers::kEndOfData ||
         answers == Answers::kUnsolicited || verb == Verb::kMail || verb == Verb::kRcpt ||
         verb == Verb::kData || verb == Verb::kBdat;
}

std::string DialogueNotes::Refusal::words() const {
  switch (answers) {
    case Answers::kGreeting:
      return fmt::format("{} as greeting", code);
    case Answers::kEndOfData:
      return fmt::format("{} to the message", code);
    case Answers::kUnsolicited:
    case Answers::kOrphan:
      return fmt::format("{} unasked", code);
    default:
      return fmt::format("{} to {}", code, verb == Verb::kUnknown ? "a command" : to_string(verb));
  }
}

std::string DialogueNotes::Awaited::words() const {
  switch (answers) {
    case Answers::kGreeting:
      return "the greeting";
    case Answers::kEndOfData:
      return "the reply to the end of the message";
    default:
      return fmt::format("the reply to {}", verb == Verb::kUnknown ? "a command" : to_string(verb));
  }
}

DialogueNotes::DialogueNotes() {
  asked_.push_back({Awaited{0, Answers::kGreeting, Verb::kUnknown, now_}, {}});
}

void DialogueNotes::said(Side side, std::span<const std::uint8_t> octets, Time now) {
  now_ = now;
  conversation_.receive(side, octets);
  drain();
}

void DialogueNotes::finish() {
  conversation_.finish();
  drain();
}

std::optional<DialogueNotes::Awaited> DialogueNotes::awaited() const {
  if (asked_.empty()) return {};
  return asked_.front().what;
}

void DialogueNotes::drain() {
  while (const Item* item = conversation_.next()) {
    if (const auto* command = std::get_if<Command>(&item->body)) {
      on_command(*command);
    } else if (const auto* reply = std::get_if<Reply>(&item->body)) {
      on_reply(*reply);
    } else if (const auto* data = std::get_if<MailData>(&item->body)) {
      if (data->exchange == kNoExchange) continue;
      asked_.push_back({Awaited{data->exchange, Answers::kEndOfData, Verb::kData, now_}, {}});
      on_end_of_message(data->exchange);
    } else if (const auto* chunk = std::get_if<Chunk>(&item->body)) {
      if (!chunk->complete || !chunk->last) continue;
      const auto asked = std::ranges::find_if(
          asked_, [&](const Asked& one) { return one.what.exchange == chunk->exchange; });
      if (asked != asked_.end()) asked->what.answers = Answers::kEndOfData;
      on_end_of_message(chunk->exchange);
    } else if (const auto* response = std::get_if<AuthResponse>(&item->body)) {
      asked_.push_back(
          {Awaited{response->exchange, Answers::kAuthResponse, Verb::kAuth, now_}, {}});
    }
  }
}

void DialogueNotes::on_command(const Command& command) {
  if (command.verb == Verb::kQuit) quit_ = true;
  if (command.exchange == kNoExchange) return;
  Asked asked{Awaited{command.exchange, Answers::kCommand, command.verb, now_}, {}};
  if (command.verb == Verb::kMail) {
    const PathArgument path = parse_path(command.arguments, "FROM:");
    // The report that a mail could not be delivered (RFC 5321 4.5.5) is no new try of that mail.
    ++(path.mailbox.empty() ? reports_ : transactions_);
    asked.path = path.mailbox;
    for (const MailParameter& parameter : mail_parameters(path.parameters)) {
      std::string keyword;
      if (same_keyword(parameter.keyword, "SMTPUTF8")) keyword = "SMTPUTF8";
      if (same_keyword(parameter.keyword, "BODY")) keyword = in_upper_case(parameter.value);
      const bool new_one =
          keyword == "SMTPUTF8" || keyword == "8BITMIME" || keyword == "BINARYMIME";
      if (new_one && std::ranges::find(needed_, keyword) == needed_.end()) {
        needed_.push_back(std::move(keyword));
      }
    }
  } else if (command.verb == Verb::kRcpt) {
    asked.path = parse_path(command.arguments, "TO:").mailbox;
  } else if (command.verb == Verb::kLhlo) {
    by_recipient_ = true;
  }
  asked_.push_back(std::move(asked));
}

void DialogueNotes::on_reply(const Reply& reply) {
  if (reply.code >= 400 && refusals_.size() < kMostRefusals && !follows_from_rcpt(reply)) {
    const bool to_end = message_of(reply.exchange) != nullptr;
    refusals_.push_back({to_end ? Answers::kEndOfData : reply.answers, reply.verb, reply.code});
  }
  if (reply.exchange == kNoExchange) return;
  std::string path;
  while (!asked_.empty() && asked_.front().what.exchange <= reply.exchange) {
    const Asked& first = asked_.front();
    const bool is_it = first.what.exchange == reply.exchange;
    if (is_it) path = first.path;
    // Of several that are owed to one end of data, the others are to come.
    if (is_it && first.what.answers == Answers::kEndOfData && by_recipient_ &&
        reply.ordinal + 1 < recipients_.size()) {
      break;
    }
    asked_.pop_front();
  }
  if (Message* message = message_of(reply.exchange)) return on_answer_to_end(reply, *message);
  if (reply.answers != Answers::kCommand || reply.first_digit() != 2) return;
  switch (reply.verb) {
    case Verb::kMail:
      begin_transaction();
      sender_ = std::move(path);
      return;
    case Verb::kRcpt:
      if (recipients_.size() < kMostRecipients) recipients_.push_back(std::move(path));
      return;
    case Verb::kRset:
    case Verb::kEhlo:
    case Verb::kHelo:
    case Verb::kLhlo:
      return begin_transaction();  // RFC 5321 4.1.4: as if by RSET
    default:
      return;
  }
}

/// DATA is refused since no recipient is left (RFC 5321 3.3): what became of the mail was said to
/// RCPT, and may have been 4yz.
bool DialogueNotes::follows_from_rcpt(const Reply& reply) const {
  const bool to_data = reply.answers == Answers::kCommand && reply.verb == Verb::kData;
  return (to_data || reply.verb == Verb::kBdat) && recipients_.empty() && !refusals_.empty() &&
         refusals_.back().verb == Verb::kRcpt;
}

void DialogueNotes::on_end_of_message(Exchange exchange) {
  if (messages_.size() >= kMostMessages) return;
  messages_.push_back({sender_, {}, 0, exchange, now_});
}

DialogueNotes::Message* DialogueNotes::message_of(Exchange exchange) {
  if (exchange == kNoExchange) return nullptr;
  // It is one of the last.
  const auto found = std::find_if(messages_.rbegin(), messages_.rend(),
                                  [&](const Message& one) { return one.exchange <= exchange; });
  return found == messages_.rend() || found->exchange != exchange ? nullptr : &*found;
}

void DialogueNotes::on_answer_to_end(const Reply& reply, Message& message) {
  const bool taken = reply.first_digit() == 2;
  if (message.reply == 0 || !taken) message.reply = reply.code;
  // RCPT may have been pipelined with the chunk: only by now all its replies are known.
  message.sender = sender_;
  if (!by_recipient_) {
    if (taken) message.recipients = recipients_;
    return begin_transaction();
  }
  if (taken && reply.ordinal < recipients_.size()) {
    message.recipients.push_back(recipients_[reply.ordinal]);
  }
  if (reply.ordinal + 1 >= recipients_.size()) begin_transaction();
}

void DialogueNotes::begin_transaction() {
  sender_.clear();
  recipients_.clear();
}

}  // namespace smtpscope
