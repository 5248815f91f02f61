#include "tests/lab/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/octets.h"
#include "lab/grammar.h"

namespace smtpscope {
namespace {

SocketAddress client_address() { return *SocketAddress::from_numeric("192.0.2.7", 4000); }

}  // namespace

class LabStage::Observer : public SessionObserver {
 public:
  explicit Observer(std::vector<std::string>& record) : record_(record) {}
  void feed(const WireEvent& event) override {
    if (const auto* closed = std::get_if<Closed>(&event.body)) {
      record_.push_back(fmt::format("closed {}{} {}", to_string(closed->from),
                                    closed->by_proxy ? " by proxy" : "", closed->reason));
    }
    const auto* bytes = std::get_if<Bytes>(&event.body);
    if (bytes == nullptr) return;
    const bool kept = bytes->instead && bytes->instead->empty();
    std::string text(text_of(bytes->head));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    record_.push_back(
        fmt::format("{}{} {}{}",
                    bytes->aside ? "aside "
                    : kept       ? "kept "
                                 : "",
                    bytes->from == Side::kClient ? "C"
                    : bytes->by_proxy            ? "P"
                                                 : "S",
                    text, bytes->scenario.empty() ? "" : fmt::format(" [{}]", bytes->scenario)));
  }
  void ask_fate(FateListener&) override {}

 private:
  std::vector<std::string>& record_;
};

LabStage::LabStage(std::string_view scenario, bool connected)
    : observer_(std::make_unique<Observer>(record_)) {
  LabProgram program;
  if (const auto done = parse_scenario(scenario, "test", program); !done) {
    throw std::runtime_error(done.error().message);
  }
  run_ = std::make_unique<ScenarioRun>(std::move(program));
  std::vector<const LabLine*> lines = run_->begin_session(client_address(), now_);
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(
      std::make_unique<ScenarioLayer>(1, *run_, std::move(lines), false, observer_.get()));
  layers_ = LayerStack(std::move(layers));
  RelayHost& host = *this;
  relay_ = std::make_unique<Relay>(1, layers_.innermost(*this), host, observer_.get());
  inner_ = &layers_.join(*relay_, *this);
  if (connected) connect();
}

LabStage::~LabStage() = default;

void LabStage::connect() { inner_->handle(now_, UpstreamReady{"198.51.100.1:25", {}, 0, {}}); }

LabStage& LabStage::says(Side side, std::string_view text) {
  if (!ended_ && !closed(side)) inner_->handle(now_, FromPeer{side, octets_of(text)});
  return *this;
}

LabStage& LabStage::client(std::string_view text) { return says(Side::kClient, text); }
LabStage& LabStage::server(std::string_view text) { return says(Side::kServer, text); }

LabStage& LabStage::closes(Side side, CloseKind kind) {
  if (!ended_ && !closed(side)) inner_->handle(now_, PeerClosed{side, kind, {}});
  return *this;
}

LabStage& LabStage::after(Duration time) {
  const Time end = now_ + time;
  while (alarm_ && *alarm_ <= end && !ended_) {
    now_ = std::max(now_, *alarm_);
    alarm_.reset();
    inner_->handle(now_, AlarmRang{});
  }
  now_ = end;
  return *this;
}

bool LabStage::recorded(std::string_view line) const {
  return std::ranges::find(record_, line) != record_.end();
}

Outward::Sent LabStage::send_to(Side to, std::span<const std::uint8_t> octets) {
  sent_[index(to)] += text_of(octets);
  return {};
}

void LabStage::close(Side side, bool reset) {
  closed_[index(side)] = true;
  reset_[index(side)] = reset;
}

}  // namespace smtpscope
