#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/server_reply.h"

namespace smtpscope {

/// What smtpscope says to a server in the clear, to be granted STARTTLS before the client's first
/// command. The greeting is the client's to hear; the rest is between the two. Sans-I/O.
class UpstreamDialogue {
 public:
  enum class Stage : std::uint8_t {
    kGreeting,
    kHello,
    kStartTls,
    kGranted,  // TLS begins
    kRefused,  // failure() says why
    kNone,     // the greeting turned everybody away: there is nothing to be secured
  };

  /// `name`: how smtpscope calls itself (RFC 5321 4.1.1.1, an address literal will do).
  explicit UpstreamDialogue(std::string name) : name_(std::move(name)) {}

  /// Takes octets up to the end of a reply at most, and gives how many. When that ended one,
  /// reply() has it and say() what comes next, maybe nothing.
  std::size_t receive(std::span<const std::uint8_t> octets);
  bool has_reply() const { return reply_.whole(); }
  /// Whose reply it was that receive() has taken octets of.
  bool in_greeting() const { return reply_of_ == Stage::kGreeting; }
  const std::string& reply() const { return reply_.text(); }
  const std::string& say() const { return say_; }

  Stage stage() const { return stage_; }
  bool over() const { return stage_ >= Stage::kGranted; }
  const std::string& failure() const { return failure_; }

 private:
  void conclude();
  void give_up(std::string why);

  std::string name_;
  Stage stage_ = Stage::kGreeting;
  Stage reply_of_ = Stage::kGreeting;
  ServerReply reply_;
  std::string say_;
  std::string failure_;
};

}  // namespace smtpscope
