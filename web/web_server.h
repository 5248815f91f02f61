#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "exporters/output.h"

namespace smtpscope {

class OlderSessions;

/// Where the page is served, and to whom.
struct WebOptions {
  static constexpr std::uint16_t kUsualPort = 8625;
  static constexpr std::size_t kUsualMemory = std::size_t{256} * 1024 * 1024;

  std::string host = "127.0.0.1";   // an address
  std::uint16_t port = kUsualPort;  // 0: any that is free
  /// Who knows it may look; "": nobody needs to, which only loopback allows.
  std::string token;
  std::vector<std::string> names;     // by which browsers may call this host, besides its address
  std::size_t memory = kUsualMemory;  // octets of records that are held
  /// What Prometheus is given at /metrics, called on a thread of the server; empty: nothing is
  /// there.
  std::function<std::string()> metrics;
  bool live = false;  // more may come: the page counts silences
  /// Reads what fell out of memory; nullptr: it is gone. Must outlive the server.
  OlderSessions* older = nullptr;
};

/// Serves the page and the records of a run over HTTP. It has threads of its own: whoever writes
/// records never waits for a browser, and one that is too slow misses records and is told so.
class WebServer {
 public:
  /// Listens afterwards.
  static Result<std::unique_ptr<WebServer>> start(const WebOptions& options);
  ~WebServer();

  /// Takes records of the jsonl format; from one thread at a time.
  Output& records();
  /// What to put into a browser, the token included: "http://127.0.0.1:8625/".
  std::string address() const;
  /// Octets of records held.
  std::size_t held() const;

 private:
  class Core;
  explicit WebServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

/// "8625", "127.0.0.1:8625", "[::1]:8625": host and port of --web into `options`. The Error says
/// what is wrong.
Result<Done> read_web_address(std::string_view text, WebOptions& options);

}  // namespace smtpscope
