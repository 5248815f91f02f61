#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/side.h"

namespace smtpscope::ends {

/// How a session is brought to its end, by the side that begins it.
enum class Ending : std::uint8_t {
  kHalfClose,      // FIN; the other side answers and closes
  kClose,          // closes altogether; the other side closes too
  kCloseAnswered,  // closes altogether; the other side answers, which nobody takes
  kReset,          // RST
  kFinReset,       // FIN and, when the other side has seen it, RST
  kFinResetAtOnce,
  kUnread,   // closes with octets unread, which the kernel makes an RST
  kBoth,     // both send FIN, neither waiting for the other
  kSilence,  // nothing for a long time, then as kClose
  kCut,      // TLS: as kHalfClose, without close_notify
};
inline constexpr Ending kInTheClear[] = {
    Ending::kHalfClose, Ending::kClose,    Ending::kCloseAnswered,
    Ending::kReset,     Ending::kFinReset, Ending::kFinResetAtOnce,
    Ending::kUnread,    Ending::kBoth,     Ending::kSilence};
/// Without those where one side closes: what TLS itself still sends then, such as tickets for a new
/// session, would make the kernel reset.
inline constexpr Ending kInTls[] = {Ending::kHalfClose,      Ending::kReset, Ending::kFinReset,
                                    Ending::kFinResetAtOnce, Ending::kBoth,  Ending::kCut};

/// Where in a session.
enum class Stage : std::uint8_t {
  kConnected,
  kGreeted,
  kHello,
  kEnvelope,
  kInMessage,
  kDotSent,  // the reply to the message has not come
  kDotAnswered,
  kQuitSent,
};
inline constexpr int kStages = 8;

std::string_view name_of(Ending ending);
std::string_view name_of(Stage stage);

/// One thing that one side does.
struct Step {
  enum class Act : std::uint8_t {
    kSay,
    kFin,     // in TLS, behind close_notify, as kClose
    kCutOff,  // FIN without it
    kClose,
    kReset,
    kCloseUnread,
    kRest,  // nothing, until the driver goes on
  };
  /// Not before:
  enum class After : std::uint8_t {
    kNothing,  // at once
    kOctets,   // this side has heard all that was said
    kAll,      // both sides have heard and seen all that was said and done
  };
  Side side = Side::kClient;
  Act act = Act::kSay;
  std::string octets;  // kSay
  After after = After::kAll;
};

/// What a side sees of the other's end, once it has read everything. kCut: a FIN in TLS without
/// close_notify.
enum class Sight : std::uint8_t { kNothing, kFin, kReset, kFinReset, kCut };

/// What is done in one session, and what must come of it.
struct Plan {
  Ending ending = Ending::kClose;
  Stage stage = Stage::kConnected;
  Side side = Side::kClient;  // that begins the end
  bool slow = false;          // the other side reads late, and little at a time
  std::vector<Step> steps;
  std::size_t first_of_end = 0;  // among the steps
  Sight seen[2] = {};            // by index(Side): of the other's end
  /// The record's closes, "client fin"; of kBoth in either order.
  std::vector<std::string> closes;
  /// Octets of this side, from this offset, may be marked as undelivered.
  std::uint64_t delivered[2] = {~std::uint64_t{0}, ~std::uint64_t{0}};

  std::string text() const;
  /// What a side says, all of it.
  std::string said(Side side) const;
};

struct PlanChoice {
  Ending ending;
  Stage stage;
  Side side;
  bool slow;
  std::size_t tail;  // octets said right before the end
  std::size_t more;  // commands with their replies in between
};

Plan make_plan(const PlanChoice& choice, std::mt19937_64& random);

}  // namespace smtpscope::ends
