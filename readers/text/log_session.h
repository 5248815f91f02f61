#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/side.h"
#include "capture/wire_event.h"
#include "readers/text/log_run.h"

namespace smtpscope {

/// What a log that does not hold the messages shows between 354 and the reply to the message.
enum class MessageLines : std::uint8_t {
  kNone,  // nothing: what the client says there is its next command
  kSome,  // lines that are not the message as it was sent: shortened, retold, replaced
};

/// One session that a log tells, as wire events: each line becomes the octets that it stands for,
/// with the CRLF that the log does not show.
///
/// Most logs do not hold the messages (kUnknownContent in the session's Fidelity). Then what DATA
/// and BDAT were followed by becomes octets left out, of which nothing but the announced size is
/// known: the dialogue stays in step, and nobody takes the message for an empty one. Some do not
/// hold the answers to AUTH's 334 either; they become masked octets. Addresses that somebody
/// blotted out become ones that nobody takes for a mistake. Times never step back. Not thread-safe.
class LogSession {
 public:
  struct Beginning {
    std::string client, server;  // as in SessionOpened, UpstreamConnected
    Fidelity fidelity;
    bool mid_session = false;                          // the log begins later than the session did
    MessageLines message_lines = MessageLines::kNone;  // without the messages
    std::optional<Side> told_by = {};  // whose program's log it is; empty: nobody knows
    std::string unreachable = {};      // why no connection came about; "": one did
  };

  LogSession(LogRun& run, const Beginning& beginning, Time now);

  /// A line that `from` said, without its end.
  void say(Side from, std::string_view line, Time now);
  /// The client side sent a whole message, which the log does not hold.
  void skip_message(Time now);
  /// What `from` says next is not in the log.
  void miss(Side from, Time now);
  /// The last lines of the server's reply are not in it.
  void miss_end_of_reply(Time now);
  /// The text leaves out what was said here. Of a message it may: that is one line of it.
  void omit(Time now);
  /// The log says that this side ended the connection.
  void close(Side from, CloseKind kind, std::string_view reason, Time now);
  /// The log says that a TLS handshake failed, why, and whose doing it was if it tells.
  void fail_handshake(std::optional<Side> failed_by, std::string_view why, Time now);
  /// The program whose log it is says this of its own. What it says again, in more words or less,
  /// is left out until a side has spoken.
  void remark(RemarkKind kind, std::optional<Duration> length, std::string_view text, Time now);
  /// The log tells nothing more of it.
  void end(Time now);

  Time last() const { return last_; }
  /// A message is being sent that the log holds: its lines are no commands.
  bool in_message() const { return in_message_; }
  /// Who spoke last; empty: nobody has.
  std::optional<Side> last_speaker() const { return last_speaker_; }
  /// The client said QUIT, and the server has answered that.
  bool over() const { return quit_said_ && (farewell_ || (owed_ == 0 && !awaits_end_)); }
  /// No command waits for its reply.
  bool all_answered() const { return owed_ == 0; }
  /// Of the client's last command, in upper case; "" if there was none.
  const std::string& last_verb() const { return last_verb_; }
  /// A message is being sent, in the log or not.
  bool sending_message() const { return in_message_ || awaits_end_; }
  /// The server has said something, or the log begins too late to show its first words.
  bool server_was_heard() const { return server_was_heard_; }
  /// The server has said something.
  bool server_spoke() const { return server_spoke_; }
  /// The last line of the server's says that more follow.
  bool reply_open() const { return reply_open_; }
  /// The server asked for an answer to AUTH.
  bool secret_asked() const { return secret_asked_; }

 private:
  void client_line(std::string_view line);
  void command(std::string_view line);
  void server_line(std::string_view line);
  void end_hidden_message();
  void chunk(std::string_view arguments);
  void send_secret();
  void leave_out(std::uint64_t octets, const MessageScanner::Saved& after, std::string_view tail);
  void send(Side from, std::string_view octets);

  LogRun& run_;
  SessionId id_;
  Time last_;
  bool hidden_;  // the log does not hold messages
  MessageLines message_lines_;
  bool data_asked_ = false;    // DATA was said and has no reply yet
  bool awaits_end_ = false;    // a hidden message is being sent
  bool in_message_ = false;    // one that the log holds is
  std::uint64_t chunked_ = 0;  // octets of the hidden message's chunks so far
  bool secret_asked_ = false;  // the server said 334
  bool quit_said_ = false;
  bool farewell_ = false;  // 221 behind QUIT
  bool handshake_failed_ = false;
  std::optional<Side> told_by_;
  std::array<std::string, kRemarkKinds>
      remarked_;  // since a side has spoken, the last of each kind
  bool has_remarked_ = false;
  bool omitted_ = false;  // since a side has spoken
  bool server_was_heard_;
  bool server_spoke_ = false;
  bool reply_open_ = false;
  std::uint32_t owed_ = 0;  // replies
  std::string last_verb_;
  std::uint32_t blotted_ = 0;  // addresses that somebody made unreadable
  std::optional<Side> last_speaker_;
  std::string octets_;  // of the line being handed on
};

}  // namespace smtpscope
