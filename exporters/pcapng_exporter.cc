#include "exporters/pcapng_exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <variant>

#include "base/octets.h"
#include "exporters/pcapng_blocks.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

/// What a packet costs besides its octets.
constexpr std::size_t kHeldOverhead = 160;

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
  std::unique_ptr<TcpPackets> packets;  // once both ends are known
  Time opened;
  bool began = false;  // the SYN went out
  bool ended = false;
  bool wanted = false;           // see ExporterOptions::annotated_from
  std::array<bool, 2> closed{};  // by index(Side)
  std::deque<EntryPlace> places;
  std::vector<std::string> next;  // comments for the next packet
  /// Comments for a packet that is not there yet: the screen holds octets back.
  struct Waiting {
    Side from = Side::kClient;
    std::uint64_t end = 0;
    std::string comment;
  };
  std::vector<Waiting> waiting;
};

PcapngExporter::PcapngExporter(const ExporterOptions& options, Output& output)
    : options_(options), output_(output) {}

PcapngExporter::~PcapngExporter() = default;

void PcapngExporter::begin_run(const RunInfo& run) {
  started_ = run.started;
  // A section for each run: it says where the run comes from.
  const std::string comment = fmt::format(
      "sessions as relayed octets, read from {}; packets were made for them, a packet for each "
      "read",
      run.source.empty() ? "a capture" : run.source);
  output_.write(pcapng_section("smtpscope " SMTPSCOPE_VERSION, comment));
  output_.write(pcapng_interface(run.tap.empty() ? "smtpscope" : run.tap));
  opened_ = true;
}

void PcapngExporter::add(const std::shared_ptr<Session>& session, Time time, TcpPacket packet) {
  Held held{time, std::move(packet), std::exchange(session->next, {}), session};
  for (auto& each : session->waiting) {
    if (each.from == held.packet.from && each.end <= held.packet.stream_end &&
        !each.comment.empty()) {
      held.comments.push_back(std::exchange(each.comment, {}));
    }
  }
  std::erase_if(session->waiting, [](const auto& each) { return each.comment.empty(); });
  held_octets_ += held.packet.octets.size() + kHeldOverhead;
  // Events that the screen held back come late.
  auto at = held_.end();
  while (at != held_.begin() && std::prev(at)->time > time) --at;
  held_.insert(at, std::move(held));
  write_ready();
}

/// Octets, and behind them so many that are not in the capture. More than fit a packet go into
/// several, at the same time.
void PcapngExporter::add_octets(const std::shared_ptr<Session>& session, Time time, Side from,
                                std::string_view octets, std::uint64_t left_out) {
  while (!octets.empty() || left_out > 0) {
    const std::string_view here = octets.substr(0, TcpPackets::kMostPayload);
    octets.remove_prefix(here.size());
    std::uint64_t missing = 0;
    if (octets.empty()) {
      missing = std::min<std::uint64_t>(left_out, TcpPackets::kMostPayload - here.size());
      left_out -= missing;
    }
    add(session, time,
        session->packets->data(from, here, here.size() + static_cast<std::size_t>(missing)));
    if (session->packets->must_acknowledge(from)) {
      add(session, time, session->packets->acknowledge(from));
    }
  }
}

void PcapngExporter::add_bytes(const std::shared_ptr<Session>& session, Time time,
                               const Bytes& bytes) {
  if (bytes.by_proxy) remark(*session, "said by smtpscope itself, not by the server");
  if (bytes.undelivered) remark(*session, "the other side was gone: it did not get this");
  add_octets(session, time, bytes.from, text_of(bytes.head),
             bytes.left_out ? bytes.left_out->octets : 0);
  add_octets(session, time, bytes.from, text_of(bytes.tail), 0);
  for (const FurtherPart& part : bytes.further) {
    add_octets(session, time, bytes.from, {}, part.left_out.octets);
    add_octets(session, time, bytes.from, text_of(part.octets), 0);
  }
}

