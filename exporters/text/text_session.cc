#include "exporters/text/text_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "base/counted.h"
#include "exporters/protocol_names.h"
#include "exporters/text/text_item.h"
#include "exporters/text/text_outcome.h"
#include "exporters/time_words.h"
#include "exporters/tls_handshake_words.h"
#include "timeline/rule.h"
#include "timeline/tcp_words.h"
#include "timeline/unmet_needs.h"

namespace smtpscope {
namespace {

/// Time since the session began, in seconds and milliseconds as far as they are known, rounded down
/// so that it never runs ahead of a later one.
std::string since_start(Duration duration, const Fidelity& fidelity) {
  if ((fidelity.unknown & kUnknownTimes) != 0) return {};
  const Duration::rep ms = std::max<Duration::rep>(duration.count(), 0) / 1'000'000;
  if (fidelity.resolution >= std::chrono::seconds(1)) return fmt::format("+{}", ms / 1000);
  return fmt::format("+{}.{:03}", ms / 1000, ms % 1000);
}

/// What the trace cannot tell, in one sentence; "" if there is nothing.
std::string limits_of(const Fidelity& fidelity) {
  std::string words;
  for (const std::string_view each : unknown_in_words(fidelity)) {
    words += fmt::format("{}{}", words.empty() ? "" : ", ", each);
  }
  if (!words.empty()) words = "not in this trace: " + words;
  if (fidelity.resolution >= kCoarseTimes) {
    words += fmt::format("{}times are exact to {}", words.empty() ? "" : "; ",
                         step_text(fidelity.resolution));
  }
  return words;
}

struct Speaker {
  char letter;
  Tone tone;
};

Speaker speaker(Side side, bool by_proxy) {
  if (by_proxy) return {'P', Tone::kProxy};
  return side == Side::kClient ? Speaker{'C', Tone::kClient} : Speaker{'S', Tone::kServer};
}

}  // namespace

TextSession::TextSession(SessionId session, Time began, WallTime run_started)
    : session_(session), began_(began), run_started_(run_started) {}

/// One operator per kind of event.
class TextSession::Render {
 public:
  Render(TextSession& session, Time now, const TextStyle& style, TextSheet& sheet)
      : session_(session), now_(now), style_(style), glyphs_(style.glyphs()), sheet_(sheet) {}

  void operator()(const TimelineSessionStarted& started) {
    std::vector<std::string> pieces = {
        fmt::format("session {}", session_.session_),
        // A text that somebody pasted may name neither.
        fmt::format("{} {} {}", started.client.empty() ? "client" : style_.wire(started.client),
                    glyphs_.arrow,
                    started.upstream.empty() ? "server" : style_.wire(started.upstream)),
    };
    if ((started.fidelity.unknown & kUnknownTimes) == 0) {
      pieces.push_back(readable_time(session_.run_started_ + now_.time_since_epoch()));
    }
    session_.fidelity_ = started.fidelity;
    if (!started.route.empty()) {
      pieces.push_back(fmt::format("route {}", style_.wire(started.route)));
    }
    if (!started.announced_by.empty()) {
      pieces.push_back(fmt::format("announced by {}", style_.wire(started.announced_by)));
    }
    if (style_.verbose() && !started.listener.empty()) {
      pieces.push_back(fmt::format("via {}", style_.wire(started.listener)));
    }
    if (started.mid_session) pieces.emplace_back("the trace begins mid-session");
    sheet_.flow(pieces, 3, Tone::kHeading);
    const std::string limits = limits_of(started.fidelity);
    if (!limits.empty()) sheet_.paragraph(limits, 2);
    if (!sheet_.labelled()) sheet_.blank();
  }

  void operator()(const TimelineConnected& connected) {
    std::string words = "connected";
    if (!connected.server.empty()) words += " to " + std::string(style_.wire(connected.server));
    // A capture of packets need not hold the SYN, and what a program logs begins behind it.
    if (connected.took > Duration::zero()) {
      words += fmt::format(" in {}", short_duration(connected.took));
    }
    if (connected.failed_attempts > 0) {
      words += fmt::format(", after {} that did not answer",
                           counted(connected.failed_attempts, "address"));
    }
    event_line(now_, {}, ' ', Tone::kPlain, words);
  }

  void operator()(const TimelineConnectFailed& failed) {
    event_line(now_, {}, 'P', Tone::kProxy,
               fmt::format("no connection to the server: {}", style_.words(failed.reason)));
  }

