#include "exporters/html/page_records.h"

#include <utility>
#include <variant>

namespace smtpscope {

// Every record names its session, so the page needs no order.
PageRecords::PageRecords(const ExporterOptions& options, Output& output)
    : output_(output), asked_for_(options), records_(options, output) {}

void PageRecords::begin_run(const RunInfo& run) {
  asked_for_.begin_run(run.started);
  records_.begin_run(run);
}

void PageRecords::on_timeline(const TimelineEvent& event) {
  records_.on_timeline(event);
  if (asked_for_.on_timeline(event)) wanted_.insert(event.session);
}

void PageRecords::on_record(const WireEvent& event) {
  if (event.session == kWholeRun) return;
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    Open& open = open_[event.session];
    const std::size_t added = open.octets.add(*bytes, kMostHeld - held_);
    open.held += added;
    held_ += added;
  } else if (const auto* gap = std::get_if<Gap>(&event.body)) {
    open_[event.session].octets.skip(*gap);
  } else if (std::holds_alternative<SessionEnded>(event.body)) {
    const auto ended = open_.find(event.session);
    if (ended != open_.end()) {
      write_octets(event.session, ended->second);
      open_.erase(ended);
    }
    wanted_.erase(event.session);
  }
}

void PageRecords::write_open() {
  for (auto& [session, open] : open_) {
    const bool is_wanted = asked_for_.all() || wanted_.contains(session);
    if (open.held > 0 && is_wanted) write_octets(session, open);
  }
}

void PageRecords::write_octets(SessionId session, Open& open) {
  held_ -= std::exchange(open.held, 0);
  if (!asked_for_.all() && !wanted_.contains(session)) return;
  output_.write(open.octets.take(session));
}

void PageRecords::end_run() {
  for (const SessionId session : asked_for_.end_run()) wanted_.insert(session);
  for (auto& [session, open] : open_) write_octets(session, open);
  open_.clear();
  wanted_.clear();
  records_.end_run();
}

}  // namespace smtpscope
