#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "readers/text/log_run.h"
#include "readers/text/log_session.h"
#include "readers/text/log_stamp.h"
#include "readers/text/log_table.h"

namespace smtpscope {

/// The sessions that a program prints, kept by what tells them apart there ("" where they come one
/// after the other). Knows when a new one begins without being told: at a greeting nobody asked
/// for, or at a command behind the answer to QUIT. Not thread-safe.
class DialogueBook {
 public:
  struct Traits {
    std::string_view client = {};  // what plays the client's part, where no address is known
    std::string_view server = {};
    std::uint16_t unknown = kUnknownOctets | kUnknownReads | kUnknownCloses;
    MessageLines message_lines = MessageLines::kNone;
  };

  DialogueBook(LogRun& run, WallTime latest, const Traits& traits)
      : run_(run), latest_(latest), traits_(traits), sessions_(run) {}

  /// What follows was written at this time; without one, when the line before was.
  void at(const std::optional<LogStamp>& stamp);

  /// The next session of `key` is with these; "" where one is not known. It begins once something
  /// is said in it.
  void announce(std::string_view key, std::string_view server, std::string_view client = {});
  /// The same, where its beginning is not shown.
  void announce_rest(std::string_view key, std::string_view server, std::string_view client = {});
  /// It begins now.
  void connected(std::string_view key, std::string_view server, std::string_view client = {});

  /// A line that `from` said. Of a server: any number of lines of a reply, glued together.
  void say(std::string_view key, Side from, std::string_view line);
  /// The text does not show what this side says. Before the other one says something.
  void hide(Side side) { hidden_ = side; }
  void skip_message(std::string_view key);
  /// Lines were left out of the text here: of the only session that is open. With several nobody
  /// knows of which.
  void omit_on_only();
  /// What the program says of its own, if that is one of the things that decide a session. Of a
  /// session that is to begin: that it could not be connected.
  void remark(std::string_view key, std::string_view text);
  /// The same, where the text does not say of which session: of the only one that is open, or is to
  /// begin. With several it is left out.
  void remark_on_only(std::string_view text);
  /// The program says that this side closed; `reason`: in its own words, if it has any.
  void close(std::string_view key, Side from, std::string_view reason);
  void fail_handshake(std::string_view key, std::optional<Side> failed_by, std::string_view why);
  void end(std::string_view key);
  /// Nothing more comes: what is open was left open by the text.
  void finish();

  /// Whether something was made of the line so far.
  void begin_line() { told_ = false; }
  bool has_told() const { return told_; }
  /// Another book has.
  void leave_to_another() { told_ = true; }

  /// The session that goes on; nullptr if there is none.
  LogSession* find(std::string_view key) { return sessions_.find(key); }
  Time now();

 private:
  struct Peers {
    std::string server, client;
    bool beginning = true;  // it will be shown
  };
  /// Far more than stand open at a time.
  static constexpr std::size_t kMaxPeers = 4096;

  LogSession& open(std::string_view key, bool mid_session, std::string_view unreachable = {});
  bool say_ehlo_reply(LogSession& session, std::string_view line);
  bool begins_another(const LogSession& session, Side from, std::string_view line) const;

  LogRun& run_;
  WallTime latest_;
  Traits traits_;
  LogTable sessions_;
  std::unordered_map<std::string, Peers> peers_;  // of sessions that are to begin
  std::string early_remark_;                      // said before any session: of the first that ends
  bool told_ = false;
  std::optional<Side> hidden_;
  std::optional<Time> now_;
  Duration resolution_{};
};

/// Of texts that were typed or copied by hand: messages may be cut.
inline constexpr DialogueBook::Traits kTypedTraits = {
    .unknown = kUnknownOctets | kUnknownReads | kUnknownCloses | kUnknownContent,
    .message_lines = MessageLines::kSome};

}  // namespace smtpscope
