// A PROXY header gets no reply of its own. A server that does not expect it takes it for a command,
// so its error comes as the greeting or where the reply to the first EHLO is due.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace proxy_metadata {
namespace {

constexpr std::string_view kUnexpected = "unexpected";

void fire_header(RuleContext& context, const ProxyHeader& header) {
  Finding finding = context.finding();
  finding.attributes = {{"kind", fmt::format("PROXY v{}", header.version)}};
  if (header.local) {
    finding.text = fmt::format(
        "the client side began with a PROXY header, version {}, that names no addresses: a check "
        "by "
        "the load balancer itself, or a connection of its own",
        header.version);
  } else if (header.text.empty()) {
    finding.text =
        "the client side began with a binary PROXY header, version 2: it speaks for another host, "
        "whose address is in it";
  } else {
    finding.text = fmt::format(
        "the client side speaks for another host: \"{}\" (source, destination, their ports)",
        header.text);
    finding.attributes.emplace_back("header", header.text);
  }
  context.fire(std::move(finding));
}

void fire_command(RuleContext& context, const Command& command) {
  const RelayNotes* relay = context.session().relay.get();
  const bool xclient = command.verb == Verb::kXclient;
  // One line per kind; XFORWARD comes before every message.
  if (relay != nullptr && (xclient ? relay->xclient : relay->xforward) != 0) return;
  constexpr std::size_t kKept = 200;
  const std::string_view said = command.arguments.substr(0, kKept);
  Finding finding = context.finding();
  finding.text =
      fmt::format("{}, \"{}\"",
                  xclient ? "XCLIENT: the client side says that it speaks for another one"
                          : "XFORWARD: the client side says where it has its mail from",
                  said);
  finding.attributes = {{"kind", std::string(to_string(command.verb))},
                        {"asserted", std::string(said)}};
  context.fire_when_answered(std::move(finding));
}

void fire_unexpected(RuleContext& context, Certainty certainty, std::string text) {
  Finding finding = context.finding();
  finding.variant = kUnexpected;
  finding.severity = Severity::kWarning;
  finding.certainty = certainty;
  finding.text = std::move(text);
  finding.entries.push_back(context.session().relay->proxy_header);
  finding.attributes = {{"kind", "PROXY"}};
  context.fire(std::move(finding));
}

/// The server's first words after a PROXY header.
void judge_reply(RuleContext& context, const Reply& reply) {
  const SessionState& session = context.session();
  if (session.relay == nullptr || session.relay->proxy_header == 0) return;
  if (reply.answers == Answers::kGreeting) {
    if (reply.first_digit() == 2) return;
    fire_unexpected(context, Certainty::kLikely,
                    fmt::format("the server refused the session with {} after a PROXY header: it "
                                "does not seem to expect one",
                                quoted_reply(reply)));
    return;
  }
  const bool to_first_hello = context.answered() != nullptr && session.hello_before == nullptr &&
                              session.last_hello.entry == context.answered()->entry;
  const bool unknown = reply.code == 500 || reply.code == 501 || reply.code == 502;
  if (!to_first_hello || !unknown) return;
  fire_unexpected(context, Certainty::kPossible,
                  fmt::format("the server said {} where its reply to {} was due: it may have taken "
                              "the PROXY header for a command, and all its replies come one late",
                              quoted_reply(reply), to_string(context.answered()->verb)));
}

void judge_close(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.relay == nullptr || session.relay->proxy_header == 0) return;
  if (context.closed()->from != Side::kServer || session.first_closer != Side::kServer) return;
  if (context.closed()->by_proxy || session.greeting != SessionState::Greeting::kPending) return;
  fire_unexpected(context, Certainty::kLikely,
                  "the server closed the connection after a PROXY header, without a greeting: it "
                  "does not seem to expect one");
}

void evaluate(RuleContext& context) {
  if (context.closed() != nullptr) {
    judge_close(context);
    return;
  }
  const ItemBody& body = context.entry()->item->body;
  if (const auto* header = std::get_if<ProxyHeader>(&body)) fire_header(context, *header);
  if (const auto* command = std::get_if<Command>(&body)) {
    const bool speaks_for = command->verb == Verb::kXclient || command->verb == Verb::kXforward;
    if (speaks_for) fire_command(context, *command);
  }
  if (const auto* reply = std::get_if<Reply>(&body)) judge_reply(context, *reply);
}

bool answered(RuleContext& context, Finding& finding) {
  const Reply& reply = *context.reply();
  finding.attributes.emplace_back("reply", std::to_string(reply.code));
  if (reply.first_digit() == 2) {
    finding.text += fmt::format("; the server answered {}", reply.code);
    return true;
  }
  finding.variant = kUnexpected;
  finding.severity = Severity::kWarning;
  finding.text += fmt::format("; the server refused that: {}", quoted_reply(reply));
  return true;
}

}  // namespace
}  // namespace proxy_metadata

const Rule kProxyMetadata = {
    .id = "proxy-metadata",
    .category = Category::kExtension,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .uses = kNeedsCloseKind,
    .triggers = kOnOtherEntry | kOnCommand | kOnReply | kOnClose,
    .verbs = verbs(Verb::kXclient, Verb::kXforward, Verb::kEhlo, Verb::kHelo, Verb::kLhlo) |
             kGreetingOnly,
    .evaluate = proxy_metadata::evaluate,
    .answered = proxy_metadata::answered,
};

}  // namespace smtpscope
