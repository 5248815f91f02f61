#include <algorithm>
#include <array>

#include "base/octets.h"
#include "lab/reply_editing.h"
#include "lab/scenario_layer.h"
#include "proxy/aside.h"

// What the server says, and what the client is given.

namespace smtpscope {
namespace {

bool is_hello(Verb verb) { return verb == Verb::kEhlo || verb == Verb::kLhlo; }

/// What the client is given so that it has a slice at a time, or so much a second.
struct Pace {
  std::size_t octets = 0;
  Duration every{};
};

/// A throttle's steps: shorter ones cost more than anybody sees.
constexpr Duration kStep = std::chrono::milliseconds(50);

Pace pace_of(const LabLine& line) {
  if (line.action == LabAction::kSlice) {
    return {static_cast<std::size_t>(line.octets), line.time};
  }
  const auto per_step = line.octets / (std::chrono::seconds(1) / kStep);
  if (per_step > 0) return {static_cast<std::size_t>(per_step), kStep};
  return {1, Duration(std::chrono::seconds(1)) / static_cast<std::int64_t>(line.octets)};
}

}  // namespace

void ScenarioLayer::from_server(std::span<const std::uint8_t> octets) {
  if (left_ || over()) return;
  if (done() || deaf_ != nullptr) return record_aside(text_of(octets), deaf_, false);
  while (!octets.empty() && !done() && !passive_) {
    octets = octets.subspan(reply_.receive(octets));
    if (reply_.whole()) {
      on_reply(reply_.text());
    } else if (reply_.endless()) {
      // No line of it is looked at, but it goes where replies go.
      if (given_.empty() && replies_held_until_ <= now_ && slicing_line() == nullptr) {
        untouched_ += reply_.text();
      } else {
        give(reply_.text(), slicing_line(), {});
      }
    }
    if (deaf_ != nullptr) return record_aside(text_of(octets), deaf_, false);
  }
  give_untouched();
  if (passive_ && !octets.empty() && !over()) {
    inner().handle(now_, FromPeer{Side::kServer, octets, tls_[index(Side::kServer)]});
  }
}

void ScenarioLayer::on_reply(const std::string& text) {
  Owed owed;
  if (!owed_.empty()) {
    owed = owed_.front();
    owed_.pop_front();
  }
  std::string given = text;
  Duration wait{};
  const LabLine* fate = nullptr;
  const LabLine* by = edit(owed, given, wait, fate);
  if (by == nullptr && given_.empty() && replies_held_until_ <= now_ && slicing_line() == nullptr) {
    untouched_ += text;
    if (!owed_.empty() && owed_.front().ours) give_untouched();
    answer_due();
    return;
  }
  give_untouched();
  if (over()) return;
  const bool secret =
      owed.verb == Verb::kAuth || (owed.verb == Verb::kUnknown && owed.of == LabWhen::kReply);
  record_aside(text, by, secret);
  if (fate != nullptr && fate->action == LabAction::kSwallow) {
    answer_due();
    return;
  }
  if (fate != nullptr) {
    return give_end(fate->action == LabAction::kClose ? CloseKind::kFin : CloseKind::kReset, *fate);
  }
  if (by == nullptr) by = replies_held_until_ > now_ ? replies_held_by_ : slicing_line();
  if (by == nullptr && !given_.empty()) by = given_.back().line;
  const bool contradicts =
      (text.starts_with('3') && !given.starts_with('3')) ||
      (owed.of == LabWhen::kGreeting && text.starts_with('2') && !given.starts_with('2'));
  if (contradicts && by != nullptr) leave(*by);
  give(given, by, wait);
  if (contradicts && by != nullptr && given.starts_with("421")) give_end(CloseKind::kFin, *by);
  answer_due();
}

/// What the lines make of a reply. Gives the one that changed it, or nullptr; `fate`: it is not
/// given to the client at all.
const LabLine* ScenarioLayer::edit(const Owed& owed, std::string& text, Duration& wait,
                                   const LabLine*& fate) {
  const LabLine* by = nullptr;
  for (const LabLine* line : lines_) {
    const std::string before = text;
    if (line->action == LabAction::kHide || line->action == LabAction::kOffer) {
      if (!is_hello(owed.verb) || owed.of != LabWhen::kReply || !text.starts_with("250")) continue;
      if (line->action == LabAction::kHide) {
        text = without_keywords(text, line->keywords);
      } else {
        std::string parameters;
        for (std::size_t i = 1; i < line->keywords.size(); ++i) {
          if (i > 1) parameters += ' ';
          parameters += line->keywords[i];
        }
        text = with_keyword(text, line->keywords[0], parameters);
      }
    } else {
      const LabMoment& moment = line->moment;
      if (moment.when != owed.of) continue;
      if (moment.when == LabWhen::kReply && moment.verb != owed.verb) continue;
      if (moment.count != 0 && moment.count != owed.count) continue;
      switch (line->action) {
        case LabAction::kWait:
          wait += line->time;
          note(*line);
          by = line;
          continue;
        case LabAction::kReply:
          text = line->reply + "\r\n";
          break;
        case LabAction::kOneLine:
          text = last_line(text);
          break;
        case LabAction::kReplace:
          text = with_beginning(text, line->text_to_find, line->reply);
          break;
        case LabAction::kSwallow:
        case LabAction::kClose:
        case LabAction::kReset:
          fate = line;
          note(*line);
          return line;
        default:
          continue;
      }
    }
    if (text == before) continue;
    note(*line);
    by = line;
  }
  return by;
}

const LabLine* ScenarioLayer::slicing_line() const {
  for (const LabLine* line : lines_) {
    if (line->moment.when == LabWhen::kServer) return line;
  }
  return nullptr;
}

/// Replies that nothing was done to, as they came.
void ScenarioLayer::give_untouched() {
  if (untouched_.empty() || over()) return;
  const std::string octets = std::exchange(untouched_, {});
  inner().handle(now_, FromPeer{Side::kServer, octets_of(octets), tls_[index(Side::kServer)]});
  conversation_.receive(Side::kServer, octets_of(octets));
  drain();
  on_tls_if_due();
}

/// The dialogue goes on inside TLS, which nothing here can see into; or fails at its beginning.
void ScenarioLayer::on_tls_if_due() {
  if (passive_ || done() || conversation_.phase() != Conversation::Phase::kTls) return;
  const auto fails = std::ranges::find_if(
      lines_, [](const LabLine* line) { return line->moment.when == LabWhen::kTls; });
  if (fails == lines_.end()) return become_passive();
  if (client_held_.empty()) return;
  note(**fails);
  keep_to(conversation_.received(Side::kClient), *fails);
  // A fatal alert, handshake_failure (RFC 8446 6.2), in a record of TLS 1.2.
  static constexpr std::array<std::uint8_t, 7> kAlert = {21, 3, 3, 0, 2, 2, 40};
  if (!over()) inner().handle(now_, ProxyReply{kAlert, (*fails)->text});
  if (!over()) end_session(CloseKind::kFin, **fails);
}

void ScenarioLayer::give(std::string octets, const LabLine* line, Duration wait) {
  Time due =
      std::max({now_, replies_held_until_, given_.empty() ? now_ : given_.back().due}) + wait;
  const LabLine* const slices = slicing_line();
  given_octets_ += octets.size();
  if (slices == nullptr) {
    given_.push_back({due, std::move(octets), line, {}});
    return;
  }
  note(*slices);
  const Pace pace = pace_of(*slices);
  for (std::size_t at = 0; at < octets.size(); at += pace.octets) {
    if (at > 0 || !given_.empty()) due += pace.every;
    given_.push_back({due, octets.substr(at, pace.octets), line != nullptr ? line : slices, {}});
  }
}

void ScenarioLayer::give_end(CloseKind kind, const LabLine& line) {
  given_.push_back({given_.empty() ? now_ : given_.back().due, {}, &line, kind});
}

void ScenarioLayer::owe_ours(const Owed& owed, const LabLine& line, std::string_view text,
                             bool closes) {
  Owed ours = owed;
  ours.ours = true;
  ours.line = &line;
  ours.text = text;
  ours.closes = closes;
  owed_.push_back(std::move(ours));
}

/// Those of our own whose turn has come.
void ScenarioLayer::answer_due() {
  while (!owed_.empty() && owed_.front().ours) {
    const Owed ours = std::move(owed_.front());
    owed_.pop_front();
    give(ours.text + "\r\n", ours.line, {});
    if (ours.closes) give_end(CloseKind::kFin, *ours.line);
  }
}

void ScenarioLayer::flush_given() {
  while (!given_.empty() && given_.front().due <= now_ && !over()) {
    const Given next = std::move(given_.front());
    given_.pop_front();
    if (next.end) return end_session(*next.end, *next.line);
    given_octets_ -= next.octets.size();
    ProxyReply reply{octets_of(next.octets)};
    if (next.line != nullptr) reply.scenario = next.line->text;
    inner().handle(now_, reply);
    conversation_.receive(Side::kServer, octets_of(next.octets));
    drain();
    on_tls_if_due();
  }
  if (given_.empty() && server_closed_ && deaf_ == nullptr && !done()) {
    const PeerClosed closed = *std::exchange(server_closed_, {});
    inner().handle(now_, closed);
  }
}

/// The server gets nothing more.
void ScenarioLayer::leave(const LabLine& line) {
  if (leaving_ == nullptr) leaving_ = &line;
}

void ScenarioLayer::leave_if_due() {
  if (leaving_ == nullptr || left_ || over() || !ready_) return;
  if (!std::ranges::all_of(owed_, [](const Owed& owed) { return owed.ours; })) return;
  outer().close(Side::kServer, false);
  left_ = true;
  for_server_.clear();
  for_server_octets_ = 0;
}

void ScenarioLayer::end_session(CloseKind kind, const LabLine& line) {
  if (done()) return;
  if (!ready_) {
    end_when_ready_ = {kind, &line};
    return;
  }
  give_untouched();
  if (over()) return;
  ended_ = true;
  given_.clear();
  for_server_.clear();
  for_server_octets_ = 0;
  if (kind == CloseKind::kFin && !left_) {
    outer().close(Side::kServer, false);
    left_ = true;
  }
  const std::string reason = "the scenario: " + line.text;
  inner().handle(now_, PeerClosed{Side::kServer, kind, reason, false, true});
}

/// What the server said to smtpscope. `secret`: it may repeat what only the client and it may know.
void ScenarioLayer::record_aside(std::string_view text, const LabLine* line, bool secret) {
  if (observer_ == nullptr || text.empty() || over()) return;
  std::string shown(text);
  if (secret) shown = std::string(text.substr(0, 3)) + " (its text is not recorded)\r\n";
  Bytes bytes = said_aside(Side::kServer, shown);
  if (line != nullptr) bytes.scenario = line->text;
  observer_->feed(WireEvent{session_, now_, bytes});
}

/// All that has become possible.
void ScenarioLayer::settle() {
  while (!over()) {
    answer_due();
    flush_given();
    if (over() || passive_) break;
    if (!done()) {
      let_stream_go();
      flush_for_server();
    }
    const bool more =
        (!given_.empty() && given_.front().due <= now_) || (!owed_.empty() && owed_.front().ours);
    if (!more) break;
  }
  if (over()) return;
  leave_if_due();
  rest_if_full();
  arm();
}

void ScenarioLayer::rest_if_full() {
  rest(Side::kServer, given_octets_ > kMostHeld);
  rest(Side::kClient, for_server_octets_ + client_held_.size() > 2 * kMostHeld);
}

void ScenarioLayer::arm() {
  std::optional<Time> next;
  if (!given_.empty()) next = given_.front().due;
  if (!for_server_.empty()) {
    next = next ? std::min(*next, for_server_.front().due) : for_server_.front().due;
  }
  if (next) outer().set_alarm(*next);
}

/// From here on octets go through: TLS that cannot be seen into, or the end.
void ScenarioLayer::become_passive() {
  if (passive_ || over()) return;
  pass_to(conversation_.received(Side::kClient));
  passive_ = true;
  client_held_until_ = {};
  while (!for_server_.empty() && !left_) {
    outer().send_to(Side::kServer, for_server_.front().octets);
    for_server_.pop_front();
  }
  for_server_octets_ = 0;
  if (!reply_.whole() && !reply_.text().empty()) untouched_ += std::exchange(reply_, {}).text();
  give_untouched();
}

}  // namespace smtpscope
