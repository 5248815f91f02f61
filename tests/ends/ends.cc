// Holds a running smtpscope to its promise about ends: what one side of a session did is what the
// other side sees, and what the capture says. Both sides are played here, with plain sockets.
//
//   ends SMTPSCOPE FOLDER matrix SESSIONS   SESSIONS of each ending by each side, spread over all
//                                           stages and both paces
//   ends SMTPSCOPE FOLDER tls SESSIONS      as matrix, in TLS that smtpscope intercepts
//   ends SMTPSCOPE FOLDER cells SESSIONS    SESSIONS of each combination of these
//   ends SMTPSCOPE FOLDER random SESSIONS [SEED]

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "bench/relay_bench_process.h"
#include "tests/ends/record.h"
#include "tests/ends/record_watch.h"
#include "tests/ends/trial.h"

using namespace smtpscope;
using namespace smtpscope::ends;

namespace {

/// Sessions at a time. More would make the record's writer the thing that is tested.
constexpr std::size_t kMost = 64;
/// Octets said in sessions whose end is not yet in the record. The tracer's queue of 16 MiB has
/// room for them, whatever reads they come in.
constexpr std::uint64_t kMostUnrecorded = 4 << 20;
constexpr auto kPatience = std::chrono::seconds(60);
constexpr std::size_t kToldComplaints = 20;
constexpr std::uint64_t kListener = ~std::uint64_t{0};
constexpr std::uint64_t kRecord = kListener - 1;

/// Gives one plan after the other.
class Plans {
 public:
  Plans(std::string kind, std::uint64_t sessions, std::uint64_t seed)
      : kind_(std::move(kind)), random_(seed) {
    if (kind_ == "tls") {
      endings_ = kInTls;
    } else {
      endings_ = kInTheClear;
    }
    const std::uint64_t kinds = endings_.size() * 2;
    total_ = kind_ == "random"  ? sessions
             : kind_ == "cells" ? sessions * kinds * kStages * 2
                                : sessions * kinds;
  }

  std::uint64_t total() const { return total_; }
  bool left() const { return given_ < total_; }

  Plan next() {
    std::uint64_t at = given_++;
    const bool drawn = kind_ == "random";
    const auto pick = [&](std::uint64_t of) {
      if (drawn) return random_() % of;
      const std::uint64_t picked = at % of;
      at /= of;
      return picked;
    };
    PlanChoice choice{};
    choice.side = pick(2) == 0 ? Side::kClient : Side::kServer;
    choice.ending = endings_[pick(endings_.size())];
    choice.slow = pick(2) == 1;
    choice.stage = static_cast<Stage>(pick(kStages));
    // Some with octets before the end and some without, few with very many.
    const std::uint64_t dice = random_() % 20;
    choice.tail = dice < 5 ? 0 : dice < 17 ? 1 + random_() % 500 : 1 + random_() % 30'000;
    if (choice.slow && dice >= 15) choice.tail = 200'000 + random_() % 200'000;
    choice.more = drawn ? random_() % 6 : 0;
    return make_plan(choice, random_);
  }

 private:
  const std::string kind_;
  std::span<const Ending> endings_;
  std::mt19937_64 random_;
  std::uint64_t total_ = 0;
  std::uint64_t given_ = 0;
};

int listen_anywhere(int& port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(descriptor, 1024) != 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return -1;
  }
  port = ntohs(address.sin_port);
  return descriptor;
}

std::uint16_t own_port(int descriptor) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

class Driver {
 public:
  /// With services for TLS, both sides speak it.
  Driver(Plans& plans, int listener, int port, RecordWatch& record, TlsService* client,
         TlsService* server)
      : plans_(plans),
        listener_(listener),
        port_(port),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        record_(record),
        client_(client),
        server_(server) {
    await(listener_, kListener);
    await(record_.descriptor(), kRecord);
  }

