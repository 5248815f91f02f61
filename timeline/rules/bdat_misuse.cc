// RFC 3030 2 also forbids a MAIL in the middle, which is mail-nested, and a BDAT behind the last
// chunk, which is command-out-of-order.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace bdat_misuse {
namespace {

constexpr std::string_view kAborted = "aborted";

void fire(RuleContext& context, const ChunkNotes* chunks, std::string_view variant,
          std::string text) {
  Finding finding = context.finding();
  finding.variant = variant;
  if (variant == "mixed") finding.severity = Severity::kWarning;
  finding.text = std::move(text);
  if (chunks != nullptr) {
    finding.entries.push_back(chunks->first_entry);
    finding.entries.push_back(chunks->failed);
    finding.attributes = {{"chunks", std::to_string(chunks->count)}};
  }
  context.fire_when_answered(std::move(finding));
}

void judge_data(RuleContext& context, const ChunkNotes* chunks) {
  const Transaction* txn = context.transaction();
  if (chunks != nullptr) {
    fire(context, chunks, "mixed", "DATA in a transaction that has sent chunks with BDAT already");
  } else if (txn != nullptr && txn->declared.body == DeclaredMessage::Body::kBinaryMime) {
    fire(context, nullptr, "mixed",
         "DATA although MAIL declared BODY=BINARYMIME, which only BDAT can carry");
  }
}

/// The client knew that a chunk had failed when it sent this: the reply was on its way long enough.
bool knew_of_failure(const RuleContext& context, const ChunkNotes& chunks) {
  const Duration way = context.session().rtt_c.value_or(Duration::zero());
  return chunks.failed != 0 && context.entry()->first >= chunks.failed_at + way;
}

void evaluate(RuleContext& context) {
  const Command& command = *context.command();
  const std::uint64_t transaction = context.entry()->transaction;
  if (transaction == 0) return;
  const ChunkNotes* chunks = context.session().chunks.get();
  if (chunks != nullptr && chunks->transaction != transaction) chunks = nullptr;

  if (command.verb == Verb::kData) {
    judge_data(context, chunks);
    return;
  }
  const Transaction* txn = context.transaction();
  if (command.verb == Verb::kBdat && txn != nullptr && txn->mixed_data &&
      context.session().last_command.verb == Verb::kData) {
    fire(context, chunks, "mixed", "BDAT in a transaction that has used DATA already");
    return;
  }
  if (chunks == nullptr) return;
  if (command.verb == Verb::kRset) {
    // Right after a refusal. Whether all chunks were accepted is known when RSET is answered.
    if (chunks->failed != 0) return;
    fire(context, chunks, kAborted,
         fmt::format("RSET after {} that the server had accepted: the message is dropped "
                     "half sent",
                     counted(chunks->count, "chunk")));
    return;
  }
  if (chunks->failed != 0) {
    if (!knew_of_failure(context, *chunks)) return;
    fire(context, chunks, "after-failure",
         fmt::format("{} although the server had refused a chunk with {}: only RSET was allowed",
                     to_string(command.verb), chunks->failed_code));
  } else if (command.verb == Verb::kRcpt) {
    fire(context, chunks, "interrupted", "RCPT between the chunks of a message");
  }
}

bool answered(RuleContext& context, Finding& finding) {
  const ChunkNotes* chunks = context.session().chunks.get();
  const bool chunk_failed =
      chunks != nullptr && chunks->failed != 0 && chunks->transaction == finding.transaction;
  if (finding.variant == kAborted && chunk_failed) return false;
  finding.text += fmt::format("; the server answered {}", context.reply()->code);
  finding.attributes.emplace_back("reply", std::to_string(context.reply()->code));
  return true;
}

}  // namespace
}  // namespace bdat_misuse

const Rule kBdatMisuse = {
    .id = "bdat-misuse",
    .category = Category::kExtension,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .triggers = kOnCommand,
    .verbs = verbs(Verb::kBdat, Verb::kData, Verb::kRcpt, Verb::kBurl, Verb::kRset),
    .evaluate = bdat_misuse::evaluate,
    .answered = bdat_misuse::answered,
};

}  // namespace smtpscope
