#include "redact/session_redactor.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/ascii.h"
#include "base/octets.h"
#include "redact/opaque_octets.h"

namespace smtpscope {
namespace {

/// The line is to be read, not to be masked and bounded once more.
SanitizerPolicy as_it_is() { return {.keep_credentials = true}; }

constexpr Side kSides[] = {Side::kClient, Side::kServer};

/// Takes lines off `octets`: the text, and what ended it.
struct LineParts {
  std::string_view text;
  std::string_view ending;
};
LineParts next_line(std::string_view& octets) {
  const std::size_t lf = octets.find('\n');
  const std::string_view line = octets.substr(0, lf == std::string_view::npos ? lf : lf + 1);
  octets.remove_prefix(line.size());
  std::size_t end = line.size();
  if (line.ends_with('\n')) {
    --end;
    while (end > 0 && line[end - 1] == '\r') --end;
  }
  return {line.substr(0, end), line.substr(end)};
}

/// Of a response nothing is shown but what says that there is none (RFC 4954 4).
std::string masked_response(std::string_view octets) {
  std::string result(octets);
  for (char& c : result) {
    if (c != '*' && c != '=' && c != '\r' && c != '\n') c = '#';
  }
  return result;
}

/// The octets, which begin at stream offset `at`, with '#' in the ranges.
std::string overwritten(std::span<const StreamRange> ranges, std::string_view octets,
                        std::uint64_t at) {
  std::string result(octets);
  for (const StreamRange& range : ranges) {
    const std::uint64_t begin = std::max(range.begin, at);
    const std::uint64_t end = std::min<std::uint64_t>(range.end, at + octets.size());
    for (std::uint64_t i = begin; i < end; ++i) result[static_cast<std::size_t>(i - at)] = '#';
  }
  return result;
}

bool begins_a_message(Verb verb) {
  return verb == Verb::kMail || verb == Verb::kRset || verb == Verb::kEhlo || verb == Verb::kHelo ||
         verb == Verb::kLhlo;
}

}  // namespace

SessionRedactor::SessionRedactor(Pseudonyms& names, BodyPolicy policy, WireSink& out,
                                 bool mid_session)
    : names_(names),
      policy_(policy),
      out_(out),
      sanitizer_(as_it_is(), nullptr, this, mid_session) {}

void SessionRedactor::feed(const WireEvent& event) {
  wait(event);
  sanitizer_.feed(event);
  if (std::holds_alternative<SessionEnded>(event.body)) decide_everything();
  release(false);
  if (held_ > kMaxHeld) {
    decide_everything();
    release(false);
  }
}

void SessionRedactor::pass_gap_of_run(const WireEvent& gap) {
  sanitizer_.feed(gap);
  decide_everything();
  release(true);
}

void SessionRedactor::finish() {
  decide_everything();
  release(true);
}

void SessionRedactor::wait(const WireEvent& event) {
  Waiting waiting{EventCopy(event), 0, 0};
  const auto* bytes = std::get_if<Bytes>(&event.body);
  if (bytes != nullptr && !bytes->aside) {
    waiting.at = stream(bytes->from).received();
    const Conversation& conversation = sanitizer_.conversation();
    const bool goes_on = bytes->from == conversation.commanding_side() && conversation.scanner();
    waiting.content_from = goes_on ? waiting.at : ~std::uint64_t{0};
    append(*bytes);
  } else if (const auto* gap = std::get_if<Gap>(&event.body)) {
    if (gap->from) {
      // The octets before it are whole now, so that their items end here.
      stream(*gap->from).skip(gap->octets);
    }
  }
  held_ += waiting.event.size();
  waiting_.push_back(std::move(waiting));
}

void SessionRedactor::append(const Bytes& bytes) {
  SideStream& into = stream(bytes.from);
  into.append(text_of(bytes.head));
  if (!bytes.left_out) return;
  into.skip(bytes.left_out->octets);
  into.append(text_of(bytes.tail));
  for (const FurtherPart& part : bytes.further) {
    into.skip(part.left_out.octets);
    into.append(text_of(part.octets));
  }
}

void SessionRedactor::on_item(const Item& item, const Conversation& conversation) {
  SideStream& of = stream(item.side);
  const std::span<const StreamRange> secrets = conversation.overwritten();
  while (true) {
    const std::string_view octets = of.undecided(item.end);
    if (octets.empty()) break;
    Rewriting out;
    if (secrets.empty()) {
      rewrite_item(item, octets, of.decided(), out);
    } else {
      rewrite_item(item, overwritten(secrets, octets, of.decided()), of.decided(), out);
    }
    of.decide(out);
  }
  end_message(item);
  // Behind a BDAT command a chunk begins at once; behind a reply to DATA, mail data that has come.
  if (conversation.scanner() != nullptr) {
    const Side side = conversation.commanding_side();
    const std::uint64_t content_begin = conversation.itemised(side);
    if (!waiting_.empty()) {
      Waiting& last = waiting_.back();
      const auto* bytes = std::get_if<Bytes>(&last.event.event().body);
      const bool before_hole = bytes && content_begin <= last.at + bytes->head.size();
      if (before_hole && bytes->from == side) last.content_from = std::max(content_begin, last.at);
    }
  }
}

void SessionRedactor::on_event_done(const WireEvent&, const Conversation&) {
  decide_content(false);
}

/// What is surely content, or a blob, needs no item: that may be far away.
void SessionRedactor::decide_content(bool all) {
  const Conversation& conversation = sanitizer_.conversation();
  const Side side = conversation.commanding_side();
  using Phase = Conversation::Phase;
  const Phase phase = conversation.phase();
  if (phase == Phase::kBlob) {
    SideStream& of = stream(side);
    while (true) {
      const std::string_view octets = of.undecided(of.received());
      if (octets.empty()) return;
      Rewriting out;
      out.keep(std::string(octets.size(), '\0'));
      of.decide(out);
    }
  }
  if (phase != Phase::kMailData && phase != Phase::kChunk) return;
  // What stands behind a possible end may turn out to be commands.
  if (!conversation.may_leave_out() && !all) return;
  SideStream& of = stream(side);
  while (true) {
    const std::string_view octets = of.undecided(of.received());
    if (octets.empty()) return;
    Rewriting out;
    // What is not here behind these octets ends the line, as far as can be known.
    const bool ends = all || of.decided() + octets.size() < of.received();
    if (content(phase == Phase::kChunk).take(octets, ends, out) == 0) return;
    of.decide(out);
  }
}

/// Without knowing more: the session has ended, or too much waits.
void SessionRedactor::decide_everything() {
  decide_content(true);
  for (const Side side : kSides) {
    SideStream& of = stream(side);
    while (true) {
      const std::string_view octets = of.undecided(of.received());
      if (octets.empty()) break;
      Rewriting out;
      rewrite_unknown(side, octets, out);
      of.decide(out);
    }
  }
}

void SessionRedactor::rewrite_unknown(Side side, std::string_view octets, Rewriting& out) {
  const Conversation& conversation = sanitizer_.conversation();
  using Phase = Conversation::Phase;
  if (conversation.phase() == Phase::kTls) {
    out.keep(std::string(octets.size(), '\0'));
    return;
  }
  const bool commands = side == conversation.commanding_side();
  const bool secret = commands && (!conversation.undecided(side).empty() ||
                                   conversation.phase() == Phase::kAuthResponse);
  while (!octets.empty()) {
    const LineParts line = next_line(octets);
    if (secret) {
      out.keep(masked_response(line.text));
    } else if (commands) {
      commands_.rewrite(line.text, out);
    } else {
      replies_.rewrite(line.text, ReplyRedactor::Place::kAnywhere, out);
    }
    out.keep(line.ending);
  }
}

void SessionRedactor::rewrite_item(const Item& item, std::string_view octets, std::uint64_t at,
                                   Rewriting& out) {
  if (std::holds_alternative<Chunk>(item.body)) {
    content(true).take(octets, true, out);
  } else if (std::holds_alternative<MailData>(item.body)) {
    content(false).take(octets, true, out);
  } else if (const auto* record = std::get_if<TlsRecord>(&item.body)) {
    out.keep(redact_tls_record(*record, at - std::min(at, item.begin), octets));
  } else if (std::holds_alternative<Blob>(item.body)) {
    out.keep(std::string(octets.size(), '\0'));
  } else if (const auto* response = std::get_if<AuthResponse>(&item.body)) {
    out.keep(response->quit ? std::string(octets) : masked_response(octets));
  } else if (std::holds_alternative<Reply>(item.body)) {
    rewrite_reply(item, octets, at, out);
  } else if (const auto* header = std::get_if<ProxyHeader>(&item.body);
             header != nullptr && header->version == 2) {
    out.keep(redact_proxy_header(names_, octets));
  } else {
    rewrite_lines(item, octets, at, out);
  }
}

/// Commands, lines that are none, and what could not be read.
void SessionRedactor::rewrite_lines(const Item& item, std::string_view octets, std::uint64_t at,
                                    Rewriting& out) {
  const auto* junk = std::get_if<Junk>(&item.body);
  if (junk != nullptr && junk->reason == JunkReason::kNotTls) {
    const bool text = std::ranges::all_of(octets, [](char c) {
      return (c >= ' ' && c != '\x7f') || c == '\r' || c == '\n' || c == '\t';
    });
    if (!text) {
      // What may be text in another coding goes; what may begin a record, or a line, stays.
      std::string zeros(octets);
      for (char& c : zeros) {
        if (is_alphanumeric(c) || static_cast<unsigned char>(c) >= 0x80) c = '\0';
      }
      out.keep(zeros);
      return;
    }
  }
  const bool commands = item.side == sanitizer_.conversation().commanding_side() ||
                        std::holds_alternative<Command>(item.body);
  while (!octets.empty()) {
    const LineParts line = next_line(octets);
    const auto within = [&](std::uint64_t offset) {
      const std::uint64_t most = line.text.size();
      return static_cast<std::size_t>(std::min(offset - std::min(offset, at), most));
    };
    const bool secret =
        item.secret_begin < item.secret_end && item.secret_begin < at + line.text.size();
    if (std::holds_alternative<ProxyHeader>(item.body)) {
      commands_.rewrite_proxy_line(line.text, out);
    } else if (secret) {
      commands_.rewrite(line.text, within(item.secret_begin), within(item.secret_end), out);
    } else if (commands) {
      commands_.rewrite(line.text, out);
    } else {
      replies_.rewrite(line.text, ReplyRedactor::Place::kAnywhere, out);
    }
    out.keep(line.ending);
    at += line.text.size() + line.ending.size();
  }
}

void SessionRedactor::rewrite_reply(const Item& item, std::string_view octets, std::uint64_t at,
                                    Rewriting& out) {
  const Reply& reply = std::get<Reply>(item.body);
  bool first = at == item.begin;
  while (!octets.empty()) {
    const LineParts line = next_line(octets);
    replies_.rewrite(line.text, ReplyRedactor::place_of(reply, first), out);
    out.keep(line.ending);
    first = false;
  }
}

ContentRedactor& SessionRedactor::content(bool counted) {
  if (!content_) content_.emplace(names_, policy_, counted);
  return *content_;
}

void SessionRedactor::end_message(const Item& item) {
  const auto* chunk = std::get_if<Chunk>(&item.body);
  const auto* command = std::get_if<Command>(&item.body);
  const bool ends = std::holds_alternative<MailData>(item.body) || (chunk && chunk->last) ||
                    (command && begins_a_message(command->verb));
  if (ends) content_.reset();
}

void SessionRedactor::release([[maybe_unused]] bool all) {
  while (!waiting_.empty()) {
    const Waiting& first = waiting_.front();
    const auto* bytes = std::get_if<Bytes>(&first.event.event().body);
    if (bytes != nullptr && !bytes->aside) {
      const std::uint64_t end = first.at + bytes->octets();
      if (stream(bytes->from).decided() < end) {
        assert(!all);
        return;
      }
    }
    emit(first);
    held_ -= first.event.size();
    waiting_.pop_front();
  }
}

void SessionRedactor::emit(const Waiting& waiting) {
  const WireEvent& event = waiting.event.event();
  WireEvent changed = event;
  // What the views of `changed` point to.
  std::string texts[5];
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    if (bytes->aside) {
      emit_aside(waiting, *bytes);
    } else {
      emit_bytes(waiting, *bytes);
    }
    return;
  }
  if (auto* opened = std::get_if<SessionOpened>(&changed.body)) {
    texts[0] = names_.endpoint(opened->client);
    texts[1] = names_.endpoint(opened->listener);
    texts[2] = names_.endpoint(opened->upstream);
    opened->client = texts[0];
    opened->listener = texts[1];
    opened->upstream = texts[2];
    texts[4] = texts_.rewritten(opened->route);
    opened->route = texts[4];
    if (!opened->announced_by.empty()) {
      const std::size_t end = std::min(opened->announced_by.find(' '), opened->announced_by.size());
      texts[3] = names_.endpoint(opened->announced_by.substr(0, end));
      texts[3] += opened->announced_by.substr(end);
      opened->announced_by = texts[3];
    }
  } else if (auto* connected = std::get_if<UpstreamConnected>(&changed.body)) {
    texts[0] = names_.endpoint(connected->server);
    connected->server = texts[0];
  } else if (auto* failed = std::get_if<UpstreamFailed>(&changed.body)) {
    texts[0] = texts_.rewritten(failed->reason);
    failed->reason = texts[0];
  } else if (auto* gap = std::get_if<Gap>(&changed.body)) {
    texts[0] = texts_.rewritten(gap->why);
    gap->why = texts[0];
  } else if (auto* closed = std::get_if<Closed>(&changed.body)) {
    texts[0] = texts_.rewritten(closed->reason);
    closed->reason = texts[0];
  } else if (auto* handshake = std::get_if<TlsHandshake>(&changed.body)) {
    handshake->facts = rewritten(*handshake->facts);
  } else if (auto* remark = std::get_if<Remark>(&changed.body)) {
    texts[0] = texts_.rewritten(remark->text);
    remark->text = texts[0];
  }
  out_.on_wire(changed);
}

