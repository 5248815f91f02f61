#include "exporters/packets/pcapng_exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <deque>
#include <iterator>
#include <utility>
#include <variant>

#include "base/counted.h"
#include "base/octets.h"
#include "exporters/packets/pcapng_blocks.h"
#include "exporters/protocol_names.h"
#include "exporters/tls_handshake_words.h"
#include "timeline/rule.h"
#include "timeline/tcp_words.h"

namespace smtpscope {
namespace {

/// What a packet costs besides its octets.
constexpr std::size_t kHeldOverhead = 192;

/// Comments that wait for a session's next packet. A file can have more gaps than anybody reads of.
constexpr std::size_t kMostComments = 256;

/// Of so many entries it is remembered where they lie: an annotation may be about them.
constexpr std::size_t kKeptPlaces = 1024;

}  // namespace

/// A session on its way into packets.
struct PcapngExporter::Session {
  /// Where an entry lies in its side's stream.
  struct EntryPlace {
    std::uint64_t number = 0;
    Side from = Side::kClient;
    std::uint64_t end = 0;
  };

  SessionId id = 0;
  std::string client, listener, server;
  std::unique_ptr<TcpPackets> packets;    // once both ends are known
  std::array<std::uint64_t, 2> octets{};  // that were added, by index(Side)
  Time opened;
  bool began = false;  // the SYN went out
  bool ended = false;
  bool wanted = false;           // see WantedSessions
  std::array<bool, 2> closed{};  // by index(Side)
  std::deque<EntryPlace> places;
  /// Where STARTTLS and the 220 to it lie, by index(Side).
  struct Range {
    std::uint64_t begin = 0, end = 0;
  };
  std::array<Range, 2> starttls{};
  std::vector<std::string> next;  // comments for the next packet
  std::uint64_t comments_left_out = 0;
  /// Comments for a packet that is not there yet: the sanitizer holds octets back.
  struct Waiting {
    Side from = Side::kClient;
    std::uint64_t end = 0;
    std::string comment;
  };
  std::vector<Waiting> waiting;
  /// Its own of held_, in the same order: with many sessions open there is no looking through all.
  std::deque<Held*> held;
};

PcapngExporter::PcapngExporter(const ExporterOptions& options, Output& output)
    : output_(output), wanted_(options) {}

PcapngExporter::~PcapngExporter() = default;

void PcapngExporter::begin_run(const RunInfo& run) {
  started_ = run.started;
  wanted_.begin_run(run.started);
  // A section for each run: it says where the run comes from.
  const std::string comment = fmt::format(
      "sessions as relayed octets, read from {}; packets were made for them, a packet for each "
      "read",
      run.source.empty() ? "a capture" : run.source);
  output_.write(pcapng_section("smtpscope " SMTPSCOPE_VERSION, comment));
  output_.write(pcapng_interface(run.tap.empty() ? "smtpscope" : run.tap));
  opened_ = true;
}

void PcapngExporter::add(const std::shared_ptr<Session>& session, Time time, TcpStep step) {
  if (!session->held.empty()) time = std::max(time, session->held.back()->time);
  Held held{time, std::move(step), {}, session};
  const bool is_packet = held.step.kind != TcpStep::Kind::kSkip;
  if (is_packet) {
    for (std::string& comment : std::exchange(session->next, {})) {
      comment_on(held, std::move(comment));
    }
    const auto left_out = std::exchange(session->comments_left_out, 0);
    if (left_out > 0) comment_on(held, fmt::format("and {} remarks more", left_out));
  }
  for (auto& each : session->waiting) {
    if (is_packet && each.from == held.step.from && each.end <= held.step.end &&
        !each.comment.empty()) {
      comment_on(held, std::exchange(each.comment, {}));
    }
  }
  std::erase_if(session->waiting, [](const auto& each) { return each.comment.empty(); });
  held_octets_ += held.step.octets.size() + kHeldOverhead;
  // Events that the sanitizer held back come late.
  auto at = held_.end();
  while (at != held_.begin() && std::prev(at)->time > time) --at;
  session->held.push_back(&*held_.insert(at, std::move(held)));
  write_ready();
}

void PcapngExporter::comment_on(Held& packet, std::string comment) {
  held_octets_ += comment.size() + sizeof(std::string);
  packet.comments.push_back(std::move(comment));
}

/// Gives the comments of a packet, and what they take.
std::vector<std::string> PcapngExporter::take_comments(Held& packet) {
  for (const std::string& each : packet.comments) held_octets_ -= each.size() + sizeof(std::string);
  return std::exchange(packet.comments, {});
}

/// Octets, and behind them so many that are not in the capture. More than fit a packet go into
/// several, at the same time.
void PcapngExporter::add_octets(const std::shared_ptr<Session>& session, Time time,
                                const Bytes& bytes, std::string_view octets,
                                std::uint64_t left_out) {
  std::uint64_t& sent = session->octets[index(bytes.from)];
  while (!octets.empty() || left_out > 0) {
    TcpStep step;
    step.from = bytes.from;
    step.undelivered = bytes.undelivered;
    step.octets = octets.substr(0, TcpPackets::kMostPayload);
    octets.remove_prefix(step.octets.size());
    if (octets.empty()) {
      step.missing = static_cast<std::size_t>(
          std::min<std::uint64_t>(left_out, TcpPackets::kMostPayload - step.octets.size()));
      left_out -= step.missing;
    }
    step.begin = sent;
    step.end = sent += step.octets.size() + step.missing;
    add(session, time, std::move(step));
  }
}

void PcapngExporter::add_bytes(const std::shared_ptr<Session>& session, Time time,
                               const Bytes& bytes) {
  if (bytes.by_proxy) remark(*session, "said by smtpscope itself, not by the server");
  if (bytes.undelivered) remark(*session, "the other side did not receive this");
  if (bytes.instead) {
    remark(*session,
           fmt::format("rewritten by smtpscope: the {} was given {} instead",
                       to_string(other(bytes.from)), counted(bytes.instead->size(), "octet")));
  }
  add_octets(session, time, bytes, text_of(bytes.head),
             bytes.left_out ? bytes.left_out->octets : 0);
  add_octets(session, time, bytes, text_of(bytes.tail), 0);
  for (const FurtherPart& part : bytes.further) {
    add_octets(session, time, bytes, {}, part.left_out.octets);
    add_octets(session, time, bytes, text_of(part.octets), 0);
  }
}

void PcapngExporter::add_handshake(Session& session, const TlsHandshake& handshake) {
  if (handshake.with == Side::kClient && handshake.facts->completed) take_starttls_out(session);
  remark(session, tls_words(handshake));
  for (std::string& line : tls_details(handshake, true)) remark(session, std::move(line));
}

/// What follows in the packets was inside TLS. With STARTTLS and its 220 in front of it, a reader
/// of packets would take it for TLS itself, and break it.
void PcapngExporter::take_starttls_out(Session& session) {
  const bool granted = session.starttls[index(Side::kServer)].end > 0;
  if (!granted) return;
  std::size_t nowhere = 0;
  for (Held* each : session.held) {
    TcpStep& step = each->step;
    if (step.kind != TcpStep::Kind::kOctets) continue;
    const Session::Range& range = session.starttls[index(step.from)];
    held_octets_ -= step.octets.size();
    if (step.undelivered && step.begin >= range.end) {
      nowhere += step.octets.size() + step.missing;
      step.octets.clear();
      step.taken_out = true;
    } else {
      step.take_out(range.begin, range.end);
    }
    held_octets_ += step.octets.size();
    if (!step.taken_out) continue;
    for (std::string& comment : take_comments(*each)) remark(session, std::move(comment));
  }
  remark(session,
         "STARTTLS and the server's 220 came here, and are left out: what follows was inside TLS, "
         "and is shown as it was inside");
  if (nowhere > 0) {
    remark(session, fmt::format("{} in the clear after STARTTLS went nowhere, and are left out "
                                "too: the capture has them",
                                counted(nowhere, "octet")));
  }
}

void PcapngExporter::remark(Session& session, std::string comment) {
  if (session.next.size() < kMostComments) {
    session.next.push_back(std::move(comment));
  } else {
    ++session.comments_left_out;
  }
}

void PcapngExporter::on_record(const WireEvent& event) {
  if (event.session == kWholeRun) return;
  std::shared_ptr<Session>& session = open_[event.session];
  if (session == nullptr) {
    session = std::make_shared<Session>();
    session->id = event.session;
    session->opened = event.time;
  }
  if (const auto* opened = std::get_if<SessionOpened>(&event.body)) {
    session->client = opened->client;
    session->listener = opened->listener;
    session->opened = event.time;
    if (opened->mid_session) session->began = true;
    return;
  }
  if (const auto* connected = std::get_if<UpstreamConnected>(&event.body)) {
    session->server = connected->server;
  }
  if (session->packets == nullptr) {
    session->packets = std::make_unique<TcpPackets>(session->client, session->server,
                                                    session->listener, session->id);
    if (session->packets->made_up()) {
      remark(*session, fmt::format("session between {} and {}: these are no addresses of IP, the "
                                   "packets have made-up ones",
                                   session->client, session->server));
    }
  }
  if (!std::exchange(session->began, true)) {
    using Kind = TcpStep::Kind;
    add(session, session->opened, {.kind = Kind::kSyn, .octets = {}});
    add(session, event.time, {.kind = Kind::kSynAck, .from = Side::kServer, .octets = {}});
    add(session, event.time, {.kind = Kind::kEstablished, .octets = {}});
  }
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    if (bytes->aside) return;
    add_bytes(session, event.time, *bytes);
  } else if (const auto* failed = std::get_if<UpstreamFailed>(&event.body)) {
    remark(*session, fmt::format("no server could be reached: {}", failed->reason));
  } else if (const auto* gap = std::get_if<Gap>(&event.body)) {
    if (gap->from) {
      std::uint64_t& sent = session->octets[index(*gap->from)];
      TcpStep step{.kind = TcpStep::Kind::kSkip, .from = *gap->from, .begin = sent, .octets = {}};
      step.end = sent += gap->octets;
      add(session, event.time, std::move(step));
    }
    remark(*session, fmt::format("something is missing before this packet: {}", gap->why));
  } else if (const auto* blocked = std::get_if<Blocked>(&event.body)) {
    remark(*session, fmt::format("before this the {} did not read, and {} octets waited",
                                 to_string(blocked->to), blocked->octets));
  } else if (const auto* closed = std::get_if<Closed>(&event.body)) {
    if (closed->by_proxy) remark(*session, "smtpscope ended the session");
    if (!closed->reason.empty()) remark(*session, std::string(closed->reason));
    if (std::exchange(session->closed[index(closed->from)], true)) return;
    const bool orderly = closed->kind == CloseKind::kFin;
    add(session, event.time,
        {.kind = orderly ? TcpStep::Kind::kFin : TcpStep::Kind::kReset,
         .from = closed->from,
         .octets = {}});
  } else if (const auto* handshake = std::get_if<TlsHandshake>(&event.body)) {
    add_handshake(*session, *handshake);
  } else if (const auto* alert = std::get_if<TlsAlerted>(&event.body)) {
    remark(*session, fmt::format("TLS alert {} {}: {}", alert->by_proxy ? "to" : "from",
                                 to_string(alert->by_proxy ? other(alert->from) : alert->from),
                                 tls_alert_name(alert->description)));
  } else if (const auto* said = std::get_if<Remark>(&event.body)) {
    remark(*session,
           fmt::format("{} logs: {}", said->by ? to_string(*said->by) : "a program", said->text));
  } else if (const auto* report = std::get_if<TcpReport>(&event.body)) {
    remark(*session, fmt::format("before this, {}", tcp_words(*report)));
  } else if (std::holds_alternative<SessionEnded>(event.body)) {
    // What was found at the very end is told on the last packet.
    const auto last = std::find_if(session->held.rbegin(), session->held.rend(),
                                   [](const Held* each) { return each->step.makes_packet(); });
    if (last != session->held.rend()) {
      for (std::string& comment : session->next) comment_on(**last, std::move(comment));
      for (auto& each : session->waiting) comment_on(**last, std::move(each.comment));
    }
    session->ended = true;
    open_.erase(event.session);
    write_ready();
  }
}

