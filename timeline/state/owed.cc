#include "timeline/state/owed.h"

#include "timeline/event.h"

namespace smtpscope {
namespace {

Party party_of(Side side) { return side == Side::kClient ? Party::kClient : Party::kServer; }

std::string_view reply_to(Verb verb) {
  switch (verb) {
    case Verb::kUnknown:
      return "the reply to an unknown command";
    case Verb::kHelo:
      return "the reply to HELO";
    case Verb::kEhlo:
      return "the reply to EHLO";
    case Verb::kLhlo:
      return "the reply to LHLO";
    case Verb::kMail:
      return kOwedMailReply;
    case Verb::kRcpt:
      return kOwedRcptReply;
    case Verb::kData:
      return kOwedDataReply;
    case Verb::kBdat:
      return kOwedBdatReply;
    case Verb::kBurl:
      return "the reply to BURL";
    case Verb::kRset:
      return "the reply to RSET";
    case Verb::kNoop:
      return "the reply to NOOP";
    case Verb::kQuit:
      return "the reply to QUIT";
    case Verb::kVrfy:
      return "the reply to VRFY";
    case Verb::kExpn:
      return "the reply to EXPN";
    case Verb::kHelp:
      return "the reply to HELP";
    case Verb::kAuth:
      return "the reply to AUTH";
    case Verb::kStartTls:
      return "the reply to STARTTLS";
    case Verb::kEtrn:
      return "the reply to ETRN";
    case Verb::kAtrn:
      return "the reply to ATRN";
    case Verb::kTurn:
      return "the reply to TURN";
    case Verb::kSend:
      return "the reply to SEND";
    case Verb::kSoml:
      return "the reply to SOML";
    case Verb::kSaml:
      return "the reply to SAML";
    case Verb::kXclient:
      return "the reply to XCLIENT";
    case Verb::kXforward:
      return "the reply to XFORWARD";
    case Verb::kXexch50:
      return "the reply to XEXCH50";
    case Verb::kXexps:
      return "the reply to X-EXPS";
    case Verb::kXanonymousTls:
      return "the reply to X-ANONYMOUSTLS";
    case Verb::kXlink2State:
      return "the reply to X-LINK2STATE";
  }
  return "a reply";
}

std::string_view reply_to(const PendingExchange* awaited) {
  if (awaited == nullptr) return "a reply";
  switch (awaited->kind) {
    case Answers::kEndOfData:
      return kOwedEndOfData;
    case Answers::kAuthResponse:
      return "the reply to the AUTH response";
    case Answers::kBlob:
      return "the reply to the octets of XEXCH50";
    default:
      // RFC 3030 2: the reply to the last chunk is the one to the message.
      return awaited->ends_message ? kOwedEndOfData : reply_to(awaited->verb);
  }
}

}  // namespace

Owed who_owes(const SessionState& state, const Conversation& conversation,
              const PendingExchange* awaited) {
  if (state.connect_failed) return {Party::kClient, kOwedClose};
  if (!state.connected) return {Party::kProxy, kOwedConnection};

  const bool client_gone = state.closes[index(Side::kClient)].has_value();
  const bool server_gone = state.closes[index(Side::kServer)].has_value();
  if (server_gone) return {client_gone ? Party::kUnknown : Party::kClient, kOwedClose};
  // RFC 5321 3.8: behind 221 and 421 the server closes.
  if (state.hangup_code != 0 || state.quit_answered) return {Party::kServer, kOwedClose};

  using Phase = Conversation::Phase;
  const Phase phase = conversation.phase();
  const Side speaker = conversation.commanding_side();
  if (phase == Phase::kTls) return {Party::kUnknown, "something inside TLS"};
  if (!client_gone) {
    // A log says nothing between DATA's reply and the final one: nobody knows whose time it was.
    const bool unseen = (state.fidelity.unknown & kUnknownContent) != 0;
    if (phase == Phase::kMailData && unseen) return {Party::kUnknown, kOwedMessageOrReply};
    if (phase == Phase::kMailData) return {party_of(speaker), kOwedMailData};
    if (phase == Phase::kChunk) return {party_of(speaker), kOwedChunk};
    if (phase == Phase::kBlob) return {party_of(speaker), "the octets of XEXCH50"};
    if (phase == Phase::kAuthResponse) return {party_of(speaker), "the answer to AUTH's 334"};
  }

  const Side replier = other(speaker);
  if (conversation.owed() > 0) {
    if (awaited == nullptr && state.greeting == SessionState::Greeting::kPending) {
      return {party_of(replier), kOwedGreeting};
    }
    if (conversation.received(replier) > conversation.itemised(replier)) {
      return {party_of(replier), "the rest of a reply"};
    }
    return {party_of(replier), reply_to(awaited)};
  }
  if (client_gone) return {Party::kServer, kOwedClose};
  if (conversation.received(speaker) > conversation.itemised(speaker)) {
    return {party_of(speaker), kOwedRestOfCommand};
  }
  return {party_of(speaker), kOwedCommand};
}

}  // namespace smtpscope
