#include "proxy/proxy_process.h"

#include <algorithm>
#include <cassert>

#include "net/descriptor_limit.h"

namespace smtpscope {
namespace {

/// How long events may gather before the observer hands them on.
constexpr Duration kFlushDelay = std::chrono::milliseconds(100);
/// Kept free for name lookups (four threads, a few files and sockets each) and for the operator's
/// capture file.
constexpr std::size_t kDescriptorsKept = 16;
/// Clients that are told 421 at a time, one descriptor each: most close at once. Where descriptors
/// are few, all are for sessions: who comes then is served in turn.
constexpr std::size_t kMostAtTheDoor = 32;
constexpr std::size_t kFewDescriptors = 64;
constexpr std::size_t kDoorShare = 8;

}  // namespace

ProxyProcess::ProxyProcess(Loop& loop, RelayObserver* observer)
    : ProxyProcess(loop, observer, Options()) {}

ProxyProcess::ProxyProcess(Loop& loop, RelayObserver* observer, Options options)
    : loop_(loop), observer_(observer), options_(options), last_session_(options.last_session) {}

ProxyProcess::~ProxyProcess() {
  if (wake_) observer_->set_wake({});
}

void ProxyProcess::begin(std::size_t per_session) {
  if (proxies_++ == 0 && observer_ != nullptr) {
    flush_ = Timer::calling<&ProxyProcess::on_flush>(loop_, this);
    tick_ = Timer::calling<&ProxyProcess::on_tick>(loop_, this);
    wake_ = Wakeup::calling<&ProxyProcess::on_wake>(loop_, this);
    observer_->set_wake([wake = wake_.get()] { wake->send(); });
    observer_->set_read_buffer(loop_.read_buffer());
  }
  per_session_ = std::max(per_session_, per_session);
  const std::size_t free = free_descriptors();
  const std::size_t spare = free > kDescriptorsKept ? free - kDescriptorsKept : 0;
  const std::size_t door =
      spare < kFewDescriptors ? 0 : std::min(kMostAtTheDoor, spare / kDoorShare);
  most_ = {std::max<std::size_t>(1, (spare - door) / per_session_), door};
}

void ProxyProcess::end() {
  assert(proxies_ > 0);
  if (--proxies_ > 0 || observer_ == nullptr) return;
  flush_.reset();
  tick_.reset();
  observer_->flush();
  observer_->set_wake({});
  wake_.reset();
}

void ProxyProcess::on_activity() {
  if (flush_pending_ || !flush_) return;
  flush_pending_ = true;
  flush_->start_once(kFlushDelay);
}

void ProxyProcess::on_flush() {
  flush_pending_ = false;
  observer_->flush();
}

void ProxyProcess::session_opened() {
  if (sessions_++ == 0 && tick_) tick_->start_repeating(options_.tick);
}

void ProxyProcess::session_over() {
  assert(sessions_ > 0);
  if (--sessions_ == 0 && tick_) tick_->stop();
}

std::optional<Room> ProxyProcess::room() const {
  for (const Room room : {Room::kInside, Room::kAtTheDoor}) {
    if (taken_[index(room)] < most_[index(room)]) return room;
  }
  return std::nullopt;
}

void ProxyProcess::leave(Room left) {
  assert(taken_[index(left)] > 0);
  --taken_[index(left)];
  // One session more or less is no news.
  if (taken_[index(Room::kInside)] < most_inside() / 2) said_full_ = false;
  // A client that may not come in leaves the room to the next one.
  while (!waiting_.empty() && room()) {
    const Waiting first = waiting_.front();
    waiting_.pop_front();
    first.seeker->on_room(*first.listener);
  }
}

void ProxyProcess::forget(const RoomSeeker& seeker) {
  std::erase_if(waiting_, [&](const Waiting& each) { return each.seeker == &seeker; });
}

}  // namespace smtpscope
