#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/scenario_run.h"
#include "parser/conversation.h"
#include "proxy/layer.h"
#include "proxy/relay_observer.h"
#include "proxy/server_reply.h"

namespace smtpscope {

/// The layer that plays a scenario in one session. It stands inside of TLS, next to the relay, and
/// knows by a Conversation of its own what the client has heard. Replies are given to the client
/// in the order in which it is owed them, the scenario's own among them, each in its turn.
///
/// What is changed is recorded twice: the server's words as said between it and smtpscope, and
/// what the client is given as smtpscope's own, with the line that did it. Sans-I/O; asks for the
/// session's alarm. Not thread-safe.
class ScenarioLayer : public Layer {
 public:
  /// `lines` are those for this session, of `run`, which must outlive it; so must `observer`, which
  /// may be nullptr. `inside_tls`: behind STARTTLS the dialogue goes on in the clear.
  ScenarioLayer(SessionId session, ScenarioRun& run, std::vector<const LabLine*> lines,
                bool inside_tls, SessionObserver* observer);

  using Layer::handle;
  void handle(Time now, const FromPeer& event) override;
  void handle(Time now, const PeerClosed& event) override;
  void handle(Time now, const UpstreamReady& event) override;
  void handle(Time now, const UpstreamUnreachable& event) override;
  void handle(Time now, const LayerFailed& event) override;
  void handle(Time now, const AlarmRang& event) override;

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override;
  void finish(Side to, bool truncated) override;
  void close(Side side, bool reset) override;
  void pause_reading(Side from) override;
  void resume_reading(Side from) override;
  bool is_broken(Side side) override;
  bool holds(Side to) override;

 private:
  /// Beyond so many octets that wait here, a side is not read from; a line that is longer is no
  /// line of SMTP, and goes on as it is.
  static constexpr std::size_t kMostHeld = std::size_t{64} * 1024;

  /// A reply that the client waits for.
  struct Owed {
    LabWhen of = LabWhen::kReply;  // kGreeting, kReply, kReplyToDot
    Verb verb = Verb::kUnknown;
    std::uint64_t count = 0;
    bool ours = false;
    std::string text;               // ours
    const LabLine* line = nullptr;  // ours
    bool closes = false;            // ours: and then the session ends
  };
  /// Octets for the client, or the end of its session, that wait for their time.
  struct Given {
    Time due;
    std::string octets;
    const LabLine* line = nullptr;
    std::optional<CloseKind> end;
  };
  struct ForServer {
    Time due;
    std::vector<std::uint8_t> octets;
  };

  // The client's octets (scenario_layer.cc).
  void from_client(std::span<const std::uint8_t> octets);
  void take_client(std::span<const std::uint8_t> octets);
  void on_client_item(const Item& item);
  void on_command(const Item& item, const Command& command);
  void on_end_of_message(const Item& item, Verb verb, std::uint32_t owed);
  void answer_alone(const Item& item, Verb verb);
  void let_stream_go();
  void stream_to(std::uint64_t limit, std::uint64_t content);
  void act_in_stream(const LabLine& line);
  void pass_to(std::uint64_t offset);
  void keep_to(std::uint64_t offset, const LabLine* line);
  std::vector<std::uint8_t> cut_client(std::uint64_t offset);
  void hold_up_client(const LabLine& line);

  // The server's, and what the client is given (scenario_replies.cc).
  void from_server(std::span<const std::uint8_t> octets);
  void on_reply(const std::string& text);
  const LabLine* edit(const Owed& owed, std::string& text, Duration& wait, const LabLine*& fate);
  const LabLine* slicing_line() const;
  void give_untouched();
  void give(std::string octets, const LabLine* line, Duration wait);
  void give_end(CloseKind kind, const LabLine& line);
  void owe_ours(const Owed& owed, const LabLine& line, std::string_view text, bool closes);
  void answer_due();
  void flush_given();
  void flush_for_server();
  void leave(const LabLine& line);
  void leave_if_due();
  void end_session(CloseKind kind, const LabLine& line);
  void record_aside(std::string_view text, const LabLine* line, bool secret);

  void drain();
  void settle();
  void arm();
  void on_tls_if_due();
  void become_passive();
  void rest(Side side, bool on);
  void rest_if_full();
  bool over() const { return closed_[0] && closed_[1]; }
  /// Nothing more of the dialogue is of concern.
  bool done() const { return over() || ended_ || refused_; }
  template <typename Condition>
  const LabLine* find(const Condition& condition) const;
  void note(const LabLine& line) { run_.note(line); }

  const SessionId session_;
  ScenarioRun& run_;
  const std::vector<const LabLine*> lines_;
  SessionObserver* const observer_;
  Conversation conversation_;  // as the client has it
  Time now_;                   // of the event being worked on
  std::array<bool, 2> tls_{};  // octets of that side came inside TLS

  // What became of the session.
  bool ready_ = false;    // the server is connected
  bool passive_ = false;  // nothing can be changed any more: octets go through
  bool refused_ = false;  // turned away at once
  bool ended_ = false;    // the scenario has ended it
  bool left_ = false;     // the server's connection was given up, the client's goes on
  const LabLine* leaving_ =
      nullptr;                     // the server gets nothing more, and is left once it has answered
  const LabLine* deaf_ = nullptr;  // nothing is handed on, either way
  std::optional<std::pair<CloseKind, const LabLine*>> end_when_ready_;
  std::array<bool, 2> closed_{};
  bool client_gone_ = false;

  std::uint64_t client_octets_ = 0;        // received
  std::vector<std::uint8_t> client_held_;  // from client_base_ on
  std::uint64_t client_base_ = 0;
  std::map<Verb, std::uint64_t> counts_;  // commands so far
  Verb last_verb_ = Verb::kUnknown;
  std::uint32_t owed_before_ = 0;
  std::uint64_t message_before_ = 0;      // octets of it in earlier chunks
  const LabLine* keeps_chunk_ = nullptr;  // its command was not handed on
  std::vector<const LabLine*> used_up_;   // in this message; kOctet: in this session
  std::deque<ForServer> for_server_;
  Time client_held_until_;
  const LabLine* client_held_by_ = nullptr;
  bool finish_due_ = false;
  bool truncated_ = false;

  std::deque<Owed> owed_;
  ServerReply reply_;
  std::string untouched_;  // replies that go on as they came
  std::deque<Given> given_;
  std::size_t given_octets_ = 0;
  std::size_t for_server_octets_ = 0;
  Time replies_held_until_;
  const LabLine* replies_held_by_ = nullptr;
  std::optional<PeerClosed> server_closed_;  // behind given_, or unseen in the black hole
  std::string server_closed_reason_;
  std::array<bool, 2> resting_{};
  std::array<bool, 2> paused_by_relay_{};
};

}  // namespace smtpscope
