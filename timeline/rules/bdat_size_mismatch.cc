// The octets of a chunk that is announced too long swallow the commands behind it (RFC 3030 2).
// That they do cannot be seen: inside a chunk everything is content. What can be seen is a client
// that stops short and waits, a server that answers too soon, and the end of the connection.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/event.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace bdat_size_mismatch {
namespace {

void judge_left_over(RuleContext& context, const Command& command) {
  const SessionState& session = context.session();
  const ChunkNotes* chunks = session.chunks.get();
  if (command.verb != Verb::kUnknown) return;
  // Right behind the octets of a chunk: no other command since its BDAT.
  if (chunks == nullptr || session.last_command.verb != Verb::kBdat) return;
  if (chunks->chunk_entry < session.last_command.entry) return;
  if ((command.flags & kAfterGap) != 0) return;
  Finding finding = context.finding();
  finding.variant = "too-short";
  finding.text = command.text.empty()
                     ? "an empty line follows a chunk: the chunk was announced too short, and the "
                       "rest of it is taken for a command"
                     : fmt::format(
                           "a line of {} octets that is no command follows a chunk: the chunk was "
                           "announced too short, and the rest of it is taken for commands",
                           command.text.size());
  finding.entries.push_back(chunks->chunk_entry);
  finding.entries.push_back(session.last_command.entry);
  finding.transaction = chunks->transaction;
  context.fire_when_answered(std::move(finding));
}

/// The client had been silent for long in the middle of the chunk, right up to now.
bool stalled(const RuleContext& context) {
  const LastSilence& silence = context.session().last_silence;
  const Time at = context.reply() != nullptr ? context.entry()->first : context.now();
  return silence.owed == kOwedChunk &&
         silence.length() >= context.threshold(Threshold::kBdatStall) && silence.to >= at;
}

void fire_too_long(RuleContext& context, std::uint64_t missing, std::string_view what,
                   bool proven) {
  const ChunkNotes* chunks = context.session().chunks.get();
  Finding finding = context.finding();
  finding.variant = proven ? "too-long" : "cut";
  finding.certainty = proven ? Certainty::kLikely : Certainty::kPossible;
  // Alone the end of a connection says no more than that the client went away.
  if (!proven) finding.severity = Severity::kWarning;
  finding.text = fmt::format("{} while {} octets of the chunk were missing{}", what, missing,
                             proven ? ": it was announced too long" : "");
  if (stalled(context)) {
    finding.text += fmt::format("; the client side had sent nothing for {}",
                                context.measured(context.session().last_silence.length()));
  }
  if (chunks != nullptr) {
    finding.entries.push_back(chunks->first_entry);
    finding.transaction = chunks->transaction;
  }
  finding.attributes = {{"missing", std::to_string(missing)}};
  context.fire(std::move(finding));
}

/// A chunk that the end of the client's stream cut short.
void judge_cut(RuleContext& context, const Chunk& chunk) {
  if (chunk.complete || chunk.missing_octets > 0) return;
  // The server ended it: told when it said so, or no fault of the client.
  const SessionState& session = context.session();
  if (session.hangup_code != 0 || session.closes[index(Side::kServer)]) return;
  const Item& item = *context.entry()->item;
  const std::uint64_t missing = chunk.declared - (item.end - item.begin);
  // What a client is short of that counts CRLF and sends LF.
  if (chunk.facts.bare_lf == missing) {
    fire_too_long(context, missing,
                  fmt::format("the connection ended after {} bare line feeds", missing), true);
    return;
  }
  fire_too_long(context, missing, "the connection ended", stalled(context));
}

/// A reply to a chunk whose octets are not all here. A refusal may well come early, and a server
/// that says 2yz counted less than the client announced.
void judge_reply(RuleContext& context, const Reply& reply) {
  if (context.conversation().phase() != Conversation::Phase::kChunk) return;
  const PendingExchange* answered = context.answered();
  const bool to_chunk = answered != nullptr && answered->verb == Verb::kBdat &&
                        answered->entry == context.session().last_command.entry;
  if (!to_chunk && !context.entry()->unsolicited) return;
  const ChunkNotes* chunks = context.session().chunks.get();
  if (chunks == nullptr || (reply.first_digit() != 2 && !stalled(context))) return;
  const MessageScanner* scanner = context.conversation().scanner();
  Finding finding = context.finding();
  finding.variant = "too-long";
  finding.certainty = Certainty::kLikely;
  finding.text = fmt::format(
      "the server answered {} to a chunk that was not complete ({} octets of the message were "
      "there): client and server do not count alike",
      reply.code, scanner != nullptr ? scanner->wire_octets() : 0);
  if (stalled(context)) {
    finding.text = fmt::format(
        "the client side stopped for {} in the middle of a chunk, until the server said {}: the "
        "chunk was announced too long",
        context.measured(context.session().last_silence.length()), reply.code);
  }
  finding.entries.push_back(context.session().last_command.entry);
  finding.attributes = {{"code", std::to_string(reply.code)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.entry() == nullptr) return;
  const ItemBody& body = context.entry()->item->body;
  if (const auto* command = std::get_if<Command>(&body)) judge_left_over(context, *command);
  if (const auto* chunk = std::get_if<Chunk>(&body)) judge_cut(context, *chunk);
  if (const auto* reply = std::get_if<Reply>(&body)) judge_reply(context, *reply);
}

}  // namespace
}  // namespace bdat_size_mismatch

const Rule kBdatSizeMismatch = {
    .id = "bdat-size-mismatch",
    .category = Category::kExtension,
    .severity = Severity::kError,
    .fault = Fault::kClient,
    .needs = kNeedsContent,
    .triggers = kOnCommand | kOnData | kOnReply,
    .verbs = verbs(Verb::kUnknown, Verb::kBdat) | (VerbSet{1} << kNothingSlot),
    .evaluate = bdat_size_mismatch::evaluate,
};

}  // namespace smtpscope