  void operator()(const Entry& entry) {
    const std::vector<ItemWords> lines = words_of(entry, style_);
    const Speaker who = speaker(entry.item->side, entry.by_proxy);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool first = i == 0;
      LineHead head;
      head.margin = margin_of(entry.mark, first, i + 1 == lines.size());
      if (first) {
        head.time = time_text(entry.first);
        head.since = since(entry.since_previous);
      }
      head.speaker = who.letter;
      head.speaker_tone = who.tone;
      head.in_tls = entry.tls;
      sheet_.line(head, lines[i]);
    }
    const auto* reply = std::get_if<Reply>(&entry.item->body);
    session_.goodbye_ = reply != nullptr && reply->code == 221;  // RFC 5321 4.2.3
    session_.in_transaction_ = entry.mark == TxnMark::kBegins || entry.mark == TxnMark::kInside;
    session_.behind_silence_ = false;
    if (style_.verbose()) details(entry);
  }

  void operator()(const Silence& silence) {
    std::string words = short_duration(silence.length(), session_.fidelity_);
    switch (silence.silent) {
      case Party::kClient:
      case Party::kServer:
        words += fmt::format(", {} silent", to_string(silence.silent));
        break;
      case Party::kProxy:
        words += ", smtpscope silent";
        break;
      case Party::kUnknown:
        words += ", both silent";
        break;
    }
    if (!silence.owed.empty()) {
      const bool someone = silence.silent != Party::kUnknown;
      words += fmt::format(" ({} {})", someone ? "owes" : "awaited:", style_.words(silence.owed));
    }
    if (silence.message_octets) {
      words += fmt::format(", {} into the message", counted(*silence.message_octets, "octet"));
    }
    sheet_.rupture(open_margin(), Tone::kNotice, words);
    session_.behind_silence_ = true;
  }

  void operator()(const Annotation& annotation) {
    const bool folded = !annotation.folded_under.empty();
    if ((folded || repeats_silence(annotation)) && !style_.verbose()) return;
    const bool loud = annotation.severity >= Severity::kWarning;
    std::string lead = fmt::format("{} {} {}", loud ? glyphs_.alarm : glyphs_.remark,
                                   to_string(annotation.severity), annotation.rule->id);
    if (!annotation.variant.empty()) lead += fmt::format(" ({})", annotation.variant);
    lead += ':';
    if (folded) lead = "  " + lead;
    std::string text = ' ' + style_.words(annotation.text);
    if (style_.verbose()) {
      text += evidence(annotation);
      sheet_.below(open_margin(), folded ? Tone::kQuiet : tone_of(annotation.severity), lead, text);
      return;
    }
    if (annotation.rule->triggers == kOnSessionEnd) {
      // The verdict, which is next, may have it.
      session_.at_end_.push_back({annotation.severity, annotation.rule, std::move(lead), text});
      return;
    }
    if (tells_abort(annotation)) session_.told_abort_ = annotation.transaction;
    sheet_.below_in_short(open_margin(), tone_of(annotation.severity), lead, text, loud);
  }

  void operator()(const AnnotationFolded& folded) {
    if (!style_.verbose()) return;
    sheet_.below(open_margin(), Tone::kQuiet,
                 fmt::format("  {} a{}", glyphs_.remark, folded.number),
                 fmt::format(" is part of {}", folded.under));
  }

  void operator()(const TransactionEnded& ended) {
    const Transaction& transaction = *ended.transaction;
    const bool well = transaction.outcome == Outcome::kAccepted;
    Margin margin = open_margin();
    if (session_.in_transaction_ && transaction.last_entry == 0) {
      // No line of its own ends it (a close did): the bracket closes here.
      margin = {glyphs_.ends_badly, Tone::kError, " "};
      session_.in_transaction_ = false;
    }
    // The line above has said so.
    if (!style_.verbose() && session_.told_abort_ == transaction.number &&
        margin.glyph != glyphs_.ends_badly)
      return;
    sheet_.below(margin, well ? Tone::kGood : Tone::kNotice,
                 fmt::format("transaction {}: {}", transaction.number, outcome_words(transaction)),
                 style_.words(outcome_details(transaction)));
  }

