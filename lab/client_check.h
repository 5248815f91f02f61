#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "lab/ends_watch.h"

namespace smtpscope {

/// What became of the mail that a client was to send, judged by what the server took against what
/// the client reported by its exit status.
enum class ClientResult : std::uint8_t {
  kDelivered,     // all of it was taken once, and the client says so
  kRetried,       // likewise, by more than one attempt
  kGaveUp,        // not all of it was taken, and the client says so
  kLostMail,      // not all of it was taken, and the client says that it was
  kDuplicated,    // some was taken more often than it was to be sent
  kMayDuplicate,  // all of it was taken, and the client says that it was not
  kHung,          // the client did not end in time
  kNotTested,     // no line of the scenario came into use
};
std::string_view to_string(ClientResult result);

/// Whether the client did what is asked of it.
enum class ClientMark : std::uint8_t {
  kOk,
  kNotOk,
  kUndecided,  // it has to be given more time, or cannot be seen into
};
std::string_view to_string(ClientMark mark);

/// One run of a client, once it is over.
struct ClientRun {
  std::span<const SessionNotes* const> sessions;  // in the order in which they began
  int exit_code = 0;
  bool killed = false;  // it did not end in time
  Time ended;
  bool altered = true;  // the scenario changed something
};

/// What a client sends where nothing is in its way: how many copies for each recipient, and how.
struct ExpectedMail {
  std::map<std::string, std::uint64_t> copies;
  std::uint64_t attempts = 0;
  bool null_sender = false;         // it sends mail from the null reverse-path
  std::vector<std::string> needed;  // extensions that its mail asks for
};
ExpectedMail expected_mail(const ClientRun& run);

struct ClientVerdict {
  ClientResult result = ClientResult::kDelivered;
  ClientMark mark = ClientMark::kOk;
  std::string why;             // a sentence's end, without a stop; may be ""
  std::string section;         // "RFC 5321 4.2.1"; may be ""
  std::uint64_t taken = 0;     // recipients, of `wanted`, for whom the server took the mail
  std::uint64_t wanted = 0;    // times copies
  std::uint64_t surplus = 0;   // copies beyond those
  std::uint64_t attempts = 0;  // transactions, and connections without one
};

/// Judges a run under a scenario.
ClientVerdict judge_client(const ExpectedMail& expected, const ClientRun& run);

/// What RFC 5321 4.5.3.2 asks a client to wait for that, at least, and where it says so.
struct RfcPatience {
  Duration time{};
  std::string_view section;
};
RfcPatience rfc_patience(const DialogueNotes::Awaited& awaited);

}  // namespace smtpscope
