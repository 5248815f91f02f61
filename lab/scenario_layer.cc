#include "lab/scenario_layer.h"

#include <algorithm>
#include <variant>

#include "base/octets.h"

// Theory of operation
//
// The client's octets go to a Conversation, which says what they are. A command goes on when its
// line is whole, content as it comes; where a line of the scenario is for the end of messages, the
// last octets of content wait until it is known whether they are the end. What is kept from the
// server is told to the relay as read, with nothing in its place.
//
// Each reply that the client waits for has a place in owed_. The server's are cut from its stream
// in their order; one of ours goes out when it is the first. So the Conversation hears replies in
// the order in which the client does, and at the moment at which it does.
//
// A refusal of the scenario's own that the server must not be contradicted in (the end of a
// message, a 354) leaves the server: it gets nothing more, its connection is given up once it has
// answered what it was asked before, and the client is answered from here.

namespace smtpscope {

ScenarioLayer::ScenarioLayer(SessionId session, ScenarioRun& run, std::vector<const LabLine*> lines,
                             bool inside_tls, SessionObserver* observer)
    : session_(session), run_(run), lines_(std::move(lines)), observer_(observer) {
  if (inside_tls) conversation_.see_inside_tls();
  Owed greeting;
  greeting.of = LabWhen::kGreeting;
  owed_.push_back(greeting);
  owed_before_ = conversation_.owed();
}

/// The first line that is for this, or nullptr.
template <typename Condition>
const LabLine* ScenarioLayer::find(const Condition& condition) const {
  const auto found =
      std::ranges::find_if(lines_, [&](const LabLine* line) { return condition(*line); });
  return found == lines_.end() ? nullptr : *found;
}

// Events.

void ScenarioLayer::handle(Time now, const FromPeer& event) {
  now_ = now;
  if (refused_) return;
  if (passive_) return inner().handle(now, event);
  tls_[index(event.from)] = event.tls;
  if (event.from == Side::kClient) {
    from_client(event.octets);
  } else {
    from_server(event.octets);
  }
  settle();
}

void ScenarioLayer::handle(Time now, const UpstreamReady& event) {
  now_ = now;
  ready_ = true;
  inner().handle(now, event);
  if (over() || passive_) return;
  if (end_when_ready_) {
    end_session(end_when_ready_->first, *end_when_ready_->second);
    return;
  }
  for (const LabLine* line : lines_) {
    if (line->moment.when != LabWhen::kConnect) continue;
    note(*line);
    switch (line->action) {
      case LabAction::kWait:
        replies_held_until_ = now + line->time;
        replies_held_by_ = line;
        continue;
      case LabAction::kReply:
        refused_ = true;
        inner().handle(now, LayerFailed{"the scenario: " + line->text, line->reply + "\r\n"});
        return;
      case LabAction::kSwallow:
        deaf_ = line;
        return;
      case LabAction::kClose:
        return end_session(CloseKind::kFin, *line);
      case LabAction::kReset:
        return end_session(CloseKind::kReset, *line);
      default:
        continue;
    }
  }
}

void ScenarioLayer::handle(Time now, const UpstreamUnreachable& event) {
  now_ = now;
  become_passive();
  inner().handle(now, event);
}

void ScenarioLayer::handle(Time now, const LayerFailed& event) {
  now_ = now;
  become_passive();
  if (!over()) inner().handle(now, event);
}

void ScenarioLayer::handle(Time now, const AlarmRang&) {
  now_ = now;
  if (!over()) settle();
}

void ScenarioLayer::handle(Time now, const PeerClosed& event) {
  now_ = now;
  if (passive_ || refused_) return inner().handle(now, event);
  if (event.side == Side::kServer) {
    if (!reply_.whole() && !reply_.text().empty()) {
      untouched_ += reply_.text();
      reply_ = ServerReply();
    }
    give_untouched();
    const bool hidden = deaf_ != nullptr && !client_gone_;
    if (over() || (given_.empty() && !hidden)) {
      if (!over()) inner().handle(now, event);
      return;
    }
    server_closed_reason_ = event.reason;
    server_closed_ = event;
    server_closed_->reason = server_closed_reason_;
    return;
  }
  client_gone_ = true;
  if (event.kind == CloseKind::kFin) {
    // The rest of a line, or what waited for a reply: it says no more.
    const std::uint64_t received = conversation_.received(Side::kClient);
    if (!done() && deaf_ == nullptr && leaving_ == nullptr) pass_to(received);
  } else {
    for_server_.clear();
    for_server_octets_ = 0;
  }
  if (over()) return;
  inner().handle(now, event);
  if (over()) return;
  if (server_closed_ && deaf_ != nullptr) {
    const PeerClosed closed = *std::exchange(server_closed_, {});
    inner().handle(now, closed);
  } else if (left_ && !ended_) {
    ended_ = true;
    inner().handle(now, PeerClosed{Side::kServer, CloseKind::kFin, {}, false, true});
  }
}

// The client's octets.

void ScenarioLayer::from_client(std::span<const std::uint8_t> octets) {
  while (!octets.empty() && !over()) {
    // Up to the next octet that a line is for.
    std::size_t part = octets.size();
    const LabLine* acts = nullptr;
    for (const LabLine* line : lines_) {
      if (line->moment.when != LabWhen::kOctet || std::ranges::count(used_up_, line) > 0) continue;
      const std::uint64_t to_come = line->moment.octets - client_octets_;
      if (to_come > part) continue;
      part = static_cast<std::size_t>(to_come);
      acts = line;
    }
    client_octets_ += part;
    take_client(octets.first(part));
    octets = octets.subspan(part);
    if (acts == nullptr || done()) continue;
    used_up_.push_back(acts);
    // What is still held of an unfinished line has been said, and goes on.
    if (leaving_ == nullptr && deaf_ == nullptr) pass_to(conversation_.received(Side::kClient));
    act_in_stream(*acts);
  }
}

void ScenarioLayer::take_client(std::span<const std::uint8_t> octets) {
  if (octets.empty()) return;
  if (passive_) return inner().handle(now_, FromPeer{Side::kClient, octets, tls_[0]});
  if (done() || deaf_ != nullptr) {
    FromPeer read{Side::kClient, octets, tls_[0], std::span<const std::uint8_t>()};
    if (deaf_ != nullptr) read.scenario = deaf_->text;
    if (!over()) inner().handle(now_, read);
    return;
  }
  conversation_.receive(Side::kClient, octets);
  client_held_.insert(client_held_.end(), octets.begin(), octets.end());
  drain();
  let_stream_go();
}

void ScenarioLayer::drain() {
  while (const Item* item = conversation_.next()) {
    if (item->side == Side::kClient && !done() && deaf_ == nullptr) on_client_item(*item);
    owed_before_ = conversation_.owed();
  }
}

void ScenarioLayer::on_client_item(const Item& item) {
  if (std::holds_alternative<TlsRecord>(item.body)) return on_tls_if_due();
  const std::uint32_t owed_now = conversation_.owed();
  const std::uint32_t more = owed_now > owed_before_ ? owed_now - owed_before_ : 0;
  if (const auto* command = std::get_if<Command>(&item.body)) return on_command(item, *command);
  if (const auto* data = std::get_if<MailData>(&item.body)) {
    if (data->exchange != kNoExchange) return on_end_of_message(item, Verb::kData, more);
  } else if (const auto* chunk = std::get_if<Chunk>(&item.body)) {
    if (keeps_chunk_ != nullptr) {
      keep_to(item.end, std::exchange(keeps_chunk_, nullptr));
      return;
    }
    if (chunk->complete && chunk->last) return on_end_of_message(item, Verb::kBdat, more);
    stream_to(item.end, item.begin);
    message_before_ += item.end - item.begin;
    return;
  } else if (leaving_ != nullptr) {
    return answer_alone(item, Verb::kUnknown);
  }
  pass_to(item.end);
  for (std::uint32_t i = 0; i < more; ++i) owed_.emplace_back();
}

void ScenarioLayer::on_command(const Item& item, const Command& command) {
  if (command.exchange == kNoExchange) return pass_to(item.end);
  const std::uint64_t count = ++counts_[command.verb];
  last_verb_ = command.verb;
  if (leaving_ != nullptr) return answer_alone(item, command.verb);
  if (command.verb == Verb::kMail || command.verb == Verb::kData) {
    message_before_ = 0;
    std::erase_if(used_up_,
                  [](const LabLine* line) { return line->moment.when == LabWhen::kMessage; });
  }
  Owed owed;
  owed.verb = command.verb;
  owed.count = count;
  for (const LabLine* line : lines_) {
    const LabMoment& moment = line->moment;
    if (moment.when != LabWhen::kCommand || moment.verb != command.verb) continue;
    if (moment.count != 0 && moment.count != count) continue;
    note(*line);
    if (line->action == LabAction::kWait) {
      hold_up_client(*line);
      continue;
    }
    keep_to(item.end, line);
    if (command.verb == Verb::kBdat) keeps_chunk_ = line;
    if (line->action == LabAction::kReply) {
      owe_ours(owed, *line, line->reply, line->reply.starts_with("421"));
    } else if (line->action == LabAction::kClose) {
      end_session(CloseKind::kFin, *line);
    } else if (line->action == LabAction::kReset) {
      end_session(CloseKind::kReset, *line);
    }
    return;
  }
  pass_to(item.end);
  owed_.push_back(owed);
}

/// `owed`: replies that it makes the server owe; with BDAT its command was told of already.
void ScenarioLayer::on_end_of_message(const Item& item, Verb verb, std::uint32_t owed) {
  const LabLine* acts = nullptr;
  for (const LabLine* line : lines_) {
    if (line->moment.when != LabWhen::kFinalDot) continue;
    note(*line);
    if (line->action != LabAction::kWait) {
      acts = line;
      break;
    }
    // What came before it does not wait.
    stream_to(item.end - std::min<std::uint64_t>(5, item.end - item.begin), item.begin);
    hold_up_client(*line);
  }
  if (done() || deaf_ != nullptr) return;
  Owed end;
  end.of = LabWhen::kReplyToDot;
  end.verb = verb;
  if (verb == Verb::kBdat && !owed_.empty()) {
    owed_.back().of = LabWhen::kReplyToDot;
    end = owed_.back();
  }
  if (acts == nullptr) {
    stream_to(item.end, item.begin);
    for (std::uint32_t i = 0; i < owed && verb != Verb::kBdat; ++i) owed_.push_back(end);
    return;
  }
  // All but its end; that the server has to see for a message to be one.
  stream_to(item.end - std::min<std::uint64_t>(5, item.end - item.begin), item.begin);
  if (done() || deaf_ != nullptr) return;
  keep_to(item.end, acts);
  switch (acts->action) {
    case LabAction::kReply:
      if (verb == Verb::kBdat && !owed_.empty()) owed_.pop_back();
      leave(*acts);
      for (std::uint32_t i = 0; i < std::max<std::uint32_t>(owed, 1); ++i) {
        owe_ours(end, *acts, acts->reply, acts->reply.starts_with("421"));
      }
      return;
    case LabAction::kSwallow:
      deaf_ = acts;
      return;
    case LabAction::kClose:
      return end_session(CloseKind::kFin, *acts);
    default:
      return end_session(CloseKind::kReset, *acts);
  }
}

/// The server is not asked any more.
void ScenarioLayer::answer_alone(const Item& item, Verb verb) {
  keep_to(item.end, leaving_);
  Owed owed;
  owed.verb = verb;
  if (verb == Verb::kQuit) {
    owe_ours(owed, *leaving_, "221 2.0.0 Bye", true);
  } else if (verb == Verb::kRset || verb == Verb::kNoop) {
    owe_ours(owed, *leaving_, "250 2.0.0 Ok", false);
  } else {
    // RFC 5321 3.8.
    owe_ours(owed, *leaving_, "421 4.3.2 The scenario has given up the connection to the server",
             true);
  }
}

/// Octets of a line wait for its end, content does not wait.
void ScenarioLayer::let_stream_go() {
  using Phase = Conversation::Phase;
  if (done() || deaf_ != nullptr || passive_) return;
  const std::uint64_t received = conversation_.received(Side::kClient);
  const Phase phase = conversation_.phase();
  if (phase == Phase::kTls) return on_tls_if_due();
  if (phase == Phase::kMailData || phase == Phase::kChunk) {
    const bool may_end =
        find([](const LabLine& line) { return line.moment.when == LabWhen::kFinalDot; }) != nullptr;
    const std::uint64_t content = conversation_.itemised(Side::kClient);
    const std::uint64_t held = may_end ? std::min<std::uint64_t>(5, received - content) : 0;
    stream_to(received - held, content);
  } else if (phase == Phase::kBlob || client_held_.size() > kMostHeld ||
             (phase == Phase::kUndecided && last_verb_ == Verb::kBdat)) {
    // A server that takes chunks, though the client was not told so, waits for this one's octets.
    pass_to(received);
  }
}

/// Content goes on up to `limit`; it began at `content`.
void ScenarioLayer::stream_to(std::uint64_t limit, std::uint64_t content) {
  if (keeps_chunk_ != nullptr) return keep_to(limit, keeps_chunk_);
  while (!done() && deaf_ == nullptr) {
    const LabLine* next = find([&](const LabLine& line) {
      if (line.moment.when != LabWhen::kMessage || std::ranges::count(used_up_, &line) > 0)
        return false;
      return message_before_ + (limit - content) > line.moment.octets;
    });
    if (next == nullptr) break;
    used_up_.push_back(next);
    const std::uint64_t here =
        next->moment.octets > message_before_ ? next->moment.octets - message_before_ : 0;
    pass_to(content + here);
    act_in_stream(*next);
  }
  if (!done() && deaf_ == nullptr) pass_to(limit);
}

void ScenarioLayer::act_in_stream(const LabLine& line) {
  note(line);
  switch (line.action) {
    case LabAction::kWait:
      return hold_up_client(line);
    case LabAction::kSwallow:
      deaf_ = &line;
      return keep_to(conversation_.received(Side::kClient), &line);
    case LabAction::kClose:
    case LabAction::kReset:
      keep_to(conversation_.received(Side::kClient), &line);
      return end_session(line.action == LabAction::kClose ? CloseKind::kFin : CloseKind::kReset,
                         line);
    default:
      return;
  }
}

void ScenarioLayer::hold_up_client(const LabLine& line) {
  client_held_until_ = std::max(client_held_until_, now_) + line.time;
  client_held_by_ = &line;
}

std::vector<std::uint8_t> ScenarioLayer::cut_client(std::uint64_t offset) {
  if (offset <= client_base_) return {};
  const auto size = static_cast<std::ptrdiff_t>(offset - client_base_);
  std::vector<std::uint8_t> cut(client_held_.begin(), client_held_.begin() + size);
  client_held_.erase(client_held_.begin(), client_held_.begin() + size);
  client_base_ = offset;
  return cut;
}

/// Hands on what the client has said up to `offset`, now or when its time has come.
void ScenarioLayer::pass_to(std::uint64_t offset) {
  std::vector<std::uint8_t> octets = cut_client(offset);
  if (octets.empty() || over()) return;
  FromPeer read{Side::kClient, octets, tls_[index(Side::kClient)]};
  if (client_held_until_ <= now_ && for_server_.empty()) return inner().handle(now_, read);
  // Told as it came; it goes on when nobody has to be told.
  read.instead.emplace();
  if (client_held_by_ != nullptr) read.scenario = client_held_by_->text;
  inner().handle(now_, read);
  for_server_octets_ += octets.size();
  for_server_.push_back({std::max(client_held_until_, now_), std::move(octets)});
}

/// Keeps that from the server.
void ScenarioLayer::keep_to(std::uint64_t offset, const LabLine* line) {
  const std::vector<std::uint8_t> octets = cut_client(offset);
  if (octets.empty() || over()) return;
  FromPeer read{Side::kClient, octets, tls_[index(Side::kClient)], std::span<const std::uint8_t>()};
  if (line != nullptr) read.scenario = line->text;
  inner().handle(now_, read);
}

void ScenarioLayer::flush_for_server() {
  bool sent_any = false;
  while (!for_server_.empty() && for_server_.front().due <= now_ && !over() && !left_) {
    const ForServer next = std::move(for_server_.front());
    for_server_.pop_front();
    for_server_octets_ -= next.octets.size();
    const Sent sent = outer().send_to(Side::kServer, next.octets);
    if (sent.failed) {
      for_server_.clear();
      for_server_octets_ = 0;
      return inner().handle(now_, WriteFailed{Side::kServer});
    }
    sent_any = sent.waiting == 0;
  }
  if (!sent_any || !for_server_.empty() || over()) return;
  if (std::exchange(finish_due_, false)) outer().finish(Side::kServer, truncated_);
  inner().handle(now_, WriteDrained{Side::kServer});
}

// What the relay wants done.

Outward::Sent ScenarioLayer::send_to(Side to, std::span<const std::uint8_t> octets) {
  if (to == Side::kServer && left_) return {0, false};
  return outer().send_to(to, octets);
}

void ScenarioLayer::finish(Side to, bool truncated) {
  if (to == Side::kServer && left_) return;
  if (to == Side::kServer && !for_server_.empty()) {
    finish_due_ = true;
    truncated_ = truncated;
    return;
  }
  outer().finish(to, truncated);
}

void ScenarioLayer::close(Side side, bool reset) {
  closed_[index(side)] = true;
  if (side == Side::kServer && left_) return;
  outer().close(side, reset);
}

void ScenarioLayer::pause_reading(Side from) {
  if (from == Side::kServer && left_) return;
  paused_by_relay_[index(from)] = true;
  if (!resting_[index(from)]) outer().pause_reading(from);
}

void ScenarioLayer::resume_reading(Side from) {
  if (from == Side::kServer && left_) return;
  paused_by_relay_[index(from)] = false;
  if (!resting_[index(from)]) outer().resume_reading(from);
}

bool ScenarioLayer::is_broken(Side side) {
  return side == Side::kServer && left_ ? false : outer().is_broken(side);
}

bool ScenarioLayer::holds(Side to) {
  if (to == Side::kServer && left_) return false;
  return (to == Side::kServer && !for_server_.empty()) || outer().holds(to);
}

void ScenarioLayer::rest(Side side, bool on) {
  if (std::exchange(resting_[index(side)], on) == on || paused_by_relay_[index(side)]) return;
  if (closed_[index(side)] || (side == Side::kServer && left_)) return;
  if (on) {
    outer().pause_reading(side);
  } else {
    outer().resume_reading(side);
  }
}

}  // namespace smtpscope
