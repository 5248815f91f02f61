#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/side.h"
#include "capture/wire_event.h"
#include "readers/log_run.h"

namespace smtpscope {

/// One session that a log tells, as wire events: each line becomes the octets that it stands for,
/// with the CRLF that the log does not show.
///
/// Most logs do not hold the messages (kUnknownContent in the session's Fidelity). Then what DATA
/// and BDAT were followed by becomes octets left out, of which nothing but the announced size is
/// known: the dialogue stays in step, and nobody takes the message for an empty one. Some do not
/// hold the answers to AUTH's 334 either; they become masked octets. Times never step back. Not
/// thread-safe.
class LogSession {
 public:
  struct Beginning {
    std::string client, server;  // as in SessionOpened, UpstreamConnected
    Fidelity fidelity;
    bool mid_session = false;  // the log begins later than the session did
  };

  LogSession(LogRun& run, const Beginning& beginning, Time now);

  /// A line that `from` said, without its end.
  void say(Side from, std::string_view line, Time now);
  /// The client side sent a whole message, which the log does not hold.
  void skip_message(Time now);
  /// The log says that this side ended the connection.
  void close(Side from, CloseKind kind, std::string_view reason, Time now);
  /// The log tells nothing more of it.
  void end(Time now);

  Time last() const { return last_; }
  /// A message is being sent that the log holds: its lines are no commands.
  bool in_message() const { return in_message_; }
  /// Who spoke last; empty: nobody has.
  std::optional<Side> last_speaker() const { return last_speaker_; }
  /// The client said QUIT and the server has answered.
  bool over() const { return quit_said_ && last_speaker_ == Side::kServer; }

 private:
  void client_line(std::string_view line);
  void server_line(std::string_view line);
  void end_hidden_message();
  void chunk(std::string_view arguments);
  void send_secret();
  void leave_out(std::uint64_t octets, const MessageScanner::Saved& after, std::string_view tail);
  void send(Side from, std::string_view octets);

  LogRun& run_;
  SessionId id_;
  Time last_;
  bool hidden_;                // the log does not hold messages
  bool data_asked_ = false;    // DATA was said and has no reply yet
  bool awaits_end_ = false;    // a hidden message is being sent
  bool in_message_ = false;    // one that the log holds is
  std::uint64_t chunked_ = 0;  // octets of the hidden message's chunks so far
  bool secret_asked_ = false;  // the server said 334
  bool quit_said_ = false;
  std::optional<Side> last_speaker_;
  std::string octets_;  // of the line being handed on
};

}  // namespace smtpscope