/// Replies, as the server said them to smtpscope or smtpscope to the client, and smtpscope's own
/// commands: lines that no Conversation has seen.
std::string SessionRedactor::rewritten_lines(Side from, std::string_view octets) {
  Rewriting out;
  bool first = true;
  while (!octets.empty()) {
    const LineParts line = next_line(octets);
    if (from == Side::kClient) {
      commands_.rewrite(line.text, out);
    } else {
      replies_.rewrite(line.text,
                       first ? ReplyRedactor::Place::kName : ReplyRedactor::Place::kKeywords, out);
    }
    out.keep(line.ending);
    first = false;
  }
  return std::string(out.text());
}

void SessionRedactor::emit_aside(const Waiting& waiting, const Bytes& bytes) {
  WireEvent event = waiting.event.event();
  const std::string lines = rewritten_lines(bytes.from, text_of(bytes.head));
  std::get<Bytes>(event.body).head = octets_of(lines);
  const std::string scenario = texts_.rewritten(bytes.scenario);
  std::get<Bytes>(event.body).scenario = scenario;
  out_.on_wire(event);
}

/// Names in certificates, and the one that was asked for, are names; a fingerprint finds its
/// certificate in public logs.
std::shared_ptr<const TlsFacts> SessionRedactor::rewritten(const TlsFacts& facts) {
  auto changed = std::make_shared<TlsFacts>(facts);
  const auto text = [this](std::string& words) { words = texts_.rewritten(words); };
  const auto certificate = [&](TlsCertificate& one) {
    text(one.subject);
    text(one.issuer);
    for (std::string& name : one.names) name = names_.host(name);
    one.fingerprint.assign(one.fingerprint.size(), '0');
  };
  if (!changed->server_name.empty()) changed->server_name = names_.host(changed->server_name);
  for (TlsCertificate& one : changed->certificates) certificate(one);
  if (changed->client_certificate) certificate(*changed->client_certificate);
  text(changed->failure);
  if (changed->verification != kNoNameVerified) text(changed->verification);
  if (!changed->verified_name.empty()) changed->verified_name = names_.host(changed->verified_name);
  for (std::string& difference : changed->differences) text(difference);
  return changed;
}

