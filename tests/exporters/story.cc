#include "tests/exporters/story.h"

#include <array>
#include <chrono>

#include "parser/verb.h"

namespace smtpscope {

using namespace std::chrono_literals;

namespace {

constexpr Rule rule(std::string_view id, Severity severity, Fault fault) {
  return {.id = id,
          .category = Category::kTransaction,
          .severity = severity,
          .fault = fault,
          .triggers = 0,
          .evaluate = nullptr};
}

constexpr Rule kAborted = rule("txn-aborted-rset", Severity::kNotice, Fault::kClient);
constexpr Rule kRepeated = rule("rset-repeated", Severity::kNotice, Fault::kClient);
constexpr Rule kNoop = rule("rset-noop", Severity::kInfo, Fault::kClient);
constexpr Rule kClientGap = rule("gap-client", Severity::kInfo, Fault::kClient);
constexpr Rule kReplayed = rule("txn-replayed-after-rset", Severity::kWarning, Fault::kUnknown);
constexpr Rule kLost = rule("lost-after-eod", Severity::kError, Fault::kNetwork);

MessageFacts facts(std::uint64_t octets, std::uint64_t lines) {
  MessageFacts facts;
  facts.octets = octets;
  facts.lines = lines;
  facts.longest_line = 25;
  return facts;
}

ReplyLine reply_line(std::uint16_t code, std::string_view text) {
  ReplyLine line;
  line.code = code;
  line.text = text;
  return line;
}

}  // namespace

Story& Story::at(Duration since_start) {
  now_ = Time{since_start};
  return *this;
}

Story& Story::in(TxnMark mark, std::uint64_t transaction) {
  mark_ = mark;
  transaction_ = transaction;
  return *this;
}

void Story::event(decltype(TimelineEvent::body) body) {
  sink_.on_timeline({session_, now_, std::move(body)});
}

void Story::started(std::string_view client, std::string_view upstream, bool mid_session) {
  last_ = now_;
  event(TimelineSessionStarted{client, "127.0.0.1:2525", upstream, mid_session});
}

void Story::connected(std::string_view server, Duration took, std::uint32_t failed_attempts) {
  last_ = now_;
  event(TimelineConnected{server, took, failed_attempts});
}

void Story::emit_entry(const Item& item) {
  const std::array<ReadPiece, 1> reads = {{{now_, item.end - item.begin}}};
  Entry entry = next_;
  next_ = Entry{};
  entry.number = ++entries_;
  entry.item = &item;
  entry.first = entry.last = now_;
  entry.since_previous = now_ - last_;
  entry.transaction = transaction_;
  entry.mark = mark_;
  entry.reads = reads;
  if (entry.read_count == 0) entry.read_count = 1;
  last_ = now_;
  event(entry);
}

void Story::item(Side side, const ItemBody& body, std::uint64_t octets,
                 std::uint64_t secret_octets) {
  std::uint64_t& offset = offsets_[index(side)];
  Item item;
  item.side = side;
  item.begin = offset;
  item.end = offset += octets;
  item.secret_end = item.end;
  item.secret_begin = item.end - secret_octets;
  item.body = body;
  emit_entry(item);
}

void Story::command(std::string_view line) {
  Command command;
  command.text = line;
  command.word = line.substr(0, line.find(' '));
  command.verb = verb_of(command.word);
  item(Side::kClient, command, line.size() + 2);
}

void Story::reply(std::vector<std::string_view> lines, Answers answers) {
  std::vector<ReplyLine> parts;
  std::uint64_t octets = 0;
  for (const std::string_view line : lines) {
    const auto code =
        static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    parts.push_back(reply_line(code, line.size() > 4 ? line.substr(4) : std::string_view{}));
    octets += line.size() + 2;
  }
  Reply reply;
  reply.code = parts.back().code;
  reply.lines = parts;
  reply.line_count = parts.size();
  reply.answers = answers;
  item(Side::kServer, reply, octets);
}

void Story::mail_data(const MessageFacts& message) {
  MailData data;
  data.facts = message;
  item(Side::kClient, data, message.octets + 3);
}

void Story::silence(Duration length, Party silent, std::string_view owed,
                    std::optional<std::uint64_t> message_octets) {
  Silence told;
  told.from = now_ - length;
  told.to = now_;
  told.silent = silent;
  told.owed = owed;
  told.message_octets = message_octets;
  told.transaction = transaction_;
  event(told);
}

void Story::annotation(const Rule& fired, std::string_view text, std::vector<std::uint64_t> entries,
                       std::string_view folded_under, std::string_view variant) {
  Annotation annotation;
  annotation.number = ++annotations_;
  annotation.rule = &fired;
  annotation.variant = variant;
  annotation.severity = fired.severity;
  annotation.fault = fired.fault;
  annotation.time = now_;
  annotation.text = text;
  annotation.entries = std::move(entries);
  annotation.folded_under = folded_under;
  annotation.attributes = {{"entries", std::to_string(annotation.entries.size())}};
  event(annotation);
}

void Story::ended(const SessionTotals& totals, const std::vector<VerdictLine>& verdict,
                  const std::vector<NotEvaluated>& not_evaluated) {
  event(TimelineSessionEnded{&totals, verdict, not_evaluated});
}

RunInfo story_run() {
  RunInfo run;
  run.started = WallTime{1'795'435'200s + 123'456'789ns};
  run.writer = "smtpscope 0.0.0";
  run.tap = "before the relay";
  run.source = "story.smtpcap";
  run.message_kept = "full";
  return run;
}

void tell_origin(Story& story, Duration start) {
  story.at(start).started("192.0.2.10:50114", "mx.example:25");
  story.at(start + 3ms).connected("198.51.100.7:25", 2'850us);
  story.at(start + 4ms).reply({"220 mx.example ESMTP Postfix"}, Answers::kGreeting);
  story.at(start + 5ms).command("EHLO ws1");
  story.next_entry().answers = 2;
  story.at(start + 6ms)
      .reply({"250-mx.example", "250-PIPELINING", "250-SIZE 10240000", "250-8BITMIME",
              "250 CHUNKING"});
  story.at(start + 7ms).in(TxnMark::kBegins, 1).command("MAIL FROM:<alice@example.com>");
  story.at(start + 9ms).in(TxnMark::kInside, 1).reply({"250 2.1.0 Ok"});
  story.at(start + 10ms).command("RCPT TO:<bob@example.net>");
  story.at(start + 31ms).reply({"250 2.1.5 Ok"});
  story.at(start + 31'850us).command("RSET");
  story.at(start + 33ms).in(TxnMark::kEndsBadly, 1).reply({"250 2.0.0 Ok"});
  story.annotation(kAborted,
                   "1 recipient dropped with RSET 25 ms after MAIL; the server had accepted it, no "
                   "message was sent",
                   {4, 8, 9});
  Transaction first;
  first.number = 1;
  first.first_entry = 4;
  first.last_entry = 9;
  first.began = Time{start + 7ms};
  first.ended = Time{start + 33ms};
  first.reverse_path = "alice@example.com";
  first.mail_code = 250;
  first.recipients = {{"bob@example.net", 250, 0, 6}};
  first.rcpt_sent = first.rcpt_accepted = 1;
  first.outcome = Outcome::kAborted;
  first.aborted_by = AbortedBy::kRset;
  story.event(TransactionEnded{&first});

  story.in(TxnMark::kOutside).at(start + 1033ms);
  story.silence(1s, Party::kClient, kOwedCommand);
  story.annotation(kClientGap, "1.000 s of silence, the client side owed a command", {9});
  story.command("RSET");
  story.at(start + 1034ms).reply({"250 2.0.0 Ok"});
  story.annotation(kNoop, "RSET had nothing to reset", {10, 11}, "rset-repeated", "between");
  story.annotation(kRepeated, "RSET sent 2 times in a row, 1.001 s apart: no effect", {8, 10});

  story.at(start + 11'034ms).silence(10s, Party::kClient, kOwedCommand);
  story.in(TxnMark::kBegins, 2).command("MAIL FROM:<alice@example.com>");
  story.at(start + 11'036ms).in(TxnMark::kInside, 2).reply({"250 2.1.0 Ok"});
  story.at(start + 11'037ms).command("RCPT TO:<bob@example.net>");
  story.at(start + 11'039ms).reply({"250 2.1.5 Ok"});
  story.annotation(kReplayed,
                   "transaction 1 again, 11.027 s later: with 2 RSET in between something on the "
                   "client side announced this mail, withdrew it, and announced it again",
                   {4, 8, 10, 12});
  story.event(AnnotationFolded{1, "txn-replayed-after-rset"});
  story.at(start + 11'040ms).command("DATA");
  story.at(start + 11'041ms).reply({"354 End data with <CR><LF>.<CR><LF>"});
  story.next_entry().read_count = 3;
  story.at(start + 11'042ms).mail_data(facts(213, 9));
  story.at(start + 11'054ms)
      .in(TxnMark::kEndsWell, 2)
      .reply({"250 2.0.0 Ok: queued as 4F1A2B3C"}, Answers::kEndOfData);
  Transaction second = first;
  second.number = 2;
  second.first_entry = 12;
  second.last_entry = 19;
  second.began = Time{start + 11'034ms};
  second.ended = Time{start + 11'054ms};
  second.outcome = Outcome::kAccepted;
  second.aborted_by = AbortedBy::kNothing;
  second.recipients[0].final_code = 250;
  second.data_verb = Verb::kData;
  second.data_code = 354;
  second.data_sent = true;
  second.data_began = Time{start + 11'041ms};
  second.data_ended = Time{start + 11'042ms};
  second.facts = facts(213, 9);
  second.wire_octets = 213;
  second.final_code = 250;
  second.final_text = "2.0.0 Ok: queued as 4F1A2B3C";
  story.event(TransactionEnded{&second});
  story.in(TxnMark::kOutside).command("QUIT");
  story.at(start + 11'055ms).reply({"221 2.0.0 Bye"});
  Closed closed;
  closed.from = Side::kServer;
  story.event(TimelineClosed{closed, 100us});
  closed.from = Side::kClient;
  story.event(TimelineClosed{closed, 300us});

  SessionTotals totals;
  totals.began = Time{start};
  totals.ended = Time{start + 11'056ms};
  totals.octets[0] = 381;
  totals.octets[1] = 274;
  totals.commands = {{"data", {1, 1}}, {"ehlo", {1, 1}}, {"mail", {2, 2}},
                     {"quit", {1, 1}}, {"rcpt", {2, 2}}, {"rset", {2, 2}}};
  totals.transactions = 2;
  totals.outcomes[static_cast<std::size_t>(Outcome::kAccepted)] = 1;
  totals.outcomes[static_cast<std::size_t>(Outcome::kAborted)] = 1;
  totals.idle_client = 11'008ms;
  totals.idle_server = 47ms;
  totals.idle_proxy = 850us;
  totals.annotations = 4;
  totals.worst = Severity::kWarning;
  totals.ended_cleanly = true;
  using enum VerdictKind;
  story.ended(
      totals,
      {{kLead,
        "2 messages: 1 delivered, 1 never sent; possible, not proven: a program between the "
        "application and the wire took the message itself",
        "speaks-for-the-client",
        {},
        Fault::kClient,
        Certainty::kPossible},
       {kMessage, "message 1 never sent: the client side dropped it with RSET"},
       {kMessage, "message 2 delivered: the server took it for 1 recipient (213 octets)"},
       {kProof, "seen above: txn-replayed-after-rset"},
       {kAlternative, "or: the client gave the message up", "left-after-ehlo", "greylisted",
        Fault::kServer, Certainty::kLikely},
       {kCheck, "check next: 1) read the application's own log: does it show RSET?"},
       {kCheck, "2) during the pause, see which process owns the connection"},
       {kRuledOut, "not the cause: refused recipients (none was refused)"},
       {kFinding, "warning (likely): something else [gap-client]"},
       {kNoFault, "server side: no fault found"}},
      {{find_rule("gap-client"), "the test says so"}});
}

void tell_unreachable(Story& story, Duration start) {
  story.at(start).started("[2001:db8::10]:4000", "mx.example:25");
  story.at(start + 5s).silence(5s, Party::kProxy, kOwedConnection);
  story.event(TimelineConnectFailed{"mx.example:25: connection refused (2 addresses tried)"});
  story.next_entry().by_proxy = true;
  story.reply({"421 4.4.1 smtpscope cannot reach mx.example:25"}, Answers::kGreeting);
  Closed closed;
  closed.by_proxy = true;
  closed.reason = "the server cannot be reached";
  story.event(TimelineClosed{closed, {}});
  SessionTotals totals;
  totals.began = Time{start};
  totals.ended = Time{start + 5s};
  totals.idle_proxy = 5s;
  story.ended(totals, {});
}

namespace {

/// TLS that smtpscope itself speaks: agreed on with the server, refused by the client.
void tell_tls(Story& story) {
  auto with_server = std::make_shared<TlsFacts>();
  with_server->completed = true;
  with_server->waited = 3ms;
  with_server->server_name = "mx.example";
  with_server->versions_offered = {"TLS 1.3", "TLS 1.2"};
  with_server->ciphers_offered = 31;
  with_server->alpn_offered = {"smtp"};
  with_server->version = "TLS 1.3";
  with_server->cipher = "TLS_AES_256_GCM_SHA384";
  with_server->alpn = "smtp";
  with_server->resumed = true;
  with_server->certificates = {{"CN=mx.example",
                                "CN=A CA\x1b[31m",
                                {"mx.example", "192.0.2.25"},
                                "2026-11-01T00:00:00Z",
                                "2027-02-01T00:00:00Z",
                                "EC P-256",
                                std::string(64, 'a')}};
  with_server->verification = "ok";
  with_server->client_certificate_asked = true;
  with_server->client_certificate = with_server->certificates.front();
  with_server->differences = {"version differs: TLS 1.3 here, TLS 1.2 with the server"};
  story.event(TimelineTls{{Side::kServer, 12ms, with_server}, 1ms});
  auto with_client = std::make_shared<TlsFacts>();
  with_client->failure = "alert 48 (unknown CA): it does not know the CA";
  with_client->failed_by = Side::kClient;
  with_client->alert = 48;
  story.event(TimelineTls{{Side::kClient, 15ms, with_client}, 2ms});
  story.event(TimelineTlsAlert{{Side::kServer, true, 1, 100}});
  story.event(TimelineAside{Side::kClient, "EHLO [192.0.2.1]\r\n", 1ms});
  story.event(TimelineAside{Side::kServer, "250-mx\x1b[2J\r\n250 STARTTLS\r\n", 1ms});
  story.event(TimelineRewritten{Side::kServer, "250 mx\r\n", {}});
  story.event(TimelineRemark{{RemarkKind::kTimeout, Side::kClient, 30s, "Timeout (30 secs)"}, 3ms});
  story.event(TimelineRemark{{RemarkKind::kException, {}, {}, "Error: \x1b[2J"}, 1ms});
}

}  // namespace

void tell_oddities(Story& story, Duration start) {
  story.at(start).started("192.0.2.10:50115", "mx.example:25", true);
  story.at(start + 2s).connected("198.51.100.8:25", 2s, 2);

  ProxyHeader proxy_header;
  proxy_header.text = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 25";
  story.item(Side::kClient, proxy_header, 44);
  proxy_header = {2, true, {}};
  story.item(Side::kClient, proxy_header, 28);

  story.reply({"220-mx \x1B]0;owned\x07 \xC2\x9B"
               "31m \xE2\x80\xAE"
               "drawkcab \xFF",
               "220 caf\xC3\xA9 \xE6\xBC\xA2\xE5\xAD\x97"},
              Answers::kGreeting);
  story.at(start + 2100ms).command("EHLO C:\\mail");
  story.reply({"250"});

  Command auth;
  auth.verb = Verb::kAuth;
  auth.word = "AUTH";
  auth.text = "AUTH PLAIN ";
  story.item(Side::kClient, auth, 37, 24);
  story.reply({"334 VXNlcm5hbWU6"});
  AuthResponse response;
  response.octets = 16;
  story.item(Side::kClient, response, 18, 16);
  response.cancelled = true;
  story.item(Side::kClient, response, 3);
  story.reply(
      {"535 5.7.8 Error: authentication failed: a text that is so long that it does not "
       "fit any terminal of the usual width, as texts with a link in them are: "
       "https://support.example.com/mail/?p=BadCredentials"});

  Command odd;
  odd.text = "";
  odd.ending = LineEnding::kLf;
  odd.flags = kEarly;
  story.item(Side::kClient, odd, 1);
  odd.text = "XYZZY";
  odd.ending = LineEnding::kNone;
  odd.flags = kCutForDisplay | kAfterGap | kHasNul | kHasEightBit | kHasBareCr | kHasControl;
  story.item(Side::kClient, odd, 20'000);
  GarbageLine garbage;
  garbage.text = "<html>";
  story.item(Side::kServer, garbage, 8);
  story.reply({"250 nobody asked"}, Answers::kOrphan);
  story.next_entry().think = 4ms;
  story.next_entry().unsolicited = true;
  story.reply({"421 not now"});

  story.at(start + 2200ms).in(TxnMark::kBegins, 1).command("MAIL FROM:<> SMTPUTF8");
  story.in(TxnMark::kInside, 1).reply({"250 ok"});
  story.command("DATA");
  story.reply({"354 go"});
  MessageFacts strange = facts(70'000, 3);
  strange.longest_line = 65'000;
  strange.bare_cr = 1;
  strange.bare_lf = 2;
  strange.nul = 3;
  strange.eight_bit = 40;
  strange.unstuffed_dots = 1;
  strange.cr_cr_lf = 1;
  strange.long_lines = 1;
  strange.first_long_line = 2;
  strange.first_bare_cr_end = 71;
  strange.first_bare_lf_end = 12;
  strange.first_cr_cr_lf_end = 73;
  strange.first_nul_end = 80;
  strange.first_unstuffed_dot_end = 90;
  strange.digest = 0x0123456789abcdef;
  strange.header = {40, 0xfedcba987654321, 2, true};
  strange.candidates[static_cast<std::size_t>(EodCandidate::kLfDotCrLf)] = 2;
  strange.first_candidate = EodCandidate::kLfDotCrLf;
  strange.first_candidate_end = 100;
  MailData data;
  data.facts = strange;
  data.end = DataEnd::kCandidate;
  data.early_octets = 10;
  data.missing_octets = 5;
  data.assumed = true;
  data.answered_early = true;
  story.item(Side::kClient, data, 70'003);
  story.silence(30s, Party::kServer, kOwedEndOfData, 70'003);
  story.next_entry().undelivered = true;
  story.in(TxnMark::kEndsBadly, 1).reply({"451 4.3.0 \xE2\x80\x8Btry later"}, Answers::kEndOfData);
  story.annotation(kLost,
                   "the message was sent, and its reply \"451 \\x1B\" never reached the "
                   "client side",
                   {17});
  Transaction refused;
  refused.number = 1;
  refused.rcpt_sent = 2;
  refused.rcpt_accepted = 1;
  refused.rcpt_refused = 1;
  refused.recipients = {{"a@example.net", 250, 451, 18}, {"b\xFF@example.net", 550, 0, 19}};
  refused.data_verb = Verb::kData;
  refused.data_sent = true;
  refused.facts = strange;
  refused.final_code = 451;
  refused.final_text = "4.3.0 \xE2\x80\x8Btry later";
  refused.outcome = Outcome::kRejected;
  story.in(TxnMark::kOutside).event(TransactionEnded{&refused});
  refused.number = 2;
  refused.outcome = Outcome::kPartial;
  story.event(TransactionEnded{&refused});
  refused.number = 3;
  refused.outcome = Outcome::kUnknown;
  story.event(TransactionEnded{&refused});

  Chunk chunk;
  chunk.declared = 4096;
  chunk.complete = false;
  chunk.last = true;
  story.item(Side::kClient, chunk, 1000);
  Blob blob;
  blob.declared = 240;
  story.next_entry().tls = true;
  story.item(Side::kClient, blob, 240);

  TlsRecord record;
  record.type = 22;
  record.version = 0x0301;
  record.length = 512;
  record.handshake_type = 1;
  story.item(Side::kClient, record, 517);
  record.type = 21;
  record.length = 2;
  record.handshake_type = 0;
  record.alert_level = 2;
  record.alert_description = 48;
  story.item(Side::kServer, record, 7);
  Junk junk;
  junk.reason = JunkReason::kNotTls;
  junk.text = "\x16\x03 what";
  story.item(Side::kServer, junk, 90);

  Gap gap;
  gap.from = Side::kClient;
  gap.octets = 1234;
  gap.events = 3;
  gap.why = "the disk was full";
  story.event(TimelineGap{gap});
  story.event(TimelineStalled{Time{start + 3s}, Time{start + 7s}});
  tell_tls(story);
  story.event(TimelineBlocked{Side::kServer, Time{start + 3s}, Time{start + 5s}, 65'536});
  story.event(TimelineTcp{{Side::kServer, {.segment = 1448, .unheard = 5s}}});
  story.event(TimelineTcp{
      {Side::kClient,
       {.unconfirmed = 3000, .sent_again = 4, .segment = 1448, .out_of_order = 1, .unheard = 5s}}});
  story.silence(2s, Party::kUnknown, "");
  story.at(start + 40s)
      .reply({"421 4.4.2 mx.example Error: timeout exceeded"}, Answers::kUnsolicited);
  Closed closed;
  closed.kind = CloseKind::kReset;
  story.event(TimelineClosed{closed, 5ms});
  closed.from = Side::kServer;
  closed.kind = CloseKind::kTimeout;
  story.event(TimelineClosed{closed, 5ms});
  closed.kind = CloseKind::kError;
  closed.reason = "no route to host";
  story.event(TimelineClosed{closed, 5ms});
}

}  // namespace smtpscope
