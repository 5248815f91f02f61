#include "lab/replay/recorded_dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "base/octets.h"
#include "lab/replay/filler.h"
#include "parser/conversation.h"

namespace smtpscope {
namespace {

SayingKind saying_kind(const Item& item) {
  if (std::holds_alternative<Command>(item.body)) return SayingKind::kCommand;
  if (std::holds_alternative<AuthResponse>(item.body)) return SayingKind::kAuthResponse;
  if (std::holds_alternative<MailData>(item.body)) return SayingKind::kMailData;
  if (std::holds_alternative<Chunk>(item.body)) return SayingKind::kChunk;
  if (std::holds_alternative<Blob>(item.body)) return SayingKind::kBlob;
  return SayingKind::kOther;
}

}  // namespace

/// One session while its events come.
class DialogueRecorder::Recording {
 public:
  explicit Recording(SessionId session) {
    dialogue_.session = session;
    dialogue_.exchanges.resize(1);
    asked_.resize(1);
  }

  void take(Time time, const SessionOpened& opened) {
    if (opened.mid_session) unfit("its recording begins in the middle");
    if (opened.fidelity.inside_tls) inside_tls_ = true;
    if ((opened.fidelity.unknown & kUnknownReplyLines) != 0) {
      unfit(dialogue_.unfit_server, "its recording does not have all lines of the replies");
    }
    asked_[0] = said_ = heard_ = time;
  }
  void take(Time time, const UpstreamConnected&) { asked_[0] = heard_ = time; }
  void take(Time, const UpstreamFailed&) {
    unfit(dialogue_.unfit_server, "no server answered when it was recorded");
  }

  void take(Time time, const Bytes& bytes) {
    if (bytes.aside) return;
    if (!bytes.scenario.empty() || bytes.instead) {
      return unfit("it was altered when it was recorded");
    }
    if (bytes.by_proxy) return unfit("smtpscope itself spoke in it");
    if (bytes.tls || inside_tls_) unfit("it goes on inside TLS");
    const bool client = bytes.from == Side::kClient;
    Read read;
    read.time = time;
    read.owed = conversation_.owed();
    read.behind_close = server_closed_;
    read.gap = time - std::max(said_, heard_);
    read.end = conversation_.received(bytes.from) + bytes.octets();
    (client ? said_ : heard_) = time;
    masked_ = masked_ || (client && !bytes.masked.empty());
    reads_[index(bytes.from)].push_back(read);
    receive(bytes.from, bytes.head);
    if (!bytes.left_out) return;
    leave_out(bytes.from, *bytes.left_out);
    receive(bytes.from, bytes.tail);
    for (const FurtherPart& part : bytes.further) {
      leave_out(bytes.from, part.left_out);
      receive(bytes.from, part.octets);
    }
  }

  void take(Time, const Gap& gap) {
    if (gap.from || gap.of_unknown_octets()) unfit("its recording has a hole");
  }
  void take(Time, const TlsHandshake&) { unfit("it goes on inside TLS"); }

  void take(Time time, const Closed& closed) {
    const bool client = closed.from == Side::kClient;
    conversation_.eof(closed.from);
    drain();
    if (closed.by_proxy || over_) return;
    if (client && !client_closed_) {
      client_closed_ = true;
      ClientStep& step = closing_.emplace();
      step.kind =
          closed.kind == CloseKind::kFin ? ClientStep::Kind::kFinish : ClientStep::Kind::kReset;
      step.owed = conversation_.owed();
      step.gap = time - std::max(said_, heard_);
      step.behind_close = server_closed_;
    } else if (!client && !server_closed_ && !client_closed_) {
      // One that follows the client's is the answer to it, and every server gives that.
      ServerAct act;
      act.kind =
          closed.kind == CloseKind::kFin ? ServerAct::Kind::kFinish : ServerAct::Kind::kReset;
      act.behind_unfinished =
          conversation_.received(Side::kClient) - conversation_.itemised(Side::kClient);
      act.delay = time - std::max(said_, heard_);
      heard_ = time;
      unasked().acts.push_back(std::move(act));
    }
    if (!client) server_closed_ = true;
  }

  void take(Time, const SessionEnded&) { finish(); }
  template <typename Other>
  void take(Time, const Other&) {}

  RecordedDialogue take_dialogue() {
    finish();
    return std::move(dialogue_);
  }

 private:
  /// One read of a side, with what had been heard when it came.
  struct Read {
    std::uint64_t end = 0;  // behind it, in the side's stream
    Time time;
    Duration gap{};
    std::uint32_t owed = 0;
    bool behind_close = false;
  };