void SessionRedactor::emit_bytes(const Waiting& waiting, const Bytes& bytes) {
  const SideStream& of = stream(bytes.from);
  WireEvent event = waiting.event.event();
  Bytes& changed = std::get<Bytes>(event.body);
  std::uint64_t at = waiting.at;
  std::vector<Masked> masked;
  auto mask = bytes.masked.begin();
  std::uint64_t before = 0;  // octets of the original that are here, so far
  std::uint64_t rewritten_before = 0;
  const auto part = [&](std::span<const std::uint8_t> octets, std::uint64_t end) {
    // Masks never cross what is left out: that is content.
    const std::uint64_t here = end - at;
    while (mask != bytes.masked.end() && mask->offset < before + octets.size()) {
      const std::uint64_t from = at + std::min(mask->offset - before, here);
      const std::uint64_t to = std::min(from + mask->octets, end);
      const std::size_t offset = of.rewritten(at, from).size();
      masked.push_back({static_cast<std::uint32_t>(rewritten_before + offset),
                        static_cast<std::uint32_t>(of.rewritten(from, to).size())});
      ++mask;
    }
    const std::string_view text = of.rewritten(at, end);
    before += octets.size();
    rewritten_before += text.size();
    return octets_of(text);
  };

  std::uint64_t dropped = 0;
  const std::uint64_t head_end = at + bytes.head.size();
  std::uint64_t kept_end = head_end;
  if (policy_ == BodyPolicy::kDrop && bytes.left_out && waiting.content_from < head_end) {
    kept_end = waiting.content_from;
    dropped = head_end - kept_end;
  }
  changed.head = part(bytes.head, kept_end);
  at = head_end;
  std::vector<FurtherPart> further;
  if (bytes.left_out) {
    LeftOut hole = rewritten(*bytes.left_out);
    hole.octets += dropped;
    changed.left_out = std::make_shared<const LeftOut>(hole);
    at += bytes.left_out->octets;
    changed.tail = part(bytes.tail, at + bytes.tail.size());
    at += bytes.tail.size();
    for (const FurtherPart& each : bytes.further) {
      at += each.left_out.octets;
      const auto octets = part(each.octets, at + each.octets.size());
      further.push_back({rewritten(each.left_out), octets});
      at += each.octets.size();
    }
  }
  changed.further = further;
  changed.masked = masked;
  std::string instead;
  if (bytes.instead) {
    instead = rewritten_lines(bytes.from, text_of(*bytes.instead));
    changed.instead = octets_of(instead);
  }
  const std::string scenario = texts_.rewritten(bytes.scenario);
  changed.scenario = scenario;
  out_.on_wire(event);
  stream(bytes.from).forget(at);
}

/// The scanner behind a hole as it was, but for its hashes: anybody can compute those, and of a
/// short text find it by trying.
LeftOut SessionRedactor::rewritten(const LeftOut& hole) {
  MessageScanner::Saved saved = hole.after.save();
  saved.facts.digest = names_.number("digest", saved.facts.digest);
  saved.facts.header.message_id = names_.number("message-id", saved.facts.header.message_id);
  saved.header.id = names_.number("message-id", saved.header.id);
  const std::optional<MessageScanner> after = MessageScanner::restore(saved);
  assert(after.has_value());  // only hashes were changed, which may be any
  return {hole.octets, after ? *after : MessageScanner(saved.framing)};
}

}  // namespace smtpscope
