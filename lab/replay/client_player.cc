#include "lab/replay/client_player.h"

#include <fmt/format.h>

#include "base/octets.h"

namespace smtpscope {

ClientPlayer::ClientPlayer(const RecordedDialogue& dialogue, ReplayPace pace, Duration patience,
                           std::function<void(const std::string& what)> tell)
    : dialogue_(dialogue), pace_(pace), patience_(patience), tell_(std::move(tell)) {}

void ClientPlayer::begin(Time now) {
  last_ = now;
  run(now);
}

void ClientPlayer::receive(Time now, std::span<const std::uint8_t> octets) {
  last_ = now;
  conversation_.receive(Side::kServer, octets);
  drain();
  run(now);
}

void ClientPlayer::server_closed(Time now, CloseKind kind) {
  server_closed_ = true;
  conversation_.eof(Side::kServer);
  drain();
  if (kind != CloseKind::kFin && end_ == End::kOpen) break_off();
  if (kind != CloseKind::kFin) end_ = End::kGone;
  run(now);
}

/// Nobody listens any more.
void ClientPlayer::break_off() {
  const ClientStep& step = dialogue_.steps[next_];
  said_all_ = step.kind != ClientStep::Kind::kSay || step.behind_close;
  if (!said_all_) tell_("the server closed before the client had said all");
  end_ = End::kGone;
}

void ClientPlayer::drain() {
  while (conversation_.next() != nullptr) {
  }
}

void ClientPlayer::run(Time now) {
  alarm_.reset();
  if (end_ == End::kFinish) {
    if (server_closed_ || now >= last_ + patience_) {
      end_ = End::kGone;
    } else {
      alarm_ = last_ + patience_;
    }
  }
  while (end_ == End::kOpen) {
    const ClientStep& step = dialogue_.steps[next_];
    if (!may_go_on(now, step)) return;
    say(now, step);
  }
}

bool ClientPlayer::may_go_on(Time now, const ClientStep& step) {
  if (server_closed_ && !step.behind_close) {
    break_off();
    return false;
  }
  const bool owes = conversation_.owed() > step.owed && !server_closed_;
  if (owes || (step.behind_close && !server_closed_)) {
    if (now < last_ + patience_) {
      alarm_ = last_ + patience_;
      return false;
    }
    if (owes) {
      stop(fmt::format("the server did not answer within {} s",
                       std::chrono::duration_cast<std::chrono::seconds>(patience_).count()));
      return false;
    }
  }
  const Time due = last_ + pace_.of(step.gap);
  if (now < due) {
    alarm_ = due;
    return false;
  }
  return true;
}

/// Whether what the recorded client said would mean the same now.
ClientPlayer::Fit ClientPlayer::fit(const ClientStep& step) const {
  using Phase = Conversation::Phase;
  const Phase phase = conversation_.phase();
  // What the client did not wait for, it does not wait for now.
  if (phase == Phase::kUndecided || step.saying == SayingKind::kOther) return Fit::kSay;
  switch (step.saying) {
    case SayingKind::kMailData:
      return phase == Phase::kMailData ? Fit::kSay : Fit::kLeaveOut;
    case SayingKind::kAuthResponse:
      return phase == Phase::kAuthResponse ? Fit::kSay : Fit::kLeaveOut;
    case SayingKind::kBlob:
      return phase == Phase::kBlob ? Fit::kSay : Fit::kLeaveOut;
    case SayingKind::kChunk:
      return phase == Phase::kChunk ? Fit::kSay : Fit::kLeaveOut;
    default:
      return phase == Phase::kCommands ? Fit::kSay : Fit::kStop;
  }
}

void ClientPlayer::say(Time now, const ClientStep& step) {
  if (step.kind != ClientStep::Kind::kSay) {
    said_all_ = true;
    end_ = step.kind == ClientStep::Kind::kFinish ? End::kFinish : End::kReset;
    last_ = now;
    alarm_ = last_ + patience_;
    if (server_closed_) end_ = End::kGone;
    return;
  }
  // What came with the step before, the recorded client said without having heard anything.
  if (step.begins_item) {
    const Fit how = step.owed == ClientStep::kAnyOwed ? Fit::kSay : fit(step);
    if (how == Fit::kStop) {
      return stop("the server asks for something that the recorded one did not ask for");
    }
    leaving_out_ = how == Fit::kLeaveOut;
    if (leaving_out_) {
      tell_(step.saying == SayingKind::kAuthResponse
                ? "the server did not ask for what the client said to log in: left out"
                : "the server did not ask for the message: left out");
    }
  }
  ++next_;
  if (leaving_out_) return;
  last_ = now;
  const std::string_view octets =
      std::string_view(dialogue_.client_octets).substr(step.begin, step.end - step.begin);
  out_ += octets;
  conversation_.receive(Side::kClient, octets_of(octets));
  drain();
}

void ClientPlayer::stop(const std::string& why) {
  tell_(why);
  end_ = End::kGone;
}

}  // namespace smtpscope