void PcapngExporter::remark(Session& session, std::string comment) {
  session.next.push_back(std::move(comment));
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
    add(session, session->opened, session->packets->syn());
    add(session, event.time, session->packets->syn_ack());
    add(session, event.time, session->packets->established());
  }
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    if (bytes->aside) return;
    add_bytes(session, event.time, *bytes);
  } else if (const auto* failed = std::get_if<UpstreamFailed>(&event.body)) {
    remark(*session, fmt::format("no server could be reached: {}", failed->reason));
  } else if (const auto* gap = std::get_if<Gap>(&event.body)) {
    if (gap->from) session->packets->skip(*gap->from, gap->octets);
    remark(*session, fmt::format("something is missing before this packet: {}", gap->why));
  } else if (const auto* blocked = std::get_if<Blocked>(&event.body)) {
    remark(*session, fmt::format("before this the {} did not read, and {} octets waited",
                                 to_string(blocked->to), blocked->octets));
  } else if (const auto* closed = std::get_if<Closed>(&event.body)) {
    if (closed->by_proxy) remark(*session, "smtpscope ended the session");
    if (!closed->reason.empty()) remark(*session, std::string(closed->reason));
    if (std::exchange(session->closed[index(closed->from)], true)) return;
    add(session, event.time,
        closed->kind == CloseKind::kFin ? session->packets->fin(closed->from)
                                        : session->packets->reset(closed->from));
  } else if (std::holds_alternative<SessionEnded>(event.body)) {
    // What was found at the very end is told on the last packet.
    const auto last = std::find_if(held_.rbegin(), held_.rend(),
                                   [&](const Held& each) { return each.session == session; });
    if (last != held_.rend()) {
      std::ranges::move(session->next, std::back_inserter(last->comments));
      for (auto& each : session->waiting) last->comments.push_back(std::move(each.comment));
    }
    session->ended = true;
    open_.erase(event.session);
    write_ready();
  }
}

/// A comment goes to the packet that carries the octet before `end` of that side.
void PcapngExporter::place(Session& session, Side from, std::uint64_t end, std::string comment) {
  const auto carries = std::find_if(held_.rbegin(), held_.rend(), [&](const Held& each) {
    return each.session.get() == &session && each.packet.from == from &&
           each.packet.stream_begin < end && end <= each.packet.stream_end;
  });
  if (carries != held_.rend()) {
    carries->comments.push_back(std::move(comment));
    return;
  }
  const bool gone = session.packets != nullptr && session.packets->sent(from) >= end;
  if (gone) {
    remark(session, std::move(comment));
  } else {
    session.waiting.push_back({from, end, std::move(comment)});
  }
}

void PcapngExporter::on_timeline(const TimelineEvent& event) {
  const auto found = open_.find(event.session);
  if (found == open_.end()) return;
  Session& session = *found->second;
  if (is_wanted_annotation(event, options_)) session.wanted = true;
  if (const auto* entry = std::get_if<Entry>(&event.body)) {
    session.places.push_back({entry->number, entry->item->side, entry->item->end});
    if (session.places.size() > kKeptPlaces) session.places.pop_front();
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

void PcapngExporter::write_first() {
  Held& first = held_.front();
  held_octets_ -= first.packet.octets.size() + kHeldOverhead;
  if (!options_.annotated_from || first.session->wanted) {
    output_.write(pcapng_packet(started_ + first.time.time_since_epoch(), first.packet.octets,
                                first.packet.original_length, first.comments));
  }
  held_.pop_front();
}

void PcapngExporter::write_ready() {
  while (!held_.empty() && (held_.front().session->ended || held_octets_ > kMaxHeld)) {
    write_first();
  }
}

void PcapngExporter::end_run() {
  while (!held_.empty()) write_first();
  open_.clear();
}

void PcapngExporter::finish() {
  // An empty file is none.
  if (!opened_) output_.write(pcapng_section("smtpscope " SMTPSCOPE_VERSION, {}));
}

}  // namespace smtpscope
