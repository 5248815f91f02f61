#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "capture/wire_event.h"
#include "parser/item.h"
#include "parser/verb.h"

namespace smtpscope {

/// What the client says, as far as it decides what may be said when.
enum class SayingKind : std::uint8_t {
  kCommand,
  kAuthResponse,
  kMailData,
  kChunk,
  kBlob,
  kOther,  // owed no reply: a PROXY header, a cut line
};

/// Something that a client says and is owed a reply for. Two are the same if their keys are: the
/// verb, with the mailbox of MAIL and RCPT, the mechanism of AUTH, the argument of most others.
/// Names in EHLO, parameters and contents may differ.
struct Saying {
  std::string key;
  std::string verb;  // the part of the key that tells the kind of command
  std::string text;  // as it was said, for people
};

/// Empty for what is owed no reply of its own, such as the octets of a chunk.
std::optional<Saying> saying_of(const Item& item);

/// Something that the recorded server did, behind what it did before.
struct ServerAct {
  enum class Kind : std::uint8_t { kSay, kFinish, kReset };
  Kind kind = Kind::kSay;
  std::string octets;
  Duration delay{};  // behind the later of the client's octets and what the server did before
  /// So many octets of something unfinished (a message, mostly) the client had said by then.
  std::uint64_t behind_unfinished = 0;
  bool behind_close = false;  // the client had closed its direction by then
  bool early = false;         // a reply to BDAT before all octets of the chunk had come
};

/// What was owed a reply, and all that the server did about it. The first is the greeting.
struct RecordedExchange {
  std::optional<Saying> saying;  // empty: the greeting, or a reply whose command is not known
  std::vector<ServerAct> acts;
};

/// Octets that the recorded client said at once, or its end. Pieces of one item have its number.
struct ClientStep {
  enum class Kind : std::uint8_t { kSay, kFinish, kReset };
  Kind kind = Kind::kSay;
  SayingKind saying = SayingKind::kOther;
  bool begins_item = false;
  std::uint64_t begin = 0, end = 0;  // of RecordedDialogue::client_octets
  /// Replies that were owed when the client said it; kAnyOwed: it came with the step before.
  std::uint32_t owed = kAnyOwed;
  Duration gap{};             // behind the later of what it and what the server had said before
  bool behind_close = false;  // the server had closed by then

  static constexpr std::uint32_t kAnyOwed = ~std::uint32_t{0};
};

/// One recorded session as something that can be played again, either side of it. Owns its octets.
struct RecordedDialogue {
  SessionId session = 0;
  std::string client_octets;
  std::vector<ClientStep> steps;  // ends with kFinish or kReset
  std::vector<RecordedExchange> exchanges;
  std::uint64_t filler = 0;    // octets of messages that are not in the recording, made up
  std::uint64_t commands = 0;  // that the client said
  /// Why no side of it, not the client's, or not the server's can be played; "": it can.
  std::string unfit, unfit_client, unfit_server;
};

/// Makes dialogues of the wire events of a run. Not thread-safe.
class DialogueRecorder : public WireSink {
 public:
  DialogueRecorder();
  ~DialogueRecorder() override;
  DialogueRecorder(const DialogueRecorder&) = delete;
  DialogueRecorder& operator=(const DialogueRecorder&) = delete;

  void on_wire(const WireEvent& event) override;
  /// All sessions in order of their numbers; those that go on end here. Nothing comes after it.
  std::vector<RecordedDialogue> take();

 private:
  class Recording;

  std::map<SessionId, std::unique_ptr<Recording>> sessions_;
};

}  // namespace smtpscope
