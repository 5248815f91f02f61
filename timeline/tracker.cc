#include "timeline/tracker.h"

#include <algorithm>
#include <utility>

#include "base/octets.h"
#include "parser/conversation.h"
#include "timeline/rule_marks.h"
#include "timeline/state/envelope_hash.h"
#include "timeline/state/history_notes.h"
#include "timeline/state/session_changes.h"
#include "timeline/state/session_notes.h"
#include "timeline/unmet_needs.h"

namespace smtpscope {
namespace {

/// How an end that a scenario wanted begins to say so.
constexpr std::string_view kScenarioEnd = "the scenario: ";

}  // namespace

Tracker::Tracker(SessionId session, const RuleSet& rules, RunHistory& history, TimelineSink& sink)
    : session_(session),
      rules_(rules),
      history_(history),
      sink_(sink),
      engine_(session, rules, sink) {}

Tracker::~Tracker() = default;

template <typename Body>
void Tracker::emit(Body&& body) {
  sink_.on_timeline({.session = session_, .time = now_, .body = std::forward<Body>(body)});
}

void Tracker::on_event(const WireEvent& event, const Conversation& conversation) {
  now_ = event.time;
  if (!began_ && !std::holds_alternative<SessionOpened>(event.body)) {
    begin(true);  // its beginning was lost: as good as a session that was joined later
  }
  std::visit([&](const auto& body) { on_body(body, conversation); }, event.body);
}

void Tracker::on_event_done(const WireEvent& event, const Conversation& conversation) {
  if (const auto* closed = std::get_if<Closed>(&event.body)) {
    close(*closed, conversation);
  } else if (std::holds_alternative<SessionEnded>(event.body)) {
    end_session(conversation);
    return;
  } else {
    const auto* bytes = std::get_if<Bytes>(&event.body);
    if (bytes != nullptr) tell_of_change(*bytes);
    flush_silence(conversation);
    end_unfinished(conversation);
    settle({.now = now_}, conversation);
  }
  if (conversation.owed() == 0) pending_.clear();
  std::optional<std::uint64_t> message_octets;
  if (const MessageScanner* scanner = conversation.scanner()) {
    message_octets = scanner->facts().octets;
  }
  silences_.expect(who_owes(state_, conversation, pending_.awaited()), message_octets);
}

/// What a scenario does to several reads in a row is told once.
void Tracker::tell_of_change(const Bytes& bytes) {
  const bool instead = !bytes.aside && bytes.instead && !bytes.instead->empty();
  const bool again = state_.scenario == nullptr || state_.scenario->told == bytes.scenario;
  if (instead || (!again && !bytes.scenario.empty())) {
    emit(TimelineRewritten{.from = bytes.from,
                           .instead = instead ? text_of(*bytes.instead) : std::string_view(),
                           .scenario = bytes.scenario});
  }
  if (!again) state_.scenario->told = bytes.scenario;
}

namespace {

/// The side has spoken: what the kernel said of it before is past.
void note_answer(Side side, TcpNotes& notes) {
  auto& last = notes.last[index(side)];
  if (last && last->lost()) notes.healed[index(side)] = last;
  last.reset();
}

}  // namespace

void Tracker::begin(bool mid_session) {
  began_ = true;
  state_.opened = now_;
  state_.mid_session = mid_session;
  if (mid_session) {
    state_.connected = true;
    state_.connected_at = now_;
    state_.greeting = SessionState::Greeting::kOk;
  }
  last_event_ = now_;
  end_wait();
}

void Tracker::on_body(const SessionOpened& opened, const Conversation& conversation) {
  begin(opened.mid_session);
  state_.fidelity = opened.fidelity;
  engine_.lack(unmet_needs(opened.fidelity));
  note_peers(opened, state_);
  if (opened.rtt) state_.rtt_c = opened.rtt;
  history_.session_opened(state_.client_host, now_);
  emit(TimelineSessionStarted{.client = opened.client,
                              .listener = opened.listener,
                              .upstream = opened.upstream,
                              .mid_session = opened.mid_session,
                              .fidelity = opened.fidelity,
                              .announced_by = opened.announced_by,
                              .route = opened.route});
  const Moment moment{.now = now_};
  ask(kOnOpened, moment, conversation);
  settle(moment, conversation);
}

void Tracker::on_body(const UpstreamConnected& connected, const Conversation& conversation) {
  end_wait();
  flush_silence(conversation);
  state_.connected = true;
  state_.connected_at = now_;
  if (!connected.server.empty()) state_.server_hash = sender_hash(host_of(connected.server));
  if (connected.rtt) {
    state_.rtt_s = connected.rtt;
    state_.rtt_measured = true;
  }
  emit(TimelineConnected{.server = connected.server,
                         .took = connected.took,
                         .failed_attempts = connected.failed_attempts});
  last_event_ = now_;
}

void Tracker::on_body(const UpstreamFailed& failed, const Conversation& conversation) {
  end_wait();
  flush_silence(conversation);
  state_.connect_failed = true;
  emit(TimelineConnectFailed{.reason = failed.reason});
  last_event_ = now_;
  const Moment moment{.now = now_, .connect_failure = failed.reason};
  ask(kOnConnectFailed, moment, conversation);
  settle(moment, conversation);
}

void Tracker::on_body(const Bytes& bytes, const Conversation& conversation) {
  end_wait();
  if (!bytes.scenario.empty()) {
    note_scenario(bytes.scenario, state_);
    engine_.expect_alterations();
  }
  if (bytes.aside) {
    flush_silence(conversation);
    emit(TimelineAside{
        .from = bytes.from, .text = text_of(bytes.head), .since_previous = now_ - last_event_});
    last_event_ = now_;
    return;
  }
  if (bytes.tls) state_.in_tls[index(bytes.from)] = true;
  if (bytes.instead && bytes.from == Side::kServer && !bytes.instead->empty()) {
    state_.reply_rewritten = true;
  }
  if (state_.tcp != nullptr && !bytes.by_proxy) note_answer(bytes.from, *state_.tcp);
  const std::uint64_t octets = bytes.octets();
  const CloseRecord* gone = nullptr;
  if (const auto& close = state_.closes[index(other(bytes.from))]) {
    gone = &*close;
    state_.octets_behind_close[index(bytes.from)] += octets;
  }
  // After a FIN a peer still reads; after a reset there is nobody.
  const bool undelivered = bytes.undelivered || (gone != nullptr && gone->kind != CloseKind::kFin);
  octets_[index(bytes.from)] += octets;
  arrivals_.add(bytes.from, octets, now_, bytes.by_proxy, undelivered);
}

void Tracker::on_body(const Blocked& blocked, const Conversation& conversation) {
  silences_.blocked(blocked.to, blocked.since, now_);
  const TimelineBlocked told{
      .to = blocked.to, .from = blocked.since, .until = now_, .octets = blocked.octets};
  emit(told);
  const Moment moment{.now = now_, .transaction = transactions_.open(), .blocked = &told};
  ask(kOnBlocked, moment, conversation);
  settle(moment, conversation);
}

void Tracker::on_body(const ProxyStalled& stalled, const Conversation&) {
  silences_.proxy_stalled(stalled.since, now_);
  emit(TimelineStalled{.from = stalled.since, .to = now_});
}

void Tracker::on_body(const Gap& gap, const Conversation&) {
  ++state_.holes;
  if (gap.from) arrivals_.skip(*gap.from, gap.octets);
  emit(TimelineGap{gap});
}

void Tracker::on_body(const Closed&, const Conversation&) { end_wait(); }

void Tracker::on_body(const SessionEnded&, const Conversation&) {}

void Tracker::on_body(const TlsHandshake& handshake, const Conversation& conversation) {
  end_wait();
  flush_silence(conversation);
  note_tls_handshake(handshake, now_, state_);
  emit(TimelineTls{.handshake = handshake, .since_previous = now_ - last_event_});
  last_event_ = now_;
}

void Tracker::on_body(const TlsAlerted& alert, const Conversation& conversation) {
  end_wait();
  flush_silence(conversation);
  emit(TimelineTlsAlert{.alert = alert});
  last_event_ = now_;
}

void Tracker::on_body(const Remark& remark, const Conversation& conversation) {
  // These are said while a wait goes on; the others end one.
  if (remark.kind != RemarkKind::kTarpit && remark.kind != RemarkKind::kLoginBackend &&
      remark.kind != RemarkKind::kPipelining) {
    end_wait();
    flush_silence(conversation);
  }
  note_remark(remark, state_);
  emit(TimelineRemark{.remark = remark, .since_previous = now_ - last_event_});
  last_event_ = now_;
}

void Tracker::on_body(const TcpReport& report, const Conversation&) {
  // The wait goes on: nothing came over the wire.
  if (state_.tcp == nullptr) state_.tcp = std::make_unique<TcpNotes>();
  state_.tcp->last[index(report.with)] = report.figures;
  emit(TimelineTcp{.report = report});
}

void Tracker::close(const Closed& closed, const Conversation& conversation) {
  if (closed.by_proxy && closed.reason.starts_with(kScenarioEnd)) {
    note_scenario(closed.reason.substr(kScenarioEnd.size()), state_);
    engine_.expect_alterations();
  }
  if (closed.by_proxy && !closed.reason.empty() && state_.proxys_reason == nullptr) {
    state_.proxys_reason = std::make_unique<const std::string>(closed.reason);
  }
  end_rset_run(conversation);
  flush_silence(conversation);
  auto& record = state_.closes[index(closed.from)];
  if (closed.from == Side::kClient && !record) leave_history();
  // A FIN that a reset follows is a reset for whoever still wants to be heard.
  if (!record || record->kind == CloseKind::kFin) {
    record = CloseRecord{.kind = closed.kind,
                         .by_proxy = closed.by_proxy,
                         .behind_fin = record.has_value(),
                         .time = now_,
                         .left = record ? record->left : now_};
  }
  if (!state_.first_closer) {
    state_.first_closer = closed.from;
    if (closed.from == Side::kClient && state_.last_silence.silent != Party::kUnknown) {
      state_.before_leaving = std::make_unique<LastSilence>(state_.last_silence);
    }
  }
  emit(TimelineClosed{.closed = closed, .since_previous = now_ - last_event_});
  last_event_ = now_;
  const Moment moment{.now = now_, .transaction = transactions_.open(), .closed = &closed};
  ask(kOnClose, moment, conversation);
  end_unfinished(conversation);
  settle(moment, conversation);
}

void Tracker::leave_history() {
  if (!state_.client_host.empty()) history_.session_closed(state_.client_host);
}

void Tracker::end_unfinished(const Conversation& conversation) {
  if (!transactions_.under_way() || !state_.first_closer) return;
  const auto& client = state_.closes[index(Side::kClient)];
  const auto& server = state_.closes[index(Side::kServer)];
  using Phase = Conversation::Phase;
  const Phase phase = conversation.phase();
  const bool in_message = phase == Phase::kMailData || phase == Phase::kChunk;
  // Replies still owed may decide what the client did not live to see. When the server has gone,
  // what the client goes on sending decides nothing, but belongs to the message.
  // The same goes for what may be the end of the message: the server's reply will tell whether it
  // was.
  const bool end_in_doubt = in_message && conversation.scanner() != nullptr &&
                            conversation.scanner()->facts().first_candidate_end > 0;
  const bool over =
      server ? !in_message || client.has_value() : conversation.owed() == 0 && !end_in_doubt;
  if (!over && !ended_) return;

  const CloseRecord& first = state_.first_closer == Side::kClient ? *client : *server;
  AbortedBy cause =
      state_.first_closer == Side::kClient ? AbortedBy::kClientClose : AbortedBy::kServerClose;
  if (first.by_proxy) {
    cause = AbortedBy::kProxy;
  } else if (first.kind == CloseKind::kReset) {
    cause = AbortedBy::kReset;
  } else if (first.kind == CloseKind::kTimeout) {
    cause = AbortedBy::kTimeout;
  }
  if (const MessageScanner* scanner = conversation.scanner()) {
    transactions_.on_unfinished_data(scanner->facts());
  }
  transactions_.end_all(cause, now_);
}

void Tracker::end_session(const Conversation& conversation) {
  ended_ = true;
  end_wait();
  silence_.reset();  // nobody was waiting any more
  end_rset_run(conversation);
  end_unfinished(conversation);
  transactions_.end_all(AbortedBy::kNothing, now_);  // the trace ended before the connection did
  const Moment moment{.now = now_};
  engine_.give_up_waiting(state_.entries + 1);
  settle(moment, conversation);
  ask(kOnSessionEnd, moment, conversation);
  settle(moment, conversation);
  engine_.tell_not_asked();
  remember_tls(session_, state_, history_);
  if (!state_.closes[index(Side::kClient)]) leave_history();
  sum_up(conversation);
}

void Tracker::break_off(Time now, const Conversation& conversation) {
  if (!began_ || ended_) return;
  ended_ = true;
  now_ = std::max(now_, now);
  const SilenceWatch::Wait wait = silences_.end(now_);
  state_.unfinished = true;
  state_.last_silence = {.from = wait.from, .to = wait.to, .silent = wait.party, .owed = wait.owed};
  if (const MessageScanner* scanner = conversation.scanner()) {
    transactions_.on_unfinished_data(scanner->facts());
  }
  // No rule is asked: nothing has ended.
  transactions_.leave_open(now_);
  for (std::size_t i = 0; i < transactions_.ended(); ++i) {
    finish_transaction(transactions_.ended(i));
  }
  transactions_.drop_ended();
  sum_up(conversation);
}

/// Totals and verdict.
void Tracker::sum_up(const Conversation& conversation) {
  SessionTotals totals;
  totals.began = state_.opened;
  totals.ended = now_;
  totals.octets[0] = octets_[0];
  totals.octets[1] = octets_[1];
  counts_.put_into(totals);
  totals.transactions = state_.transactions;
  std::span<const TransactionTally> tallies;
  if (tallies_ != nullptr) {
    totals.outcomes = tallies_->outcomes;
    tallies = tallies_->first;
  }
  totals.idle_client = silences_.idle(Party::kClient);
  totals.idle_server = silences_.idle(Party::kServer);
  totals.idle_proxy = silences_.idle(Party::kProxy);
  totals.annotations = engine_.annotations();
  totals.worst = engine_.worst();
  totals.ended_cleanly = state_.quit_sent && state_.quit_answered;
  if (state_.tls_state != nullptr) totals.tls = totals_of(*state_.tls_state);
  std::vector<VerdictLine> lines;
  if (sink_.reads_verdict()) {
    lines = verdict(state_, totals, tallies, conversation.capabilities(), engine_, rules_);
  }
  emit(TimelineSessionEnded{.totals = &totals,
                            .verdict = lines,
                            .not_evaluated = engine_.not_evaluated(),
                            .unfinished = state_.unfinished});
}

void Tracker::end_wait() {
  const SilenceWatch::Wait wait = silences_.end(now_);
  // Between two stamps there may be less time than they tell, by one step of their clock.
  const Duration least = wait.length() - state_.fidelity.resolution;
  if (least < rules_.thresholds().duration(Threshold::kGapNote)) return;
  silence_ = std::make_unique<SilenceWatch::Wait>(wait);
}

void Tracker::flush_silence(const Conversation& conversation) {
  if (!silence_) return;
  const Transaction* open = transactions_.open();
  std::uint64_t transaction = transactions_.current();
  if (transaction == 0 && open != nullptr) transaction = open->number;
  const Silence silence{.from = silence_->from,
                        .to = silence_->to,
                        .silent = silence_->party,
                        .owed = silence_->owed,
                        .transaction = transaction,
                        .message_octets = silence_->message_octets};
  silence_.reset();
  state_.last_silence = {
      .from = silence.from, .to = silence.to, .silent = silence.silent, .owed = silence.owed};
  if (silence.silent == Party::kServer && silence.length() > state_.longest_silence.length()) {
    state_.longest_silence = state_.last_silence;
  }
  if (silence.silent == Party::kClient || silence.silent == Party::kServer) {
    const bool server = silence.silent == Party::kServer;
    const Duration rtt = state_.rtt_s.value_or(Duration::zero());
    const Duration wait = silence.length() - (server ? rtt : Duration::zero());
    if (const auto match =
            match_round(wait, rtt, rules_.thresholds(), state_.fidelity.resolution)) {
      std::uint8_t& times = state_.round_silences[server ? 1 : 0][match->index];
      if (times < 255) ++times;
      if (!server) note_round_pause(silence.length(), state_);
    }
  }
  ++state_.silences;
  emit(silence);
  const Moment moment{
      .now = now_, .silence = &silence, .transaction = transactions_.find(transaction)};
  ask(kOnSilence, moment, conversation);
  settle(moment, conversation);
}

void Tracker::end_rset_run(const Conversation& conversation) {
  RsetRun* run = state_.rset_run.get();
  if (run == nullptr || run->ended) return;
  run->ended = true;
  if (run->count < 2) return;
  const Moment moment{.now = now_};
  ask(kOnRsetRunEnd, moment, conversation);
  settle(moment, conversation);
}

void Tracker::ask(RuleTrigger trigger, const Moment& moment, const Conversation& conversation) {
  std::uint8_t marks = 0;
  if (trigger == kOnData) marks = marks_of(*moment.entry);
  if (trigger == kOnTransactionEnd) marks = marks_of(*moment.ended);
  ask(trigger, kNothingSlot, marks, moment, conversation);
}

void Tracker::ask(RuleTrigger trigger, std::size_t slot, std::uint8_t marks, const Moment& moment,
                  const Conversation& conversation) {
  const RuleContext::Sources sources{state_, rules_, conversation, arrivals_, pending_, history_};
  RuleContext context(moment, sources, engine_);
  engine_.ask(trigger, slot, marks, context);
  if (trigger == kOnReply && moment.answered != nullptr) {
    engine_.answered(moment.answered->exchange, context);
  }
}

void Tracker::settle(Moment moment, const Conversation& conversation) {
  const std::size_t ended = transactions_.ended();
  if (ended == 0 && !engine_.has_findings()) return;
  PlaceRange between;
  if (state_.previous != nullptr && moment.transaction != nullptr) {
    between = {.begin = state_.previous->last_entry, .end = moment.transaction->first_entry};
  }
  for (std::size_t i = 0; i < ended; ++i) {
    moment.ended = moment.transaction = &transactions_.ended(i);
    note_transaction(*moment.ended, state_);
    ask(kOnTransactionEnd, moment, conversation);
    const bool by_rset = moment.ended->aborted_by == AbortedBy::kRset;
    if (state_.previous == nullptr) state_.previous = std::make_unique<TransactionSummary>();
    *state_.previous = summary_of(*moment.ended, by_rset ? moment.answered : nullptr, now_);
    remember_transaction(*moment.ended, session_, state_, history_);
  }
  engine_.settle(now_, between);
  for (std::size_t i = 0; i < ended; ++i) finish_transaction(transactions_.ended(i));
  transactions_.drop_ended();
}

void Tracker::finish_transaction(const Transaction& transaction) {
  if (tallies_ == nullptr) tallies_ = std::make_unique<Tallies>();
  ++tallies_->outcomes[static_cast<std::size_t>(transaction.outcome)];
  const bool accepted =
      transaction.outcome == Outcome::kAccepted || transaction.outcome == Outcome::kPartial;
  if (accepted && transaction.data_verb == Verb::kData) counts_.accepted(Verb::kData);
  if (tallies_->first.size() < kTalliedTransactions) {
    tallies_->first.push_back(TransactionTally::of(transaction));
  }
  if (transaction.finals > 1 && state_.refusals != nullptr) {
    note_recipients(transaction, *state_.refusals);
  }
  emit(TransactionEnded{.transaction = &transaction});
}

/// An entry before the one that is being made has refused the last of its recipients.
bool Tracker::lost_before(const Transaction& transaction) const {
  return transaction.refused_at != 0 && transaction.refused_at <= state_.entries;
}

TxnMark Tracker::mark_of(std::uint64_t transaction) const {
  if (transaction == 0) return TxnMark::kOutside;
  for (std::size_t i = 0; i < transactions_.ended(); ++i) {
    const Transaction& ended = transactions_.ended(i);
    if (ended.number != transaction) continue;
    const bool well = ended.outcome == Outcome::kAccepted || ended.outcome == Outcome::kPartial;
    // It was lost at the refusal, and marked there.
    if (!well && !ended.data_sent && lost_before(ended)) return TxnMark::kOutside;
    return well ? TxnMark::kEndsWell : TxnMark::kEndsBadly;
  }
  const Transaction* open = transactions_.find(transaction);
  if (open == nullptr || open->refused_at == 0) return TxnMark::kInside;
  if (!lost_before(*open)) return TxnMark::kEndsBadly;
  return open->given_up ? TxnMark::kOutside : TxnMark::kInside;
}

}  // namespace smtpscope
