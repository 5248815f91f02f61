#include "trace/timeline_batch.h"

#include <string_view>
#include <variant>

namespace smtpscope {

/// Puts what a copied event points to beside it. One function for each kind, so that none is
/// forgotten; views that need no copy say why.
class TimelineBatch::Keep {
 public:
  explicit Keep(TimelineBatch& batch) : batch_(batch) {}

  void operator()(TimelineSessionStarted& started) {
    keep(started.client);
    keep(started.listener);
    keep(started.upstream);
    keep(started.announced_by);
    keep(started.route);
  }
  void operator()(TimelineConnected& connected) { keep(connected.server); }
  void operator()(TimelineConnectFailed& failed) { keep(failed.reason); }
  void operator()(Entry& entry) {
    Item item = *entry.item;
    std::visit(*this, item.body);
    entry.item = batch_.memory_.keep(std::span<const Item>(&item, 1)).data();
    if (entry.refusal != nullptr) entry.refusal = &batch_.refusals_.emplace_back(*entry.refusal);
    entry.reads = batch_.memory_.keep(entry.reads);
    entry.last_reads = batch_.memory_.keep(entry.last_reads);
  }
  void operator()(Silence& silence) { keep(silence.owed); }
  void operator()(Annotation&) {}  // owns its text; `variant` and ids live as long as rules do
  void operator()(AnnotationFolded&) {}  // likewise
  void operator()(TransactionEnded& ended) {
    ended.transaction = &batch_.transactions_.emplace_back(*ended.transaction);
  }
  void operator()(TimelineClosed& closed) { keep(closed.closed.reason); }
  void operator()(TimelineGap& gap) { keep(gap.gap.why); }
  void operator()(TimelineStalled&) {}
  void operator()(TimelineBlocked&) {}
  void operator()(TimelineSessionEnded& ended) {
    ended.totals = &batch_.totals_.emplace_back(*ended.totals);
    if (!ended.verdict.empty()) {
      ended.verdict = batch_.verdicts_.emplace_back(ended.verdict.begin(), ended.verdict.end());
    }
    ended.not_evaluated = batch_.memory_.keep(ended.not_evaluated);  // `why` lives for ever
  }
  void operator()(TimelineTls&) {}  // shares its facts
  void operator()(TimelineTlsAlert&) {}
  void operator()(TimelineAside& aside) { keep(aside.text); }
  void operator()(TimelineRewritten& rewritten) {
    keep(rewritten.instead);
    keep(rewritten.scenario);
  }
  void operator()(TimelineRemark& remark) { keep(remark.remark.text); }
  void operator()(TimelineTcp&) {}

  // What an entry's item is.
  void operator()(Command& command) {
    keep(command.word);
    keep(command.arguments);
    keep(command.text);
  }
  void operator()(AuthResponse&) {}
  void operator()(Reply& reply) {
    lines_.assign(reply.lines.begin(), reply.lines.end());
    for (ReplyLine& line : lines_) keep(line.text);
    reply.lines = batch_.memory_.keep(std::span<const ReplyLine>(lines_));
  }
  void operator()(GarbageLine& line) { keep(line.text); }
  void operator()(MailData& data) {
    keep(data.behind_candidate);
    keep(data.headline);
  }
  void operator()(Chunk& chunk) { keep(chunk.headline); }
  void operator()(Blob&) {}
  void operator()(ProxyHeader& header) { keep(header.text); }
  void operator()(TlsRecord& record) {
    if (record.messages != nullptr) {
      record.messages = &batch_.tls_messages_.emplace_back(*record.messages);
    }
  }
  void operator()(Junk& junk) { keep(junk.text); }

 private:
  void keep(std::string_view& text) { text = batch_.memory_.keep(text); }
  void keep(Headline& headline) {
    keep(headline.subject);
    keep(headline.message_id);
  }

  TimelineBatch& batch_;
  std::vector<ReplyLine>& lines_ = batch_.lines_;
};

void TimelineBatch::add(const TimelineEvent& event) {
  TimelineEvent& copy = events_.emplace_back(event);
  std::visit(Keep(*this), copy.body);
}

void TimelineBatch::clear() {
  events_.clear();
  tls_messages_.clear();
  refusals_.clear();
  transactions_.clear();
  totals_.clear();
  verdicts_.clear();
  memory_.clear();
}

}  // namespace smtpscope