  void operator()(const TimelineClosed& event) {
    const Closed& closed = event.closed;
    const bool orderly = closed.kind == CloseKind::kFin && !closed.by_proxy &&
                         closed.reason.empty() && !style_.verbose();
    if (orderly && session_.goodbye_ && !session_.held_close_) {
      session_.held_close_ = {closed.from, now_, since(event.since_previous)};
      return;
    }
    if (session_.held_close_) {
      const bool both = orderly && session_.held_close_->from != closed.from;
      tell_held_close(
          both ? fmt::format(", {} {}", to_string(closed.from), later(event.since_previous))
               : std::string());
      if (both) return;
    }
    const std::string who(to_string(closed.from));
    std::string words;
    if (closed.by_proxy) {
      words = fmt::format("smtpscope ends the connection to the {}", who);
    } else {
      switch (closed.kind) {
        case CloseKind::kFin:
          words = fmt::format("{} closes", who);
          break;
        case CloseKind::kReset:
          words = fmt::format("{} resets the connection", who);
          break;
        case CloseKind::kTimeout:
          words = fmt::format("the connection to the {} timed out", who);
          break;
        case CloseKind::kError:
          words = fmt::format("the connection to the {} failed", who);
          break;
      }
    }
    if (!closed.reason.empty()) words += fmt::format(": {}", style_.words(closed.reason));
    const Speaker speaks = speaker(closed.from, closed.by_proxy);
    event_line(now_, since(event.since_previous), speaks.letter, speaks.tone, words);
    session_.behind_silence_ = false;
  }

  void operator()(const TimelineGap& event) {
    sheet_.rupture(open_margin(), Tone::kWarning, style_.words(gap_words(event.gap)));
  }

  void operator()(const TimelineStalled& stalled) {
    sheet_.rupture(open_margin(), Tone::kWarning,
                   fmt::format("smtpscope itself was stalled for {}: times around here are late",
                               short_duration(stalled.to - stalled.from)));
  }

  void operator()(const TimelineBlocked& blocked) {
    sheet_.rupture(open_margin(), Tone::kNotice,
                   fmt::format("{} did not read for {}, {} waited", to_string(blocked.to),
                               short_duration(blocked.until - blocked.from),
                               counted(blocked.octets, "octet")));
  }

  void operator()(const TimelineTls& event) {
    const TlsHandshake& handshake = event.handshake;
    const TlsFacts& facts = *handshake.facts;
    const Speaker who = speaker(handshake.with, false);
    event_line(now_, since(event.since_previous), who.letter, who.tone,
               style_.words(tls_words(handshake)));
    for (const std::string& line : tls_details(handshake, style_.verbose())) {
      sheet_.below(open_margin(), facts.completed ? Tone::kQuiet : Tone::kError, {},
                   style_.words(line));
    }
    session_.behind_silence_ = false;
  }

  void operator()(const TimelineTlsAlert& event) {
    const TlsAlerted& alert = event.alert;
    const Speaker who = speaker(alert.from, alert.by_proxy);
    const std::string words = alert.by_proxy
                                  ? fmt::format("TLS alert to the {}", to_string(other(alert.from)))
                                  : "TLS alert";
    event_line(now_, {}, who.letter, who.tone,
               fmt::format("{}: {} {}", words, alert.level == 2 ? "fatal" : "warning",
                           tls_alert_name(alert.description)));
  }

  void operator()(const TimelineAside& aside) {
    const bool ours = aside.from == Side::kClient;
    std::string_view text = aside.text;
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    const std::size_t line_end = std::min(text.find_first_of("\r\n"), text.size());
    const bool more = line_end < text.size();
    event_line(
        now_, since(aside.since_previous), ours ? 'P' : 'S', ours ? Tone::kProxy : Tone::kServer,
        fmt::format("{}: {}{}{}", ours ? "smtpscope to the server" : "the server to smtpscope",
                    style_.wire(text.substr(0, line_end)), more ? " " : "",
                    more ? glyphs_.more : ""));
    session_.behind_silence_ = false;
  }

  void operator()(const TimelineRewritten& rewritten) {
    if (!rewritten.scenario.empty()) {
      sheet_.below(open_margin(), Tone::kNotice, fmt::format("{} altered:", glyphs_.remark),
                   fmt::format(" by the scenario: {}", style_.wire(rewritten.scenario)));
    }
    if (rewritten.instead.empty()) return;
    sheet_.below(open_margin(), Tone::kNotice, fmt::format("{} rewritten:", glyphs_.remark),
                 fmt::format(" the {} was given {} instead", to_string(other(rewritten.from)),
                             style_.wire(rewritten.instead)));
  }

  void operator()(const TimelineRemark& event) {
    event_line(now_, since(event.since_previous), ' ', Tone::kNotice,
               style_.words(remark_words(event.remark)));
    session_.behind_silence_ = false;
  }

