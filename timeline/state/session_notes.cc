#include "timeline/state/session_notes.h"

#include <algorithm>

#include "base/ascii.h"
#include "parser/command_line.h"
#include "parser/path.h"
#include "timeline/state/declared_limits.h"
#include "timeline/state/envelope_hash.h"
#include "timeline/state/envelope_replay.h"
#include "timeline/state/read_pace.h"
#include "timeline/tls_words.h"

namespace smtpscope {
namespace {

/// RFC 5321 4.5.3.1.2: a domain has 255 octets at most.
constexpr std::size_t kKeptName = 255;
/// RFC 4422 3.1: the name of a mechanism has 20 octets at most.
constexpr std::size_t kKeptMechanism = 20;

/// Octets of a scenario's line.
constexpr std::size_t kKeptLineOfScenario = 200;

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host == "::1" || host.starts_with("::ffff:127.");
}

std::string_view first_word(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_first_of(" \t"));
}

void note_auth(const Item& item, const Command& command, const Entry& entry, SessionState& state) {
  if (state.auth == nullptr) state.auth = std::make_unique<AuthState>();
  AuthState& auth = *state.auth;
  ++auth.attempts;
  auth.before = std::exchange(auth.last, AuthAttempt{});
  auth.last.entry = entry.number;
  auth.last.mechanism = in_upper_case(first_word(command.arguments).substr(0, kKeptMechanism));
  auth.last.secret_octets = item.secret_end - item.secret_begin;
  // RFC 4954 4: "=" is an initial response of no octets.
  const std::string_view behind = without_trailing_blanks(command.arguments);
  auth.last.initial_response = auth.last.secret_octets > 0 || behind.ends_with(" =");
  auth.last.encrypted = state.encrypted;
}

void note_starttls(const Entry& entry, SessionState& state) {
  if (state.starttls == nullptr) state.starttls = std::make_unique<StartTlsNotes>();
  if (state.starttls->sent == 0) state.starttls->sent = entry.number;
}

void note_mail(const Command& command, SessionState& state) {
  ++state.mails_sent;
  if (state.starttls == nullptr || state.starttls->refused == 0) return;
  if ((command.flags & kEarly) == 0) state.starttls->mail_behind = true;
}

void note_rcpt(const PathArgument& path, const Capabilities& capabilities, SessionState& state) {
  if (!declared_limit(capabilities, kLimitRcptDomainMax)) return;
  if (state.rcpt_domains == nullptr) state.rcpt_domains = std::make_unique<RecipientDomains>();
  RecipientDomains& domains = *state.rcpt_domains;
  const std::optional<std::uint64_t> domain = domain_of(path.mailbox);
  if (!domain || domains.kept == RecipientDomains::kKept || domains.has(*domain)) return;
  domains.hashes[domains.kept++] = *domain;
}

void note_bdat(const Entry& entry, SessionState& state) {
  if (state.chunks == nullptr) state.chunks = std::make_unique<ChunkNotes>();
  if (state.chunks->count == 0 || state.chunks->transaction != entry.transaction) {
    *state.chunks = {.transaction = entry.transaction, .first_entry = entry.number};
  }
  ++state.chunks->count;
}

void note_relay(Verb verb, const Entry& entry, SessionState& state) {
  if (state.relay == nullptr) state.relay = std::make_unique<RelayNotes>();
  std::uint64_t& first = verb == Verb::kXclient ? state.relay->xclient : state.relay->xforward;
  if (first == 0) first = entry.number;
}

void note_unknown(const Item& item, const Command& command, const Entry& entry,
                  SessionState& state) {
  const UnknownRun run = with_unknown_line(item, command, entry, state);
  if (run.count == 0) return;
  if (state.unknown_run == nullptr) state.unknown_run = std::make_unique<UnknownRun>();
  *state.unknown_run = run;
}

/// The meaning of the octets behind it hangs on its reply.
bool decides_what_follows(Verb verb) {
  switch (verb) {
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kAuth:
    case Verb::kXexps:
    case Verb::kStartTls:
    case Verb::kXanonymousTls:
    case Verb::kXexch50:
    case Verb::kTurn:
    case Verb::kAtrn:
      return true;
    default:
      return false;
  }
}