  /// False when nothing moves any more.
  bool run() {
    auto moved = std::chrono::steady_clock::now();
    std::uint64_t before = 0;
    while (plans_.left() || !trials_.empty()) {
      begin_if_possible();
      if (!plans_.left() && trials_.size() == resting_.size()) wake_resting();
      epoll_event events[64];
      const int count = epoll_wait(epoll_, events, 64, impatient_.empty() ? 1000 : 1);
      for (int i = 0; i < count; ++i) on_event(events[i].data.u64);
      const std::set<std::uint64_t> asked = std::move(impatient_);
      impatient_.clear();
      for (const std::uint64_t number : asked) {
        if (Trial* trial = find(number)) judge(*trial, trial->advance());
      }
      const auto now = std::chrono::steady_clock::now();
      if (const std::uint64_t done = ended_ + recorded_; done != before) {
        moved = now;
        before = done;
      }
      if (now - moved > kPatience) {
        for (const auto& [number, trial] : trials_) {
          complain(*trial, "gets no further: " + trial->standing());
        }
        return false;
      }
    }
    return true;
  }

  std::uint64_t wrong() const { return wrong_; }
  const std::vector<Expected>& expected() const { return expected_; }

 private:
  void await(int descriptor, std::uint64_t tag) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  Trial* find(std::uint64_t number) {
    const auto found = trials_.find(number);
    return found == trials_.end() ? nullptr : found->second.get();
  }

  /// One client at a time, so that it is known whose connection the server accepts.
  void begin_if_possible() {
    if (connecting_ != nullptr || !plans_.left()) return;
    if (trials_.size() - resting_.size() >= kMost) return;
    if (unrecorded_ > kMostUnrecorded) return;
    if (resting_.size() >= kMost) wake_resting();
    const int descriptor = bench::connect_to(port_);
    if (descriptor < 0) return;
    auto made = std::make_unique<Trial>(expected_.size(), plans_.next());
    Trial& trial = *made;
    trials_[trial.number()] = std::move(made);
    Expected& expected = expected_.emplace_back();
    const Plan& plan = trial.plan();
    expected.port = own_port(descriptor);
    expected.text = plan.text();
    expected.closes = plan.closes;
    expected.any_order = plan.ending == Ending::kBoth;
    for (const Side side : {Side::kClient, Side::kServer}) {
      expected.said[index(side)].add(plan.said(side));
      expected.delivered[index(side)] = plan.delivered[index(side)];
      unrecorded_ += expected.said[index(side)].octets();
    }
    connecting_ = &trial;
    trial.attach(Side::kClient, descriptor, epoll_, client_);
    judge(trial, trial.advance());
  }

  void on_event(std::uint64_t tag) {
    if (tag == kRecord) {
      for (const SessionId session : record_.read()) {
        if (session == kFirstLook) continue;
        const Expected& expected = expected_.at(session - kFirstLook - 1);
        unrecorded_ -= expected.said[0].octets() + expected.said[1].octets();
        ++recorded_;
      }
      return;
    }
    if (tag == kListener) {
      const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) return;
      if (connecting_ == nullptr) {
        close(descriptor);
        fmt::print("a connection that nobody made\n");
        ++wrong_;
        return;
      }
      Trial& trial = *std::exchange(connecting_, nullptr);
      trial.attach(Side::kServer, descriptor, epoll_, server_);
      judge(trial, trial.advance());
      return;
    }
    if (Trial* trial = find(tag / 2)) judge(*trial, trial->on_event(static_cast<Side>(tag % 2)));
  }

  void wake_resting() {
    const std::set<std::uint64_t> woken = std::move(resting_);
    resting_.clear();
    for (const std::uint64_t number : woken) {
      if (Trial* trial = find(number)) judge(*trial, trial->go_on());
    }
  }

  void judge(Trial& trial, Trial::State state) {
    using State = Trial::State;
    if (state == State::kImpatient) impatient_.insert(trial.number());
    if (state == State::kResting) resting_.insert(trial.number());
    if (state != State::kRight && state != State::kWrong) return;
    if (state == State::kWrong) complain(trial, trial.complaint());
    resting_.erase(trial.number());
    if (connecting_ == &trial) connecting_ = nullptr;
    trials_.erase(trial.number());
    ++ended_;
  }

  void complain(const Trial& trial, const std::string& what) {
    if (++wrong_ <= kToldComplaints) fmt::print("{}: {}\n", trial.plan().text(), what);
  }

  Plans& plans_;
  const int listener_, port_, epoll_;
  RecordWatch& record_;
  TlsService* const client_;
  TlsService* const server_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Trial>> trials_;
  std::set<std::uint64_t> impatient_, resting_;
  Trial* connecting_ = nullptr;
  std::vector<Expected> expected_;
  std::uint64_t ended_ = 0, wrong_ = 0, recorded_ = 0;
  std::uint64_t unrecorded_ = 0;  // octets
};

