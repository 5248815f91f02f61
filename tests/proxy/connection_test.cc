#include "net/connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "tests/catch.h"

using namespace smtpscope;

namespace {

class Reads : public ConnectionEvents {
 public:
  void on_read(Connection&, Time, std::span<const std::uint8_t> octets) override {
    sizes.push_back(octets.size());
  }
  void on_closed(Connection&, CloseKind kind, std::string_view) override {
    closed = kind == CloseKind::kFin;
  }
  void on_drained(Connection&) override {}
  void on_write_failed(Connection&) override {}

  std::vector<std::size_t> sizes;
  bool closed = false;
};

/// A pipe that holds so much, its reading end made a connection.
ConnectionPtr with_waiting(Loop& loop, std::size_t octets, int& writing_end) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(octets)) >= static_cast<int>(octets));
  const std::string text(octets, 'x');
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(octets));
  ConnectionPtr connection = Connection::make(loop, Connection::Transport::kUnix);
  REQUIRE(uv_pipe_open(connection->pipe(), ends[0]) == 0);
  writing_end = ends[1];
  return connection;
}

}  // namespace

TEST_CASE("a connection that has a lot to read takes one buffer in a turn of the loop") {
  auto loop = Loop::make();
  REQUIRE(loop);
  constexpr std::size_t kTurns = 3;
  std::array<Reads, 2> reads;
  std::array<ConnectionPtr, 2> connections;
  std::array<int, 2> writing_ends{};
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i] = with_waiting(*loop.value(), kTurns * ReadBuffer::kOctets, writing_ends[i]);
    connections[i]->set_events(&reads[i]);
    connections[i]->start_reading();
  }
  for (std::size_t turn = 1; turn <= kTurns; ++turn) {
    loop.value()->run_ready();
    for (const Reads& each : reads) {
      CHECK(each.sizes == std::vector<std::size_t>(turn, ReadBuffer::kOctets));
    }
  }
  for (const int end : writing_ends) ::close(end);
  loop.value()->run_ready();
  for (const Reads& each : reads) {
    CHECK(each.sizes.size() == kTurns);
    CHECK(each.closed);
  }
}

// A process that is being started has all descriptors until it has become another program. So a
// connection that is closed meanwhile goes on for the kernel, and epoll would tell of it.
TEST_CASE("of a connection that is gone nothing is heard, though another process has it yet") {
  auto loop = Loop::make();
  REQUIRE(loop);
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
  const int at_the_other_process = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
  REQUIRE(at_the_other_process >= 0);
  Reads reads;
  ConnectionPtr connection = Connection::make(*loop.value(), Connection::Transport::kUnix);
  REQUIRE(uv_pipe_open(connection->pipe(), ends[0]) == 0);
  connection->set_events(&reads);
  connection->start_reading();
  REQUIRE(::shutdown(ends[1], SHUT_WR) == 0);
  loop.value()->run_ready();
  REQUIRE(reads.closed);  // its hang-up is watched for now
  connection.reset();
  loop.value()->run_ready();
  ::close(ends[1]);
  loop.value()->run_ready();  // with the address sanitizer: no use of what is gone
  ::close(at_the_other_process);
}