/// Firewalls that look into SMTP overwrite nearly all of the greeting, and leave a "2", a "0" or
/// "ESMTP" of it. Asterisks in a part of it are somebody's: a frame around a banner, a name blotted
/// out by who shows the text.
bool is_masked(const ReplyLine& line) {
  const auto stars = std::ranges::count(line.text, '*');
  const auto blanks = std::ranges::count_if(line.text, is_blank);
  return stars * 4 >= (std::ssize(line.text) - blanks) * 3;
}

void note_greeting(const Reply& reply, SessionState& state) {
  if (reply.lines.empty()) return;
  constexpr std::string_view kLeastRun = "****";
  state.greeting_masked = reply.lines.front().text.find(kLeastRun) != std::string_view::npos &&
                          std::ranges::all_of(reply.lines, is_masked);
  // RFC 5321 4.2: the name stands on the first line, also of a greeting of several.
  state.server_name = first_word(reply.lines.front().text).substr(0, kKeptName);
  state.server_extended = std::ranges::any_of(reply.lines, [](const ReplyLine& line) {
    return in_upper_case(line.text).find("ESMTP") != std::string::npos;
  });
}

void note_hello(const Reply& reply, const PendingExchange& answered, SessionState& state) {
  if (reply.complete && state.last_hello.entry == answered.entry)
    state.last_hello.code = reply.code;
}

void note_offers(const Capabilities& capabilities, SessionState& state) {
  if (capabilities.keywords().empty()) return;
  if (state.offers == nullptr) state.offers = std::make_unique<Offers>();
  state.offers->before = capabilities;
}

void note_auth_reply(const Reply& reply, SessionState& state) {
  if (state.auth == nullptr || reply.first_digit() == 3) return;
  state.auth->last.code = reply.code;
  // The server took it for what it says.
  if (reply.code == 221 && state.auth->last.quit) state.quit_sent = state.quit_answered = true;
  if (reply.first_digit() != 2 && !state.auth->last.cancelled) ++state.auth->failures;
}

void note_bdat_reply(const Reply& reply, const Entry& entry, const PendingExchange& answered,
                     SessionState& state) {
  ChunkNotes* chunks = state.chunks.get();
  if (chunks == nullptr || chunks->transaction != answered.transaction) return;
  if (reply.first_digit() < 4 || chunks->failed != 0) return;
  chunks->failed = entry.number;
  chunks->failed_code = reply.code;
  chunks->failed_at = entry.last;
}

void note_refusal(const Reply& reply, const Entry& entry, SessionState& state) {
  const bool early_farewell = reply.code == 221 && reply.verb != Verb::kQuit;
  if (reply.first_digit() < 4 && !early_farewell) return;
  if (state.last_refusal == nullptr) state.last_refusal = std::make_unique<LastRefusal>();
  LastRefusal& refusal = *state.last_refusal;
  refusal.entry = entry.number;
  refusal.code = reply.code;
  refusal.time = entry.last;
  refusal.text.clear();
  if (!reply.lines.empty()) {
    refusal.text = reply.lines.back().text.substr(0, LastRefusal::kKeptText);
  }
}

void note_pace(const Reply& reply, const Entry& entry, const PendingExchange& answered,
               SessionState& state) {
  if (!entry.think) return;
  const bool refusal = reply.first_digit() >= 4;
  if (*entry.think < SlowReplies::kLeast) {
    ++(refusal ? state.quick_refusals : state.quick_replies);
    return;
  }
  if (state.slow_replies == nullptr) state.slow_replies = std::make_unique<SlowReplies>();
  SlowReplies& slow = *state.slow_replies;
  if (slow.kept == SlowReplies::kKept) return;
  slow.first[slow.kept++] = {
      .think = *entry.think, .entry = entry.number, .code = reply.code, .verb = answered.verb};
}

InterceptionSigns& signs_of(SessionState& state) {
  if (state.signs == nullptr) state.signs = std::make_unique<InterceptionSigns>();
  return *state.signs;
}