  void operator()(const TimelineTcp& event) {
    const bool lost = event.report.figures.lost();
    sheet_.below(open_margin(), lost ? Tone::kWarning : Tone::kQuiet,
                 fmt::format("{} TCP:", lost ? glyphs_.alarm : glyphs_.remark),
                 fmt::format(" {}", tcp_words(event.report)));
  }

  void operator()(const TimelineSessionEnded& ended) {
    const SessionTotals& totals = *ended.totals;
    if (ended.unfinished) tell_trace_ends();
    for (const TextSession::EndFinding& one : session_.at_end_) {
      if (is_in(ended.verdict, one.rule->id)) continue;
      sheet_.below_in_short({}, tone_of(one.severity), one.lead, one.text, false);
    }
    session_.at_end_.clear();
    const bool in_short = !style_.verbose() && !ended.verdict.empty();
    sheet_.flow(totals_words(totals, session_.fidelity_, in_short), 3, Tone::kPlain);
    if (ended.verdict.empty()) return;
    bool first = true;
    for (const VerdictLine& line : ended.verdict) {
      // The footer has just said how long.
      if (in_short && line.kind == VerdictKind::kWaiting) continue;
      if (first) {
        sheet_.headed("what happened:", style_.words(line.text), lead_tone(totals));
      } else if (line.kind == VerdictKind::kCheck) {
        check(style_.words(line.text));
      } else {
        sheet_.paragraph(style_.words(line.text), indent_of(line));
      }
      first = false;
    }
    if (!style_.verbose()) return;
    for (const NotEvaluated& one : ended.not_evaluated) {
      sheet_.paragraph(fmt::format("not evaluated: {}: {}", one.rule->id, one.why), 2);
    }
  }

  void tell_trace_ends() {
    session_.in_transaction_ = false;
    sheet_.rupture({}, Tone::kNotice, "the trace ends here; the session was still open");
  }

  /// The first of two closes was not followed by the other: it is told by itself.
  void tell_held_close(std::string_view more = {}) {
    if (!session_.held_close_) return;
    const TextSession::HeldClose held = *std::exchange(session_.held_close_, std::nullopt);
    const Speaker speaks = speaker(held.from, false);
    event_line(held.time, held.since, speaks.letter, speaks.tone,
               fmt::format("{} closes{}", to_string(held.from), more));
  }

 private:
  std::string later(Duration duration) const {
    const std::string length = short_duration(duration, session_.fidelity_);
    return length.empty() || duration <= Duration::zero() ? "too" : length + " later";
  }

  /// The finding says in its own words how a transaction ended.
  static bool tells_abort(const Annotation& annotation) {
    return annotation.rule->id.starts_with("txn-aborted-");
  }

  static bool is_in(std::span<const VerdictLine> verdict, std::string_view id) {
    return std::ranges::any_of(
        verdict, [&](const VerdictLine& line) { return line.text.find(id) != std::string::npos; });
  }

  /// The sentence that says what became of the mail stands out.
  static Tone lead_tone(const SessionTotals& totals) {
    const auto count = [&](Outcome outcome) {
      return totals.outcomes[static_cast<std::size_t>(outcome)];
    };
    if (totals.transactions == 0) return Tone::kNotice;
    return count(Outcome::kAccepted) == totals.transactions ? Tone::kGood : Tone::kWarning;
  }

  /// What to do stands under what explains the lead, the later steps under the first.
  void check(std::string_view text) {
    constexpr std::string_view kFirst = "check next: ";
    constexpr std::size_t kIndent = 4;
    if (text.starts_with(kFirst)) {
      sheet_.step(kFirst, text.substr(kFirst.size()), kIndent);
    } else {
      sheet_.step({}, text, kIndent + kFirst.size());
    }
  }

  /// What explains the lead stands further in.
  static std::size_t indent_of(const VerdictLine& line) {
    switch (line.kind) {
      case VerdictKind::kProof:
      case VerdictKind::kAlternative:
      case VerdictKind::kRuledOut:
        return 4;
      default:
        return 2;
    }
  }

  /// What is no octet of the wire: a connection made or closed.
  void event_line(Time time, std::string since, char who, Tone tone, std::string_view words) {
    LineHead head;
    head.margin = open_margin();
    head.time = time_text(time);
    head.since = std::move(since);
    head.speaker = who;
    head.speaker_tone = tone;
    sheet_.line(head, {{}, fmt::format("{} {}", glyphs_.rule, words), Tone::kPlain});
  }

