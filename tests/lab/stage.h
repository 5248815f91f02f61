#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/scenario_layer.h"
#include "proxy/relay.h"

namespace smtpscope {

/// A session under a scenario, without sockets and clock: what is said goes in, what each side was
/// given comes out.
class LabStage : private Outward, private RelayHost {
 public:
  /// `scenario`: lines, which must be right. The server is connected.
  explicit LabStage(std::string_view scenario, bool connected = true);
  ~LabStage() override;

  void connect();
  /// The side says that, in one read.
  LabStage& client(std::string_view text);
  LabStage& server(std::string_view text);
  LabStage& closes(Side side, CloseKind kind = CloseKind::kFin);
  /// The clock goes on; an alarm rings when its time has come.
  LabStage& after(Duration time);

  /// What the side was given since it was last asked.
  std::string to_client() { return std::exchange(sent_[0], {}); }
  std::string to_server() { return std::exchange(sent_[1], {}); }
  /// What was recorded, a line each, such as "P 250 ok [LINE]" for what smtpscope said, "aside ..."
  /// for what only it heard, "kept C ..." for what was not handed on.
  const std::vector<std::string>& record() const { return record_; }
  bool recorded(std::string_view line) const;

  bool closed(Side side) const { return closed_[index(side)]; }
  bool reset(Side side) const { return reset_[index(side)]; }
  bool finished(Side side) const { return finished_[index(side)]; }
  bool ended() const { return ended_; }
  bool resting(Side side) const { return paused_[index(side)]; }
  ScenarioRun& run() { return *run_; }

 private:
  class Observer;

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override;
  void finish(Side to, bool) override { finished_[index(to)] = true; }
  void close(Side side, bool reset) override;
  void pause_reading(Side from) override { paused_[index(from)] = true; }
  void resume_reading(Side from) override { paused_[index(from)] = false; }
  bool is_broken(Side) override { return false; }
  bool holds(Side) override { return false; }
  std::string own_name() override { return "[127.0.0.1]"; }
  void set_alarm(Time when) override { alarm_ = when; }
  void set_deadline(Time) override {}
  void ask_fate() override {}
  void session_ended() override { ended_ = true; }

  LabStage& says(Side side, std::string_view text);

  Time now_ = at_ns(1'000'000'000);
  std::optional<Time> alarm_;
  std::array<std::string, 2> sent_;
  std::array<bool, 2> closed_{}, reset_{}, finished_{}, paused_{};
  bool ended_ = false;
  std::vector<std::string> record_;
  std::unique_ptr<ScenarioRun> run_;
  std::unique_ptr<Observer> observer_;
  LayerStack layers_;
  std::unique_ptr<Relay> relay_;
  Inward* inner_ = nullptr;
};

}  // namespace smtpscope