/// RFC 1870 6.1 lets a client declare too much, not too little. Nothing is known of a message of
/// which octets are missing from the trace.
void note_size_excess(const Transaction& ended, SessionState& state) {
  if (!ended.declared.size || state.holes > 0) return;
  const std::uint64_t declared = *ended.declared.size;
  const std::uint64_t excess = ended.facts.octets > declared ? ended.facts.octets - declared : 0;
  if (excess == 0 && state.signs == nullptr) return;
  InterceptionSigns& signs = signs_of(state);
  signs.size_excess_repeats =
      excess > 0 && excess == signs.size_excess ? signs.size_excess_repeats + 1 : 1;
  signs.size_excess = excess;
}

}  // namespace

void note_scenario(std::string_view line, SessionState& state) {
  if (state.scenario == nullptr) state.scenario = std::make_unique<ScenarioNotes>();
  ScenarioNotes& notes = *state.scenario;
  line = line.substr(0, kKeptLineOfScenario);
  if (std::ranges::find(notes.lines, line) != notes.lines.end()) return;
  if (notes.lines.size() == ScenarioNotes::kMostLines) {
    notes.more = true;
  } else {
    notes.lines.emplace_back(line);
  }
}

bool like_header_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon + 1 >= line.size()) return false;
  if (!is_blank(line[colon + 1])) return false;
  return std::ranges::all_of(line.substr(0, colon),
                             [](char c) { return is_alphanumeric(c) || c == '-'; });
}

UnknownRun with_unknown_line(const Item& item, const Command& command, const Entry& entry,
                             const SessionState& state) {
  UnknownRun run;
  if (state.unknown_run != nullptr && !state.unknown_run->ended) run = *state.unknown_run;
  // What may be an AUTH response says nothing of a message.
  if (item.secret_begin != item.secret_end) return run;
  if (run.count == 0) {
    run.first_entry = entry.number;
    const LastReply& reply = state.last_reply;
    const bool about_data = reply.verb == Verb::kData || reply.verb == Verb::kBdat;
    run.behind_refused_data = about_data && reply.code >= 400 && reply.answers == Answers::kCommand;
    // Behind a 354 too: a command can only come there once the message has ended.
    run.behind_message = about_data && !run.behind_refused_data;
  }
  ++run.count;
  run.last_entry = entry.number;
  if (like_header_field(command.text)) ++run.headers;
  return run;
}

std::uint8_t odd_endings(const Command& command) {
  std::uint8_t odd = 0;
  if (command.ending == LineEnding::kLf) odd |= kBareLfSeen;
  if (command.ending == LineEnding::kCrCrLf) odd |= kCrCrLfSeen;
  if ((command.flags & kHasBareCr) != 0) odd |= kBareCrSeen;
  return odd;
}

std::string_view host_of(std::string_view endpoint) {
  if (endpoint.starts_with("unix:")) return endpoint;
  endpoint = endpoint.substr(0, endpoint.rfind(':'));
  if (endpoint.starts_with('[') && endpoint.ends_with(']')) {
    endpoint = endpoint.substr(1, endpoint.size() - 2);
  }
  return endpoint;
}

void note_peers(const SessionOpened& opened, SessionState& state) {
  std::string_view client = opened.client;
  if (client.starts_with("unix:") || client.empty()) {
    state.client_host = "unix";
    state.client_is_local = true;
  } else {
    client = host_of(client);
    state.client_host = client;
    state.client_is_local = is_loopback(client);
  }
  state.client_hash = sender_hash(state.client_host);
  state.upstream = opened.upstream;
}