  static void unfit(std::string& reason, std::string_view why) {
    if (reason.empty()) reason = why;
  }
  void unfit(std::string_view why) { unfit(dialogue_.unfit, why); }

  void receive(Side side, std::span<const std::uint8_t> octets) {
    octets_[index(side)] += text_of(octets);
    unfinished_ = conversation_.received(Side::kClient) - conversation_.itemised(Side::kClient);
    ended_by_reply_ = kNoExchange;
    conversation_.receive(side, octets);
    drain();
  }

  void leave_out(Side side, const LeftOut& hole) {
    const MessageScanner* scanner = conversation_.scanner();
    if (scanner == nullptr || scanner->framing() != hole.after.framing()) {
      return unfit("its recording has a hole");
    }
    if (hole.after.facts().unseen) {
      unfit(dialogue_.unfit_client, "its recording does not have the messages");
    }
    octets_[index(side)] += make_filler(hole.octets, *scanner, hole.after);
    dialogue_.filler += hole.octets;
    conversation_.left_out(side, hole.octets, hole.after);
    drain();
  }

  void drain() {
    while (const Item* item = conversation_.next()) {
      if (item->side == Side::kClient) {
        on_said(*item);
      } else {
        on_heard(*item);
      }
    }
  }

  /// Place of the read in which the octet before `end` came. There must be one.
  std::size_t place_of_read(Side side, std::uint64_t end) const {
    const std::vector<Read>& reads = reads_[index(side)];
    const auto found =
        std::lower_bound(reads.begin(), reads.end() - 1, end,
                         [](const Read& read, std::uint64_t at) { return read.end < at; });
    return static_cast<std::size_t>(found - reads.begin());
  }
  const Read& read_of(Side side, std::uint64_t end) const {
    return reads_[index(side)][place_of_read(side, end)];
  }

  RecordedExchange& exchange(Exchange number) {
    if (number >= dialogue_.exchanges.size()) {
      dialogue_.exchanges.resize(number + 1);
      asked_.resize(number + 1);
    }
    return dialogue_.exchanges[number];
  }

  /// What the server does without being asked, or before the client has said all of it.
  RecordedExchange& unasked() {
    const std::size_t first = first_unanswered_;
    return dialogue_.exchanges[std::min(first, dialogue_.exchanges.size() - 1)];
  }

  void on_said(const Item& item) {
    if (std::holds_alternative<TlsRecord>(item.body)) unfit("it goes on inside TLS");
    if (std::holds_alternative<Blob>(item.body)) unfit("it uses XEXCH50");
    if (reads_[0].empty() || item.begin == item.end) return note_asked(item);
    if (const auto* data = std::get_if<MailData>(&item.body)) {
      if (data->end == DataEnd::kCandidate) ended_by_reply_ = data->exchange;
    }
    if (std::holds_alternative<ProxyHeader>(item.body)) proxy_header_ = true;
    const SayingKind kind = saying_kind(item);
    std::uint64_t at = item.begin;
    while (at < item.end) {
      const std::size_t place = place_of_read(Side::kClient, at + 1);
      const Read& read = reads_[0][place];
      ClientStep& step = dialogue_.steps.emplace_back();
      step.saying = kind;
      step.begins_item = at == item.begin;
      step.begin = at;
      step.end = std::min(item.end, std::max(read.end, at + 1));
      step.behind_close = read.behind_close;
      // The first of a read waits, the others come with it.
      if (place >= untold_reads_) {
        step.owed = read.owed;
        step.gap = read.gap;
      }
      untold_reads_ = place + 1;
      at = step.end;
    }
    note_asked(item);
  }

  void note_asked(const Item& item) {
    if (const auto* chunk = std::get_if<Chunk>(&item.body)) {
      if (chunk->exchange != kNoExchange) asked_at(chunk->exchange, item);
    }
    std::optional<Saying> saying = saying_of(item);
    if (!saying) return;
    const Exchange number = exchange_of(item);
    asked_at(number, item);
    exchange(number).saying = std::move(saying);
    if (std::holds_alternative<Command>(item.body)) ++dialogue_.commands;
  }

  static Exchange exchange_of(const Item& item) {
    if (const auto* command = std::get_if<Command>(&item.body)) return command->exchange;
    if (const auto* data = std::get_if<MailData>(&item.body)) return data->exchange;
    return std::get<AuthResponse>(item.body).exchange;
  }

  void asked_at(Exchange number, const Item& item) {
    exchange(number);
    if (!reads_[0].empty()) asked_[number] = read_of(Side::kClient, item.end).time;
  }