/// A comment goes to the packet that carries the octet before `end` of that side.
void PcapngExporter::place(Session& session, Side from, std::uint64_t end, std::string comment) {
  if (session.octets[index(from)] < end) {
    if (session.waiting.size() < kMostComments) {
      session.waiting.push_back({from, end, std::move(comment)});
    } else {
      ++session.comments_left_out;
    }
    return;
  }
  const auto carries =
      std::find_if(session.held.rbegin(), session.held.rend(), [&](const Held* each) {
        return each->step.makes_packet() && each->step.from == from && each->step.begin < end &&
               end <= each->step.end;
      });
  if (carries != session.held.rend()) {
    comment_on(**carries, std::move(comment));
  } else {
    remark(session, std::move(comment));  // it has been written
  }
}

void PcapngExporter::on_timeline(const TimelineEvent& event) {
  const bool is_wanted = wanted_.on_timeline(event);
  const auto found = open_.find(event.session);
  if (found == open_.end()) return;
  Session& session = *found->second;
  if (is_wanted) session.wanted = true;
  if (const auto* entry = std::get_if<Entry>(&event.body)) {
    session.places.push_back({entry->number, entry->item->side, entry->item->end});
    if (session.places.size() > kKeptPlaces) session.places.pop_front();
    note_starttls(session, *entry->item);
  } else if (const auto* annotation = std::get_if<Annotation>(&event.body)) {
    std::string comment =
        fmt::format("{} {}{}{}: {}", to_string(annotation->severity), annotation->rule->id,
                    annotation->variant.empty() ? "" : " ", annotation->variant, annotation->text);
    if (!annotation->folded_under.empty()) {
      comment += fmt::format(" (belongs to {})", annotation->folded_under);
    }
    const std::uint64_t number = annotation->entries.empty() ? 0 : annotation->entries.back();
    const auto at = std::ranges::find(session.places, number, &Session::EntryPlace::number);
    if (number == 0 || at == session.places.end()) {
      remark(session, std::move(comment));
    } else {
      place(session, at->from, at->end, std::move(comment));
    }
  }
}

