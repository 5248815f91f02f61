#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/replay/pace.h"
#include "lab/replay/recorded_dialogue.h"
#include "lab/replay/server_player.h"
#include "net/listener.h"
#include "net/loop.h"
#include "proxy/local_server.h"

namespace smtpscope {

/// What a server that plays recorded dialogues is told, and what it tells.
struct ReplayPlan {
  std::vector<RecordedDialogue> dialogues;  // one a session, in their order
  bool last_goes_on = false;                // further sessions get the last one again
  ReplayPace pace;
  ExtraAnswer extra = ExtraAnswer::kFail;
  /// Told on the loop's thread where a client departs from the recording: "session 2: ...".
  std::function<void(const std::string& what)> tell;
  std::uint64_t deviations = 0;  // told so far
  std::size_t begun = 0;         // sessions
};

/// A server inside this program that plays recorded dialogues: the first to the first client, and
/// so on. Never dials anyone.
class ReplayServer : public LocalServer, private ListenerEvents {
 public:
  static Result<std::unique_ptr<LocalServer>> make(Loop& loop, std::shared_ptr<ReplayPlan> plan);
  ~ReplayServer() override;
  ReplayServer(const ReplayServer&) = delete;
  ReplayServer& operator=(const ReplayServer&) = delete;

  const SocketAddress& address() const override { return listener_->address(); }
  std::uint64_t messages() const override { return 0; }

 private:
  class Client;

  ReplayServer(Loop& loop, std::shared_ptr<ReplayPlan> plan);
  void on_client_waiting(Listener& listener) override;
  void drop(Client& client);

  Loop& loop_;
  const std::shared_ptr<ReplayPlan> plan_;
  ListenerPtr listener_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace smtpscope