  std::string time_text(Time time) const {
    std::string since = since_start(time - session_.began_, session_.fidelity_);
    if (style_.time() == TimeShown::kRelative || since.empty()) return since;
    const std::string clock = local_clock(session_.run_started_ + time.time_since_epoch());
    return style_.time() == TimeShown::kWall ? clock : fmt::format("{} {:>8}", clock, since);
  }

  /// Nothing for what came with the line before in one read, or behind a silence just told.
  std::string since(Duration duration) const {
    if (duration <= Duration::zero() || session_.behind_silence_) return {};
    return short_duration(duration, session_.fidelity_);
  }

  Margin open_margin() const {
    if (!session_.in_transaction_) return {};
    return {glyphs_.inside, Tone::kQuiet, glyphs_.inside};
  }

  /// The bracket of one of an entry's lines: it opens at the first and closes at the last.
  Margin margin_of(TxnMark mark, bool first, bool last) const {
    const Margin inside{glyphs_.inside, Tone::kQuiet, glyphs_.inside};
    switch (mark) {
      case TxnMark::kOutside:
        return {};
      case TxnMark::kBegins:
        return first ? Margin{glyphs_.begins, Tone::kQuiet, glyphs_.inside} : inside;
      case TxnMark::kInside:
        return inside;
      case TxnMark::kEndsWell:
        return last ? Margin{glyphs_.ends_well, Tone::kGood, " "} : inside;
      case TxnMark::kEndsBadly:
        return last ? Margin{glyphs_.ends_badly, Tone::kError, " "} : inside;
    }
    return {};
  }

  /// Verbose: what the columns do not show.
  void details(const Entry& entry) {
    std::string words = fmt::format("#{}", entry.number);
    if (entry.answers != 0) words += fmt::format(", answers #{}", entry.answers);
    if (entry.think) {
      const std::string think = short_duration(*entry.think, session_.fidelity_);
      if (!think.empty()) words += fmt::format(", after {}", think);
    }
    words += fmt::format(", octets {} to {}", entry.item->begin, entry.item->end);
    std::string reads;
    const bool reads_known = (session_.fidelity_.unknown & kUnknownReads) == 0;
    for (const ReadPiece& read : reads_known ? entry.reads : std::span<const ReadPiece>()) {
      fmt::format_to(std::back_inserter(reads), "{}{} at {}", reads.empty() ? "" : ", ",
                     read.octets, since_start(read.time - session_.began_, session_.fidelity_));
    }
    if (!reads.empty()) words += fmt::format("; read {}", reads);
    if (entry.read_count > entry.reads.size() && !reads.empty()) {
      words += fmt::format(" and {}", counted(entry.read_count - entry.reads.size(), "more read"));
    }
    sheet_.below(open_margin(), Tone::kQuiet, words, {});
  }

  /// The line above has told of this silence already, and the annotation knows no more of it.
  bool repeats_silence(const Annotation& annotation) const {
    return session_.behind_silence_ && annotation.severity == Severity::kInfo &&
           (annotation.rule->id == "gap-client" || annotation.rule->id == "gap-server");
  }

  static std::string evidence(const Annotation& annotation) {
    std::string words = fmt::format(" [a{}", annotation.number);
    if (!annotation.folded_under.empty()) {
      words += fmt::format(", part of {}", annotation.folded_under);
    }
    if (!annotation.entries.empty()) {
      words += ", see";
      for (const std::uint64_t entry : annotation.entries) words += fmt::format(" #{}", entry);
    }
    return words + ']';
  }

  TextSession& session_;
  const Time now_;
  const TextStyle& style_;
  const Glyphs& glyphs_;
  TextSheet& sheet_;
};

void TextSession::render(const TimelineEvent& event, const TextStyle& style, TextSheet& sheet) {
  Render render(*this, event.time, style, sheet);
  if (!std::holds_alternative<TimelineClosed>(event.body)) render.tell_held_close();
  std::visit(render, event.body);
}

void TextSession::render_open_end(const TextStyle& style, TextSheet& sheet) {
  Render render(*this, began_, style, sheet);
  render.tell_held_close();
  for (const EndFinding& one : at_end_) {
    sheet.below_in_short({}, tone_of(one.severity), one.lead, one.text, false);
  }
  at_end_.clear();
  render.tell_trace_ends();
}

}  // namespace smtpscope
