#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "readers/logs/postfix_peer.h"
#include "readers/text/log_run.h"
#include "readers/text/log_table.h"

namespace smtpscope {

struct SyslogLine;

/// What Postfix's smtpd logs. With -v, or about the clients of debug_peer_list, each line that it
/// reads ("< client[192.0.2.10]: EHLO ws1") and says ("> …"). Without, what it tells of a
/// connection: refusals with the command that was refused, failed logins, how it ended. A
/// connection of which it tells nothing else is counted, not shown.
///
/// Processes are interleaved; each serves one client at a time. smtpd logs a command when it takes
/// it out of its buffer, so pipelined commands look as if they had waited for replies; the message
/// and how the connection was closed are not logged, and what is not printable becomes "?". Not
/// thread-safe.
class PostfixSmtpd {
 public:
  explicit PostfixSmtpd(LogRun& run) : run_(run), sessions_(run) {}

  void read(const SyslogLine& line);
  void finish();

  /// The message shows that it is smtpd's.
  static bool recognises(std::string_view message);

 private:
  /// A client of which nothing was said yet.
  struct Connection {
    std::string client, server;
    Time opened;
  };
  /// More than any server's processes.
  static constexpr std::size_t kMostConnections = std::size_t{16} * 1024;

  LogSession& session_of(const SyslogLine& line, const PostfixPeer& peer, bool dialogue);
  const std::string& key_of(const SyslogLine& line, const PostfixPeer& peer);
  void connected(const SyslogLine& line, const PostfixPeer& peer);
  void dialogue(const SyslogLine& line, Side from);
  void refusal(const SyslogLine& line, std::string_view text);
  void failed_login(const SyslogLine& line);
  void ended(const SyslogLine& line);
  void did_not_wait(const SyslogLine& line);
  void failed_handshake(const SyslogLine& line);
  void died(const SyslogLine& line);
  void warned(const SyslogLine& line);
  LogSession* session_of_process(const SyslogLine& line);
  /// The session in which every line is logged tells the same by itself.
  bool shows_all(const SyslogLine& line, const PostfixPeer& peer);

  LogRun& run_;
  LogTable sessions_;
  std::unordered_map<std::string, Connection> connections_;
  std::unordered_map<std::string, std::string> last_key_;  // by process: for what names no client
  std::unordered_map<std::string, bool> verbose_;          // by key: its dialogue is logged
  std::uint64_t untold_ = 0;                               // connections without a dialogue
  std::string key_;
};

}  // namespace smtpscope