void note_command(const Item& item, const Command& command, const PathArgument* path,
                  const Entry& entry, const Capabilities& capabilities, SessionState& state) {
  const bool keeps_alive = command.verb == Verb::kNoop || command.verb == Verb::kRset;
  state.keep_alives = keeps_alive && entry.transaction == 0 ? state.keep_alives + 1 : 0;
  state.odd_endings |= odd_endings(command);
  switch (command.verb) {
    case Verb::kUnknown:
      note_unknown(item, command, entry, state);
      return;
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      if (state.last_hello.entry != 0) {
        state.hello_before = std::make_unique<LastHello>(std::move(state.last_hello));
      }
      state.last_hello = {
          .entry = entry.number,
          .verb = command.verb,
          .code = 0,
          .name = std::string(without_trailing_blanks(command.arguments).substr(0, kKeptName))};
      note_offers(capabilities, state);
      break;
    case Verb::kMail:
      note_mail(command, state);
      break;
    case Verb::kRcpt:
      note_rcpt(*path, capabilities, state);
      break;
    case Verb::kBdat:
      note_bdat(entry, state);
      break;
    case Verb::kAuth:
    case Verb::kXexps:
      note_auth(item, command, entry, state);
      note_offers(capabilities, state);
      break;
    case Verb::kStartTls:
    case Verb::kXanonymousTls:
      note_starttls(entry, state);
      note_offers(capabilities, state);
      break;
    case Verb::kXclient:
      note_relay(command.verb, entry, state);
      note_offers(capabilities, state);
      break;
    case Verb::kXforward:
      note_relay(command.verb, entry, state);
      break;
    default:
      break;
  }
  if (state.unknown_run != nullptr) state.unknown_run->ended = true;
}

void note_mail_data(const MailData& data, const Entry& entry, const Transaction* transaction,
                    SessionState& state) {
  if (state.last_mail_data == nullptr) state.last_mail_data = std::make_unique<LastMailData>();
  *state.last_mail_data = {
      .entry = entry.number,
      .octets = data.facts.octets,
      .declared = transaction == nullptr ? 0 : transaction->declared.size.value_or(0)};
  if (data.facts.first_candidate_end == 0 || data.end != DataEnd::kStrict) return;
  if (auto envelope = find_smuggled_envelope(data.behind_candidate)) {
    envelope->entry = entry.number;
    state.smuggled = std::make_unique<SmuggledEnvelope>(std::move(*envelope));
  }
}

void note_auth_response(const AuthResponse& response, SessionState& state) {
  if (state.auth == nullptr) return;
  AuthAttempt& attempt = state.auth->last;
  ++attempt.responses;
  attempt.cancelled = response.cancelled;
  attempt.quit = response.quit;
  if (!response.cancelled) attempt.secret_octets += response.octets;
}

void note_chunk(const Entry& entry, SessionState& state) {
  if (state.chunks != nullptr) state.chunks->chunk_entry = entry.number;
}

void note_proxy_header(std::uint64_t entry, SessionState& state) {
  if (state.relay == nullptr) state.relay = std::make_unique<RelayNotes>();
  state.relay->proxy_header = entry;
}

namespace {

/// A client that has given up says something else, or nothing.
void note_outlived(SessionState& state) {
  std::optional<RemarkNote>& told =
      state.remarks->first[static_cast<std::size_t>(RemarkKind::kTimeout)];
  if (!told) return;
  const std::uint64_t data = state.last_mail_data != nullptr ? state.last_mail_data->entry : 0;
  const bool waited_on = std::max(state.last_command.entry, data) <= told->behind_entry;
  told->outlived = told->outlived || waited_on;
}

}  // namespace

void note_reply(const Reply& reply, const Entry& entry, const PendingExchange* answered,
                SessionState& state) {
  if (state.remarks != nullptr) note_outlived(state);
  if (reply.answers == Answers::kGreeting) note_greeting(reply, state);
  if (reply.answers == Answers::kOrphan) {
    ++state.orphans;
    state.last_orphan_entry = entry.number;
    if (state.smuggled != nullptr)
      note_reply_to_smuggled(reply.code, entry.number, *state.smuggled);
  }
  note_refusal(reply, entry, state);
  if (answered == nullptr) return;
  if (reply.code >= 500 && reply.code <= 504 && state.messages_completed == 0) {
    ++state.error_replies;
  }
  note_pace(reply, entry, *answered, state);
  if (answered->kind == Answers::kCommand && decides_what_follows(answered->verb)) {
    state.barrier = answered->verb;
  }
  switch (answered->verb) {
    case Verb::kUnknown:
      if (state.unknown_run != nullptr && answered->entry >= state.unknown_run->first_entry &&
          (reply.code == 500 || reply.code == 502)) {
        ++state.unknown_run->refused;
      }
      break;
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      note_hello(reply, *answered, state);
      break;
    case Verb::kBdat:
      note_bdat_reply(reply, entry, *answered, state);
      break;
    case Verb::kAuth:
    case Verb::kXexps:
      note_auth_reply(reply, state);
      [[fallthrough]];
    case Verb::kStartTls:
    case Verb::kXanonymousTls:
    case Verb::kXclient:
      if (state.starttls != nullptr && reply.first_digit() >= 4 &&
          (answered->verb == Verb::kStartTls || answered->verb == Verb::kXanonymousTls)) {
        state.starttls->refused = entry.number;
      }
      // RFC 3207 4.2, RFC 4954 4, XCLIENT_README: what EHLO offered before counts no more.
      if (reply.first_digit() == 2 && state.offers != nullptr) {
        state.offers->voided_by = answered->verb;
      }
      break;
    default:
      break;
  }
}

