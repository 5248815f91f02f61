#include "exporters/records/record_table.h"

#include <array>

namespace smtpscope {
// A namespace of its own: the names are short.
namespace record_columns {

using enum ColumnType;
using enum ColumnPrivacy;

constexpr bool kNullable = true;
constexpr bool kAlways = false;

// Every table begins with these four, so that any row says where it comes from.
constexpr RecordColumn kRun{
    "run",
    kUuid,
    kAlways,
    kPlain,
    "The run: one start of the proxy, or one file. UUIDv7, which sorts by the time it began",
    "run"};
constexpr RecordColumn kHost{"host",
                             kWord,
                             kAlways,
                             kPlain,
                             "The machine that wrote the record; --records-host names another",
                             "run"};
constexpr RecordColumn kTap{
    "tap",    kWord, kAlways, kPlain, "The vantage point, from --tap; empty if it has no name",
    "run.tap"};
constexpr RecordColumn kSession{
    "session", kCount, kAlways, kPlain, "Number of the session within the run", "session"};

constexpr std::array kSessionColumns = {
    kRun,
    kHost,
    kTap,
    kSession,
    RecordColumn{"time", kTime, kAlways, kPlain, "When the client connected",
                 "session-ended.totals.began_ns"},
    RecordColumn{"ended", kTime, kAlways, kPlain, "When it was over, or the record ended",
                 "session-ended.totals.ended_ns"},
    RecordColumn{"duration_ns", kDuration, kAlways, kPlain, "From time to ended",
                 "session-ended.totals"},
    RecordColumn{"client_address", kText, kNullable, kAddress, "The client, without its port",
                 "session-started.client"},
    RecordColumn{"client_port", kCount, kNullable, kPlain, "The client's port",
                 "session-started.client"},
    RecordColumn{"announced_by", kText, kNullable, kFreeText,
                 "Who named the client, and how (PROXY header)", "session-started.announced_by"},
    RecordColumn{"listener", kText, kNullable, kAddress, "The address it connected to",
                 "session-started.listener"},
    RecordColumn{"upstream", kText, kNullable, kAddress, "The server as it was configured",
                 "session-started.upstream"},
    RecordColumn{"route", kWord, kNullable, kPlain,
                 "The route of the configuration that it came by, if there are several",
                 "session-started.route"},
    RecordColumn{"server_address", kText, kNullable, kAddress,
                 "The server that answered, without its port", "connected.server"},
    RecordColumn{"server_port", kCount, kNullable, kPlain, "The server's port", "connected.server"},
    RecordColumn{"connect_ns", kDuration, kNullable, kPlain, "How long connecting to it took",
                 "connected.took_ns"},
    RecordColumn{"connect_failed", kText, kNullable, kFreeText, "Why no server could be reached",
                 "connect-failed.reason"},
    RecordColumn{"mid_session", kFlag, kAlways, kPlain, "The record began after the session had",
                 "session-started.mid_session"},
    RecordColumn{"unknown", kWord, kNullable, kPlain,
                 "What the record cannot know, separated by commas: times, content ...",
                 "session-started.unknown"},
    RecordColumn{"hello", kText, kNullable, kAddress,
                 "The name that the client gave last, in EHLO, HELO or LHLO", "entry.text"},
    RecordColumn{"tls_version", kWord, kNullable, kPlain, "Of TLS on the client's side, if any",
                 "tls.version, session-ended.totals.tls.version"},
    RecordColumn{"tls_cipher", kWord, kNullable, kPlain, "Likewise",
                 "tls.cipher, session-ended.totals.tls.cipher"},
    RecordColumn{"authenticated", kFlag, kAlways, kPlain, "An AUTH was accepted",
                 "session-ended.totals.commands.auth"},
    RecordColumn{"unfinished", kFlag, kAlways, kPlain, "The record ends, the session does not",
                 "session-ended.unfinished"},
    RecordColumn{"ended_cleanly", kFlag, kAlways, kPlain, "QUIT and 221 were seen",
                 "session-ended.totals.ended_cleanly"},
    RecordColumn{"closed_by", kWord, kNullable, kPlain, "Who closed first: client, server or proxy",
                 "closed.side"},
    RecordColumn{"client_octets", kCount, kAlways, kPlain, "What the client sent",
                 "session-ended.totals.octets.client"},
    RecordColumn{"server_octets", kCount, kAlways, kPlain, "What the server sent",
                 "session-ended.totals.octets.server"},
    RecordColumn{"commands", kCount, kAlways, kPlain, "Commands sent",
                 "session-ended.totals.commands"},
    RecordColumn{"rsets", kCount, kAlways, kPlain, "RSET among them",
                 "session-ended.totals.commands.rset"},
    RecordColumn{"refusals", kCount, kAlways, kPlain, "Replies 4yz and 5yz of the server",
                 "entry.refusal"},
    RecordColumn{"transactions", kCount, kAlways, kPlain, "Mail transactions begun",
                 "session-ended.totals.transactions"},
    RecordColumn{"accepted", kCount, kAlways, kPlain, "Of them accepted for every recipient",
                 "session-ended.totals.outcomes"},
    RecordColumn{"partial", kCount, kAlways, kPlain, "Accepted for some recipients",
                 "session-ended.totals.outcomes"},
    RecordColumn{"rejected", kCount, kAlways, kPlain, "Refused by the server",
                 "session-ended.totals.outcomes"},
    RecordColumn{"aborted", kCount, kAlways, kPlain, "Ended before the end of the message",
                 "session-ended.totals.outcomes"},
    RecordColumn{"unsettled", kCount, kAlways, kPlain, "Whose outcome was not seen",
                 "session-ended.totals.outcomes"},
    RecordColumn{"idle_client_ns", kDuration, kAlways, kPlain, "All waits for the client",
                 "session-ended.totals.idle.client_ns"},
    RecordColumn{"idle_server_ns", kDuration, kAlways, kPlain, "All waits for the server",
                 "session-ended.totals.idle.server_ns"},
    RecordColumn{"idle_proxy_ns", kDuration, kAlways, kPlain, "All waits for smtpscope",
                 "session-ended.totals.idle.proxy_ns"},
    RecordColumn{"findings", kCount, kAlways, kPlain, "Findings that stand, folded ones left out",
                 "session-ended.totals.annotations"},
    RecordColumn{"worst", kWord, kNullable, kPlain, "The gravest severity of them",
                 "session-ended.totals.worst"},
    RecordColumn{"holes", kCount, kAlways, kPlain, "Places where octets or events are missing",
                 "gap"},
    RecordColumn{
        "rows_lost", kCount, kAlways, kPlain,
        "Rows of the run dropped before this one was written, because the disk was too slow",
        "the writer"},
    RecordColumn{"verdict", kText, kNullable, kFreeText,
                 "What became of the mail and why, in one sentence", "session-ended.verdict"},
    RecordColumn{"cause", kWord, kNullable, kPlain,
                 "The cause that leads, as smtpscope troubles names it",
                 "session-ended.verdict.cause"},
    RecordColumn{"reason", kWord, kNullable, kPlain,
                 "The server's reason, as smtpscope explain takes it",
                 "session-ended.verdict.reason"},
    RecordColumn{"fault", kWord, kNullable, kPlain, "The side where the cause lies",
                 "session-ended.verdict.side"},
};

constexpr std::array kExchangeColumns = {
    kRun,
    kHost,
    kTap,
    kSession,
    RecordColumn{"time", kTime, kAlways, kPlain,
                 "First octet of what the client sent; of the reply if nothing asked for it",
                 "entry.first_ns"},
    RecordColumn{"exchange", kCount, kAlways, kPlain,
                 "Number within the session, from 1, with gaps", "entry.number"},
    RecordColumn{
        "reply", kCount, kAlways, kPlain,
        "Which reply to it this row has: 1, and with LMTP and PRDR further ones; 0: none came",
        "entry.ordinal"},
    RecordColumn{"transaction", kCount, kNullable, kPlain, "The mail transaction it is part of",
                 "entry.transaction"},
    RecordColumn{
        "kind", kWord, kAlways, kPlain,
        "greeting, command, auth-response, mail-data, blob, or unasked: a line of the server "
        "that answers nothing",
        "entry.kind"},
    RecordColumn{"verb", kWord, kNullable, kPlain, "The command; null for words nobody knows",
                 "entry.verb"},
    RecordColumn{"command", kText, kNullable, kFreeText, "The line as sent, credentials masked",
                 "entry.text"},
    RecordColumn{"mailbox", kText, kNullable, kMailbox, "The path of MAIL or RCPT", "entry.text"},
    RecordColumn{"mailbox_domain", kText, kNullable, kAddress, "Its domain, in lower case",
                 "entry.text"},
    RecordColumn{"octets", kCount, kAlways, kPlain, "What the client sent, content included",
                 "entry.begin, entry.end"},
    RecordColumn{"pause_ns", kDuration, kNullable, kPlain,
                 "How long the client took to begin, no reply being owed to it", "entry.think_ns"},
    RecordColumn{"tls", kFlag, kAlways, kPlain, "It came inside TLS", "entry.tls"},
    RecordColumn{"replied", kTime, kNullable, kPlain, "Last octet of the reply", "entry.last_ns"},
    RecordColumn{"wait_ns", kDuration, kNullable, kPlain, "How long the server took to reply",
                 "entry.think_ns"},
    RecordColumn{"code", kCount, kNullable, kPlain, "Of the reply", "entry.code"},
    RecordColumn{"enhanced", kWord, kNullable, kPlain, "Its enhanced status code (RFC 3463)",
                 "entry.lines"},
    RecordColumn{"reply_text", kText, kNullable, kFreeText,
                 "Its lines without their codes, separated by line feeds", "entry.lines"},
    RecordColumn{"reply_lines", kCount, kAlways, kPlain, "How many lines it has",
                 "entry.line_count"},
    RecordColumn{"reply_octets", kCount, kAlways, kPlain, "And octets", "entry.begin, entry.end"},
    RecordColumn{"by_proxy", kFlag, kAlways, kPlain, "smtpscope said it, no server",
                 "entry.by_proxy"},
    RecordColumn{"refused", kFlag, kAlways, kPlain, "The server refuses with it", "entry.refusal"},
    RecordColumn{"stage", kWord, kNullable, kPlain, "What is refused: CONNECT, EHLO, RCPT, EOD ...",
                 "entry.refusal.stage"},
    RecordColumn{"reason", kWord, kNullable, kPlain, "Why, from a closed list (smtpscope explain)",
                 "entry.refusal.reason"},
    RecordColumn{"temporary", kFlag, kNullable, kPlain, "Trying the same again later may work",
                 "entry.refusal.temporary"},
};

constexpr std::array kTransactionColumns = {
    kRun,
    kHost,
    kTap,
    kSession,
    RecordColumn{"time", kTime, kAlways, kPlain, "First octet of MAIL", "transaction.began_ns"},
    RecordColumn{"transaction", kCount, kAlways, kPlain, "Number within the session, from 1",
                 "transaction.number"},
    RecordColumn{"ended", kTime, kAlways, kPlain, "When it was over", "transaction.ended_ns"},
    RecordColumn{"duration_ns", kDuration, kAlways, kPlain, "From time to ended", "transaction"},
    RecordColumn{
        "outcome", kWord, kAlways, kPlain,
        "accepted, partial, rejected, aborted, unknown, or open: the record ends before it",
        "transaction.outcome"},
    RecordColumn{"aborted_by", kWord, kNullable, kPlain, "What ended it early: RSET, QUIT ...",
                 "transaction.aborted_by"},
    RecordColumn{"sender", kText, kAlways, kMailbox,
                 "The reverse-path; empty for the null path of bounces",
                 "transaction.reverse_path"},
    RecordColumn{"sender_domain", kText, kNullable, kAddress, "Its domain, in lower case",
                 "transaction.reverse_path"},
    RecordColumn{"first_recipient", kText, kNullable, kMailbox,
                 "The first forward-path; all are in exchanges", "transaction.recipients"},
    RecordColumn{"recipient_domain", kText, kNullable, kAddress, "Its domain, in lower case",
                 "transaction.recipients"},
    RecordColumn{"recipients", kCount, kAlways, kPlain, "RCPT commands", "transaction.rcpt_sent"},
    RecordColumn{"recipients_accepted", kCount, kAlways, kPlain, "Of them accepted",
                 "transaction.rcpt_accepted"},
    RecordColumn{"recipients_refused", kCount, kAlways, kPlain, "Of them refused",
                 "transaction.rcpt_refused"},
    RecordColumn{"envelope", kText, kAlways, kDigest,
                 "Digest of sender and recipients, in their order: equal for a retry",
                 "transaction"},
    RecordColumn{"mail_code", kCount, kNullable, kPlain, "Reply to MAIL", "transaction.mail_code"},
    RecordColumn{"data_verb", kWord, kNullable, kPlain, "DATA, BDAT or BURL, once sent",
                 "transaction.message.verb"},
    RecordColumn{"data_ns", kDuration, kNullable, kPlain, "How long the content took",
                 "transaction.message"},
    RecordColumn{"octets", kCount, kNullable, kPlain, "Size of the content (RFC 1870)",
                 "transaction.message.facts.octets"},
    RecordColumn{"lines", kCount, kNullable, kPlain, "Its lines",
                 "transaction.message.facts.lines"},
    RecordColumn{"digest", kText, kNullable, kDigest,
                 "Digest of the first 4096 octets of the content: with octets, it tells the same "
                 "message at another tap, or tried again",
                 "transaction.message.facts.digest"},
    RecordColumn{"message_id", kText, kNullable, kDigest, "Digest of its Message-ID",
                 "transaction.message.facts.header.message_id"},
    RecordColumn{"final_code", kCount, kNullable, kPlain, "Reply to the end of the content",
                 "transaction.message.final_code"},
    RecordColumn{"final_text", kText, kNullable, kFreeText, "Its last line: mostly the queue id",
                 "transaction.message.final_text"},
    RecordColumn{"refusal_code", kCount, kNullable, kPlain, "First reply in it that refuses",
                 "entry.code"},
    RecordColumn{"refusal_text", kText, kNullable, kFreeText, "Last line of that reply",
                 "entry.lines"},
    RecordColumn{"reason", kWord, kNullable, kPlain, "Why, from a closed list (smtpscope explain)",
                 "entry.refusal.reason"},
    RecordColumn{"temporary", kFlag, kNullable, kPlain, "All refusals in it were 4yz",
                 "entry.code"},
};

constexpr std::array kFindingColumns = {
    kRun,
    kHost,
    kTap,
    kSession,
    RecordColumn{"time", kTime, kAlways, kPlain, "Of what it is about", "annotation.about_ns"},
    RecordColumn{"finding", kCount, kAlways, kPlain, "Number within the session, from 1",
                 "annotation.number"},
    RecordColumn{"rule", kWord, kAlways, kPlain, "The rule (smtpscope explain)", "annotation.rule"},
    RecordColumn{"variant", kWord, kNullable, kPlain,
                 "Kind of the rule's finding, if it has several", "annotation.variant"},
    RecordColumn{"category", kWord, kAlways, kPlain, "Of the rule", "annotation.rule"},
    RecordColumn{"severity", kWord, kAlways, kPlain, "info, notice, warning or error",
                 "annotation.severity"},
    RecordColumn{"fault", kWord, kAlways, kPlain, "client, server, network, proxy or unknown",
                 "annotation.fault"},
    RecordColumn{"certainty", kWord, kAlways, kPlain, "seen, likely or possible",
                 "annotation.certainty"},
    RecordColumn{"transaction", kCount, kNullable, kPlain, "The mail transaction it is about",
                 "annotation.transaction"},
    RecordColumn{"exchange", kCount, kNullable, kPlain,
                 "The entry that proves it first: of a command, its exchange; of a reply, none",
                 "annotation.entries"},
    RecordColumn{"text", kText, kNullable, kFreeText, "One sentence with the evidence",
                 "annotation.text"},
    RecordColumn{"folded_under", kWord, kNullable, kPlain,
                 "The finding that says it already: such rows do not count",
                 "annotation.folded_under"},
};

constexpr std::array<std::string_view, 2> kSessionKey = {"run", "session"};
constexpr std::array<std::string_view, 4> kExchangeKey = {"run", "session", "exchange", "reply"};
constexpr std::array<std::string_view, 3> kTransactionKey = {"run", "session", "transaction"};
constexpr std::array<std::string_view, 3> kFindingKey = {"run", "session", "finding"};

constexpr std::array<RecordTableWords, kRecordTables> kTables = {{
    {"sessions", "A row for each session, written when it ends.", kSessionKey},
    {"exchanges", "A row for each command, or what else the client sent, with a reply to it.",
     kExchangeKey},
    {"transactions",
     "A row for each mail transaction (RFC 5321 3.3): MAIL, its RCPTs, the message.",
     kTransactionKey},
    {"findings", "A row for each finding of a rule.", kFindingKey},
}};

}  // namespace record_columns

std::span<const RecordColumn> columns_of(RecordTable table) {
  switch (table) {
    case RecordTable::kSessions:
      return record_columns::kSessionColumns;
    case RecordTable::kExchanges:
      return record_columns::kExchangeColumns;
    case RecordTable::kTransactions:
      return record_columns::kTransactionColumns;
    case RecordTable::kFindings:
      break;
  }
  return record_columns::kFindingColumns;
}

const RecordTableWords& words_of(RecordTable table) {
  return record_columns::kTables[static_cast<std::size_t>(table)];
}

std::optional<RecordTable> record_table(std::string_view name) {
  for (std::size_t i = 0; i < kRecordTables; ++i) {
    if (record_columns::kTables[i].name == name) return static_cast<RecordTable>(i);
  }
  return std::nullopt;
}

}  // namespace smtpscope