  void on_heard(const Item& item) {
    if (std::holds_alternative<TlsRecord>(item.body)) return unfit("it goes on inside TLS");
    const auto* reply = std::get_if<Reply>(&item.body);
    const bool answers = reply != nullptr && reply->exchange != kNoExchange;
    const bool in_chunk = answers && conversation_.phase() == Conversation::Phase::kChunk &&
                          reply->verb == Verb::kBdat;
    // The end of the message that it answers is still to come, or only the server has seen it.
    const bool in_message = answers && reply->answers == Answers::kEndOfData &&
                            reply->exchange > 0 &&
                            (conversation_.phase() == Conversation::Phase::kMailData ||
                             reply->exchange == ended_by_reply_);
    if (answers) exchange(reply->exchange);
    RecordedExchange& to = in_message ? exchange(reply->exchange - 1)
                           : answers  ? exchange(reply->exchange)
                                      : unasked();
    const Time asked = answers ? asked_[reply->exchange] : Time();
    std::uint64_t at = item.begin;
    while (at < item.end && !reads_[1].empty()) {
      const Read& read = read_of(Side::kServer, at + 1);
      const std::uint64_t end = std::min(item.end, std::max(read.end, at + 1));
      ServerAct act;
      act.early = in_chunk;
      act.behind_close = client_closed_;
      act.behind_unfinished = in_chunk || in_message ? unfinished_ : 0;
      // Who expects a PROXY header greets behind it.
      if (proxy_header_ && answers && reply->exchange == 0) act.behind_unfinished = 1;
      act.octets = octets_[1].substr(at - server_dropped_, end - at);
      act.delay = std::max(read.time - std::max(asked, last_act_), Duration::zero());
      last_act_ = read.time;
      to.acts.push_back(std::move(act));
      at = end;
    }
    octets_[1].erase(0, item.end - server_dropped_);
    server_dropped_ = item.end;
    if (answers && reply->verb == Verb::kStartTls && reply->code == 220) {
      unfit("it goes on inside TLS");
    }
    if (answers && reply->complete) first_unanswered_ = reply->exchange + 1;
  }

  void finish() {
    if (std::exchange(over_, true)) return;
    const std::uint32_t owed = conversation_.owed();
    conversation_.finish();
    drain();
    if (conversation_.commanding_side() != Side::kClient) unfit("its sides change roles");
    if (!closing_) {
      closing_.emplace().kind = ClientStep::Kind::kFinish;
      closing_->owed = owed;
      closing_->behind_close = server_closed_;
    }
    dialogue_.steps.push_back(*closing_);
    dialogue_.client_octets = std::move(octets_[0]);
    if (masked_) {
      unfit(dialogue_.unfit_client, "it logs in, and its recording has the credentials masked");
    }
  }

  RecordedDialogue dialogue_;
  Conversation conversation_;
  std::array<std::vector<Read>, 2> reads_;
  std::array<std::string, 2> octets_;  // the client's all, the server's from server_dropped_ on
  std::uint64_t server_dropped_ = 0;
  std::vector<Time> asked_;  // of each exchange
  std::size_t first_unanswered_ = 0;
  std::optional<ClientStep> closing_;
  std::size_t untold_reads_ = 0;           // first read of the client that no step has the gap of
  std::uint64_t unfinished_ = 0;           // octets of the client in no item, before the last read
  Exchange ended_by_reply_ = kNoExchange;  // the message whose end only the last read has shown
  Time last_act_, said_, heard_;           // last_act_: of the server, in an act
  bool proxy_header_ = false;
  bool masked_ = false;  // credentials of the client
  bool client_closed_ = false, server_closed_ = false, inside_tls_ = false, over_ = false;
};

DialogueRecorder::DialogueRecorder() = default;
DialogueRecorder::~DialogueRecorder() = default;

void DialogueRecorder::on_wire(const WireEvent& event) {
  if (event.seam) return;
  if (event.session == kWholeRun) {
    for (const auto& [id, recording] : sessions_) {
      if (const auto* gap = std::get_if<Gap>(&event.body)) recording->take(event.time, *gap);
    }
    return;
  }
  std::unique_ptr<Recording>& recording = sessions_[event.session];
  if (!recording) recording = std::make_unique<Recording>(event.session);
  std::visit([&](const auto& body) { recording->take(event.time, body); }, event.body);
}

std::vector<RecordedDialogue> DialogueRecorder::take() {
  std::vector<RecordedDialogue> all;
  all.reserve(sessions_.size());
  for (const auto& [id, recording] : sessions_) all.push_back(recording->take_dialogue());
  return all;
}

}  // namespace smtpscope
