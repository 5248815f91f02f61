#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "net/address.h"
#include "net/loop.h"

namespace smtpscope {

/// One end of a connection, played by the test with plain non-blocking sockets, so that nothing of
/// the code under test is on this side. Closes when destroyed.
class Peer {
 public:
  Peer() = default;
  explicit Peer(int descriptor);
  Peer(Peer&& from) noexcept;
  Peer& operator=(Peer&& from) noexcept;
  ~Peer();

  /// `receive_buffer` > 0 bounds what the kernel takes ahead of this peer's reading.
  static Peer connect(const SocketAddress& address, int receive_buffer = 0);

  /// Sends what the kernel takes; returns how much.
  std::size_t send_some(std::string_view octets);
  /// Sends all; the kernel must take it.
  void send(std::string_view octets);
  /// Reads what is there, at most `most` octets.
  void read(std::size_t most = ~std::size_t{0});
  void finish();  // FIN
  void reset();   // RST
  void close();

  bool is_open() const { return descriptor_ >= 0; }
  /// The kernel knows that the connection was reset: also behind a FIN, where reading tells no
  /// more.
  bool is_reset() const;
  int descriptor() const { return descriptor_; }
  SocketAddress own_address() const;

  std::string received;
  bool fin_seen = false;
  bool reset_seen = false;

 private:
  int descriptor_ = -1;
};

/// A listening socket of the test.
class PeerListener {
 public:
  /// Port 0 picks a free one.
  static PeerListener tcp(const std::string& host, std::uint16_t port = 0, int backlog = 128);
  static PeerListener local(const std::string& path);
  PeerListener(PeerListener&& from) noexcept : descriptor_(std::exchange(from.descriptor_, -1)) {}
  PeerListener& operator=(PeerListener&&) = delete;
  ~PeerListener();

  SocketAddress address() const;
  /// An open Peer if a client waits.
  Peer accept(int receive_buffer = 0);

 private:
  explicit PeerListener(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Runs the loop until `done` holds; fails the test when that takes longer than 20 s.
void run_until(Loop& loop, const std::function<bool()>& done);

}  // namespace smtpscope