void note_reads(const Entry& entry, SessionState& state) {
  if (entry.read_count < 2) return;
  const std::size_t stalls = ack_stalls(entry.reads).count;
  std::uint8_t& sum = state.ack_stalls[index(entry.item->side)];
  sum = static_cast<std::uint8_t>(std::min<std::size_t>(255, sum + stalls));
}

void note_round_pause(Duration length, SessionState& state) {
  TransactionSummary* previous = state.previous.get();
  // Only up to the next MAIL, and only if a RSET was what ended it.
  if (previous == nullptr || previous->rsets_since == 0) return;
  if (state.transactions > previous->number) return;
  previous->round_pause = std::max(previous->round_pause, length);
}

void note_recipient(const Transaction& txn, const ClientRecord* client, SessionState& state) {
  const TransactionSummary* first = state.previous.get();
  if (first == nullptr || !replays(txn, *first)) return;
  constexpr std::uint64_t kTelling = 2;  // RSETs
  InterceptionSigns::Replay& replay = signs_of(state).replay;
  if (replay.transaction != 0 && (replay.rsets >= kTelling || first->rsets_since < kTelling))
    return;
  replay = {.transaction = txn.number,
            .first_entry = first->first_entry,
            .reset_entry = first->last_entry,
            .again_entry = txn.first_entry,
            .rsets = first->rsets_since,
            .round_pause = first->round_pause,
            .wrote_slowly_before =
                client != nullptr && client->slow_messages > 0 && client->burst_messages == 0,
            .message_before = state.messages_completed > 0};
}

void note_transaction(const Transaction& ended, SessionState& state) {
  if (!ended.data_sent) return;
  if (ended.facts.header.scanner_fields > 0) {
    InterceptionSigns& signs = signs_of(state);
    if (signs.scanned_messages++ == 0) signs.scanned_entry = ended.data_entry;
  }
  note_size_excess(ended, state);
  if (state.signs != nullptr && state.signs->replay.transaction == ended.number) {
    state.signs->replay.message_sent = true;
    state.signs->replay.in_one_read = ended.data_reads == 1;
  }
}

namespace {

/// What the client's last words wait for; "" if nothing does.
std::string unanswered(const SessionState& state) {
  const std::uint64_t reply = state.last_reply.entry;
  if (state.last_mail_data != nullptr && state.last_mail_data->entry > reply) {
    return std::string(kOwedEndOfData);
  }
  if (state.last_command.entry <= reply) return {};
  const std::string_view verb = to_string(state.last_command.verb);
  return "the reply to " + (verb.empty() ? std::string("a command") : std::string(verb));
}

}  // namespace

void note_remark(const Remark& remark, SessionState& state) {
  if (state.remarks == nullptr) state.remarks = std::make_unique<RemarkNotes>();
  auto& first = state.remarks->first[static_cast<std::size_t>(remark.kind)];
  ++state.remarks->count;
  state.remarks->last = remark.kind;
  // Of two of a kind the one that names a time says more, unless the dialogue has gone on since.
  if (first && !first->outlived && (first->length || !remark.length)) return;
  first = RemarkNote{.by = remark.by,
                     .length = remark.length,
                     .behind_entry = state.entries,
                     .awaited = unanswered(state),
                     .text = std::string(remark.text.substr(0, RemarkNote::kKeptText))};
}

void note_tls_handshake(const TlsHandshake& handshake, Time now, SessionState& state) {
  if (state.tls_ends == nullptr) state.tls_ends = std::make_unique<TlsEnds>();
  state.tls_ends->with[index(handshake.with)] = handshake.facts;
  state.tls_ends->at[index(handshake.with)] = now;
  // Whether the session is encrypted is asked for the client's sake.
  if (handshake.with == Side::kClient && handshake.facts->completed) state.encrypted = true;
}

