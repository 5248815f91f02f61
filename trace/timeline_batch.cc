#include "trace/timeline_batch.h"

#include <span>
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
    const Item& item = *entry.item;
    PackedItem& packed = batch_.items_.emplace_back(
        PackedItem{item.side, static_cast<std::uint8_t>(item.body.index()), item.begin, item.end,
                   item.secret_begin, item.secret_end, nullptr});
    std::visit([&](auto body) { packed.body = pack(body); }, item.body);
    entry.item = nullptr;  // it is unpacked when it is asked for
    if (entry.refusal != nullptr) entry.refusal = &batch_.refusals_.add(*entry.refusal);
    entry.reads = batch_.memory_.keep(entry.reads);
    entry.last_reads = batch_.memory_.keep(entry.last_reads);
  }
  void operator()(Silence& silence) { keep(silence.owed); }
  void operator()(Annotation&) {}  // owns its text; `variant` and ids live as long as rules do
  void operator()(AnnotationFolded&) {}  // likewise
  void operator()(TransactionEnded& ended) {
    ended.transaction = &batch_.transactions_.add(*ended.transaction);
  }
  void operator()(TimelineClosed& closed) { keep(closed.closed.reason); }
  void operator()(TimelineGap& gap) { keep(gap.gap.why); }
  void operator()(TimelineStalled&) {}
  void operator()(TimelineBlocked&) {}
  void operator()(TimelineSessionEnded& ended) {
    ended.totals = &batch_.totals_.add(*ended.totals);
    if (!ended.verdict.empty()) {
      std::vector<VerdictLine>& lines = batch_.verdicts_.next();
      lines.assign(ended.verdict.begin(), ended.verdict.end());
      ended.verdict = lines;
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
      record.messages = &batch_.tls_messages_.add(*record.messages);
    }
  }
  void operator()(Junk& junk) { keep(junk.text); }

 private:
  template <typename Body>
  const std::byte* pack(Body& body) {
    (*this)(body);
    return std::as_bytes(batch_.memory_.keep(std::span<const Body>(&body, 1))).data();
  }
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

namespace {

/// Makes `into` the alternative that has this index, of what lies at `body`.
template <std::size_t kIndex = 0>
void unpack(ItemBody& into, std::size_t index, const std::byte* body) {
  if constexpr (kIndex < std::variant_size_v<ItemBody>) {
    if (index != kIndex) return unpack<kIndex + 1>(into, index, body);
    using Body = std::variant_alternative_t<kIndex, ItemBody>;
    into.emplace<kIndex>(*reinterpret_cast<const Body*>(body));
  }
}

}  // namespace

const TimelineEvent& TimelineBatch::next() {
  TimelineEvent& event = events_[next_event_++];
  if (auto* entry = std::get_if<Entry>(&event.body)) {
    const PackedItem& packed = items_[next_item_++];
    item_.side = packed.side;
    item_.begin = packed.begin;
    item_.end = packed.end;
    item_.secret_begin = packed.secret_begin;
    item_.secret_end = packed.secret_end;
    unpack(item_.body, packed.kind, packed.body);
    entry->item = &item_;
  }
  return event;
}

void TimelineBatch::clear() {
  events_.clear();
  items_.clear();
  tls_messages_.clear();
  refusals_.clear();
  transactions_.clear();
  totals_.clear();
  verdicts_.clear();
  memory_.clear();
  next_event_ = next_item_ = 0;
}

}  // namespace smtpscope