std::unique_ptr<TlsService> tls_of_peer() {
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);  // no CA of whoever runs it
  TlsOptions options;
  options.mode = TlsMode::kIntercept;
  options.insecure_upstream = true;
  auto made = TlsService::make(options, "localhost");
  if (!made) {
    fmt::print(stderr, "{}\n", made.error().message);
    std::exit(2);
  }
  return std::move(made.value());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: ends SMTPSCOPE FOLDER matrix|tls|cells|random SESSIONS [SEED]\n");
    return 2;
  }
  const std::string capture = std::string(argv[2]) + "/ends.smtpcap";
  Plans plans(argv[3], std::strtoull(argv[4], nullptr, 10),
              argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 1);
  std::filesystem::create_directories(argv[2]);
  std::filesystem::remove(capture);
  int server = 0;
  const int listener = listen_anywhere(server);
  const int port = bench::free_port();
  bench::Process relay;
  const bool tls = std::string_view(argv[3]) == "tls";
  std::unique_ptr<TlsService> tls_client, tls_server;
  if (tls) {
    tls_client = tls_of_peer();
    tls_server = tls_of_peer();
  }
  const std::string command = fmt::format(
      "{} proxy {} 127.0.0.1:{} --upstream 127.0.0.1:{} -w {} -f none --message full "
      "--keep-credentials",
      argv[1], tls ? "--tls intercept --insecure-upstream --listen-tls" : "--listen", port, server,
      capture);
  if (listener < 0 || !relay.start(command) || !bench::wait_until_listening(port)) {
    fmt::print(stderr, "cannot start: {}\n", command);
    return 2;
  }
  // The look whether it listens was a session, too.
  int looked = -1;
  while ((looked = accept(listener, nullptr, nullptr)) < 0) usleep(1000);
  close(looked);

  RecordWatch record_watch;
  if (!record_watch.open(capture)) {
    fmt::print(stderr, "cannot watch {}\n", capture);
    return 2;
  }

  Driver driver(plans, listener, port, record_watch, tls_client.get(), tls_server.get());
  const auto began = std::chrono::steady_clock::now();
  const bool moved = driver.run();
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  relay.stop();
  const auto record = compare_record(capture, driver.expected());
  if (!record) {
    fmt::print("{}\n", record.error().message);
    return 1;
  }
  std::uint64_t told = 0;
  for (const std::string& complaint : record.value().complaints) {
    if (++told <= kToldComplaints) fmt::print("{}\n", complaint);
  }
  fmt::print(
      "{} sessions in {:.1f} s: {} were not passed on as they were; {} of {} are not recorded "
      "as they were, {} have a hole in the record\n",
      driver.expected().size(), took, driver.wrong(), record.value().complaints.size(),
      record.value().sessions, record.value().with_hole);
  const bool right = moved && driver.wrong() == 0 && record.value().complaints.empty() &&
                     record.value().with_hole == 0;
  if (right) std::filesystem::remove(capture);
  return right ? 0 : 1;
}