namespace {

void note_handshake(Side side, const TlsMessages& messages, Time time, TlsState& tls) {
  if (messages.client_hello && messages.client_hello->readable) {
    tls.client_hello = messages.client_hello;
    tls.client_hello_at = time;
  }
  if (messages.server_hello && messages.server_hello->readable) {
    tls.server_hello = messages.server_hello;
    if (tls.client_hello && !tls.server_took) tls.server_took = time - tls.client_hello_at;
  }
  if (side == Side::kServer && messages.certificates) {
    tls.certificate = own_certificate(*messages.certificates);
  }
  if (messages.certificate_requested) tls.certificate_requested = true;
}

}  // namespace

bool note_tls_record(const Item& item, const TlsRecord& record, Time time, std::uint64_t entry,
                     SessionState& state) {
  const Side side = item.side;
  // RFC 8446 5.1.
  constexpr std::uint8_t kChangeCipherSpec = 20;
  constexpr std::uint8_t kAlert = 21;
  constexpr std::uint8_t kHandshake = 22;
  constexpr std::uint8_t kApplicationData = 23;
  // RFC 8446 4.
  constexpr std::uint8_t kClientHello = 1;
  constexpr std::uint8_t kServerHello = 2;

  state.tls = state.encrypted = true;
  if (state.tls_state == nullptr) {
    state.tls_state = std::make_unique<TlsState>();
    state.tls_state->began = time;
  }
  TlsState& tls = *state.tls_state;
  const std::size_t i = index(side);
  ++tls.records[i];
  tls.octets[i] += item.end - item.begin;
  if (record.messages != nullptr) note_handshake(side, *record.messages, time, tls);
  if (record.handshake_type == kClientHello || record.handshake_type == kServerHello) {
    tls.hello_seen[i] = true;
    tls.version[i] = record.version;
  }
  if (record.type == kAlert && record.alert_level != 0 && tls.alert_entry == 0) {
    tls.alert_entry = entry;
    tls.alert_from = side;
    tls.alert_level = record.alert_level;
    tls.alert_description = record.alert_description;
  }
  // Before TLS 1.3 Finished is a handshake record still, encrypted, of 96 octets with the widest of
  // the ciphers. In TLS 1.3 a second ClientHello may come behind ChangeCipherSpec; it is larger.
  constexpr std::uint32_t kLongestFinished = 96;
  if (record.type == kHandshake && tls.encrypts[i] && record.length <= kLongestFinished) {
    tls.finished_seen[i] = true;
  }
  if (record.type == kChangeCipherSpec) tls.encrypts[i] = true;
  if (record.type == kApplicationData && tls.data_records[i]++ == 0) {
    tls.first_data_octets[i] = record.length;
  }
  const bool first_data = record.type == kApplicationData && !tls.data_seen[i];
  if (record.type == kApplicationData) tls.data_seen[i] = true;
  if ((tls.finished_seen[i] || tls.data_seen[i]) && !tls.secured[i]) {
    tls.secured[i] = time;
    if (side == Side::kClient && tls.records[index(Side::kServer)] > 0) {
      tls.client_took = time - tls.last_record[index(Side::kServer)];
    }
  }
  tls.last_record[i] = time;
  const bool telling =
      record.type == kAlert || record.type == kHandshake || first_data || !tls.data_seen[i];
  return telling && record.type != kChangeCipherSpec;
}

TlsTotals totals_of(const TlsState& tls) {
  TlsTotals totals;
  if (tls.server_hello) {
    totals.version = tls.server_hello->version;
    totals.cipher_suite = tls.server_hello->cipher_suite;
    totals.resumed = tls.server_hello->resumed;
  }
  const auto& [client, server] = tls.secured;
  if (client && server) totals.handshake = std::max(*client, *server) - tls.began;
  totals.server_took = tls.server_took;
  totals.client_took = tls.client_took;
  totals.records = tls.records;
  totals.octets = tls.octets;
  return totals;
}

}  // namespace smtpscope