/// STARTTLS, or the 220 to it: where they lie.
void PcapngExporter::note_starttls(Session& session, const Item& item) {
  const auto is_starttls = [](Verb verb) {
    return verb == Verb::kStartTls || verb == Verb::kXanonymousTls;
  };
  Session::Range& range = session.starttls[index(item.side)];
  if (const auto* command = std::get_if<Command>(&item.body)) {
    if (is_starttls(command->verb)) range = {item.begin, item.end};
  } else if (const auto* reply = std::get_if<Reply>(&item.body)) {
    if (is_starttls(reply->verb) && reply->code == 220) range = {item.begin, item.end};
  }
}

void PcapngExporter::write_first() {
  Held& first = held_.front();
  assert(first.session->held.front() == &first);
  first.session->held.pop_front();
  held_octets_ -= first.step.octets.size() + kHeldOverhead;
  std::vector<std::string> comments = take_comments(first);
  if (wanted_.all() || first.session->wanted) {
    for (const TcpPacket& packet : first.step.play(*first.session->packets)) {
      output_.write(pcapng_packet(started_ + first.time.time_since_epoch(), packet.octets,
                                  packet.original_length, std::exchange(comments, {})));
    }
  }
  held_.pop_front();
}

void PcapngExporter::write_ready() {
  while (!held_.empty() && (held_.front().session->ended || held_octets_ > kMaxHeld)) {
    write_first();
  }
}

void PcapngExporter::end_run() {
  for (const SessionId id : wanted_.end_run()) {
    if (const auto found = open_.find(id); found != open_.end()) found->second->wanted = true;
  }
  while (!held_.empty()) write_first();
  open_.clear();
}

void PcapngExporter::finish() {
  // An empty file is none.
  if (!opened_) output_.write(pcapng_section("smtpscope " SMTPSCOPE_VERSION, {}));
}

}  // namespace smtpscope
