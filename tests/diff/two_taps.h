#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "diff/taps/taps_comparison.h"
#include "tests/catch.h"
#include "timeline/rule_set.h"
#include "trace/run_record.h"

namespace smtpscope::test {

/// Tells a dialogue as a tap near the client and one near the server record it, with something in
/// between that the test plays. Time goes on by itself: an octet takes a millisecond from one tap
/// to the other, and the server a millisecond to answer. Lines are those of transcripts
/// (tests/timeline/transcripts/README.md).
class TwoTaps {
 public:
  /// The clock near the server is so far ahead, and gains so much in each second.
  explicit TwoTaps(Duration offset = {}, Duration gain = {}) : offset_(offset), gain_(gain) {}

  void wait(Duration time) { now_ += time; }
  /// Sessions are numbered at each tap by themselves.
  void open_client(int session, std::string_view from = "192.0.2.10:50114");
  void open_server(int session, std::string_view from = "198.51.100.1:40000");
  void end_client();
  void end_server();

  /// Only that tap sees it.
  void at_client(std::string_view line) { near_client_.add(now_, line); }
  void at_server(std::string_view line);

  /// Passed on as it is, and so is the answer.
  void greet(std::string_view reply = "220 mx.example ESMTP Postfix");
  void pass(std::string_view command, std::string_view reply, Duration held = {});
  /// Passed on, with other octets.
  void rewrite(std::string_view command, std::string_view as, std::string_view reply,
               std::string_view reply_as);
  /// Said by what is in between.
  void inject(std::string_view command, std::string_view reply);
  /// Kept from the server.
  void drop(std::string_view command, std::string_view reply);
  /// A message: DATA, 354, octets as they stand in a transcript's raw, and the final reply.
  void message(std::string_view octets) { message(octets, octets); }
  void message(std::string_view octets, std::string_view as);

  /// EHLO, MAIL, RCPT.
  void envelope(std::string_view hello = "ws1", std::string_view from = "a@example.com",
                std::string_view to = "b@example.net");
  void quit() { pass("QUIT", "221 2.0.0 Bye"); }

  RunRecord near_client() const { return near_client_.record("near-client.smtpcap", "laptop", {}); }
  RunRecord near_server() const {
    return near_server_.record("near-server.smtpcap", "mx", offset_);
  }

 private:
  /// What one tap writes down.
  class RelayObserver {
   public:
    void add(Duration when, std::string_view line);
    void open(Duration when, int session, std::string_view from);
    RunRecord record(std::string name, std::string tap, Duration ahead) const;

   private:
    std::string text_;
    Duration began_{};  // its first session did
    Duration last_{};
  };

  Duration server_time() const;

  const Duration offset_, gain_;
  Duration now_{};
  RelayObserver near_client_, near_server_;
};

/// A comparison and the records that it points into. Not to be moved.
struct Compared {
  explicit Compared(const TwoTaps& told, const RuleSet& rules = RuleSet())
      : near_client(told.near_client()),
        near_server(told.near_server()),
        taps(compare_taps(near_client, near_server, rules)) {}
  Compared(const Compared&) = delete;

  /// Of all dialogues, in order: "command-injected RSET", "reply-rewritten QUIT".
  std::vector<std::string> changes() const;
  /// All sentences.
  std::string verdict() const;

  RunRecord near_client, near_server;
  TapsComparison taps;
};

}  // namespace smtpscope::test
