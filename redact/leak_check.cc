#include "redact/leak_check.h"

#include <algorithm>
#include <unordered_set>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/octets.h"
#include "redact/escapes.h"
#include "redact/punycode.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

/// The name with each label in its other form (RFC 5890 2.3.2); empty when none has one.
std::string other_form(std::string_view name) {
  std::string result;
  bool changed = false;
  const std::size_t at = name.rfind('@');
  if (at != std::string_view::npos) {
    result = name.substr(0, at + 1);
    name.remove_prefix(at + 1);
  }
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    auto other = from_a_label(label);
    if (!other) other = to_a_label(label);
    changed |= other && *other != label;
    result += other ? *other : std::string(label);
    if (dot == std::string_view::npos) break;
    result += '.';
    name.remove_prefix(dot + 1);
  }
  return changed ? result : std::string();
}

bool in_base64(char c) {
  return is_alphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

constexpr std::string_view kBase64 = "base64";

/// Names of fewer octets stand by chance in what was decoded although it was no base64, or no text.
constexpr std::size_t kLongName = 8;

/// What stands around [begin, end) is text as well.
bool is_in_text(std::string_view decoded, std::size_t begin, std::size_t end) {
  constexpr std::size_t kAround = 8;
  // The parts of SASL responses are told apart by these two (RFC 4616 2, RFC 7628 3.1).
  const auto is_text = [](char c) {
    return (c >= ' ' && c < '\x7f') || c == '\n' || c == '\r' || c == '\t' || c == '\0' ||
           c == '\1';
  };
  const std::size_t from = begin - std::min(begin, kAround);
  const std::string_view around = decoded.substr(from, end + kAround - from);
  return std::ranges::all_of(around, is_text);
}

/// What the runs of base64 in `text` stand for, one behind the other. A run goes on over a line
/// end, as it does in the parts of a message.
std::string decoded_runs(std::string_view text) {
  constexpr std::size_t kShortest = 8;
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && in_base64(text[end])) ++end;
    std::size_t next = end;
    while (next > at && next + 2 < text.size() && text[next] == '\r' && text[next + 1] == '\n' &&
           in_base64(text[next + 2])) {
      next += 2;
      while (next < text.size() && in_base64(text[next])) ++next;
      end = next;
    }
    if (end - at >= kShortest) {
      result += decode_base64(text.substr(at, end - at));
      result += '\n';
      // By themselves too: what is on the next line may be something else.
      const std::size_t line = at + std::min(text.substr(at, end - at).find('\r'), end - at);
      if (line < end) result += decode_base64(text.substr(at, line - at)) + '\n';
    }
    at = std::max(end, at + 1);
  }
  return result;
}

}  // namespace

LeakCheck::LeakCheck(std::initializer_list<const Originals*> originals) {
  std::unordered_set<std::string_view> added;
  for (const Originals* each : originals) {
    for (const auto& [original, kind] : each->telling()) {
      if (added.insert(original).second) add(kind, original);
    }
  }
  search_.prepare();
}

void LeakCheck::add(OriginalKind kind, const std::string& original) {
  const auto number = static_cast<std::uint32_t>(kinds_.size());
  kinds_.push_back(kind);
  search_.add(original, number);
  const bool name =
      kind == OriginalKind::kHost || kind == OriginalKind::kLabel || kind == OriginalKind::kMailbox;
  if (!name) return;
  if (const std::string other = in_lower_case(other_form(original)); !other.empty()) {
    search_.add(other, number);
  }
}

void LeakCheck::read(const RunInfo& run) {
  for (const std::string* text : {&run.tap, &run.source, &run.writer}) {
    search({kWholeRun, "the header"}, *text);
  }
}

void LeakCheck::on_wire(const WireEvent& event) {
  const Place place{event.session, "an event's text"};
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    if (bytes->instead) search(place, text_of(*bytes->instead));
    search(place, bytes->scenario);
    if (bytes->aside) {
      search(place, text_of(bytes->head));
      return;
    }
    gather(event.session, bytes->from, text_of(bytes->head));
    if (!bytes->left_out) return;
    end_stream(event.session, bytes->from);
    gather(event.session, bytes->from, text_of(bytes->tail));
    for (const FurtherPart& part : bytes->further) {
      end_stream(event.session, bytes->from);
      gather(event.session, bytes->from, text_of(part.octets));
    }
    const MessageScanner::Saved saved = bytes->left_out->after.save();
    search({event.session, "a header field's name"}, saved.header.name());
  } else if (const auto* opened = std::get_if<SessionOpened>(&event.body)) {
    for (const std::string_view text : {opened->client, opened->listener, opened->upstream,
                                        opened->announced_by, opened->route}) {
      search(place, text);
    }
  } else if (const auto* connected = std::get_if<UpstreamConnected>(&event.body)) {
    search(place, connected->server);
  } else if (const auto* failed = std::get_if<UpstreamFailed>(&event.body)) {
    search(place, failed->reason);
  } else if (const auto* gap = std::get_if<Gap>(&event.body)) {
    search(place, gap->why);
  } else if (const auto* closed = std::get_if<Closed>(&event.body)) {
    search(place, closed->reason);
  } else if (const auto* handshake = std::get_if<TlsHandshake>(&event.body)) {
    search_tls(place, *handshake->facts);
  } else if (const auto* remark = std::get_if<Remark>(&event.body)) {
    search(place, remark->text);
  } else if (std::holds_alternative<SessionEnded>(event.body)) {
    end_stream(event.session, Side::kClient);
    end_stream(event.session, Side::kServer);
  }
}

void LeakCheck::search_tls(const Place& place, const TlsFacts& facts) {
  const auto certificate = [&](const TlsCertificate& one) {
    search(place, one.subject);
    search(place, one.issuer);
    for (const std::string& name : one.names) search(place, name);
  };
  search(place, facts.server_name);
  search(place, facts.failure);
  search(place, facts.verification);
  search(place, facts.verified_name);
  for (const std::string& difference : facts.differences) search(place, difference);
  for (const TlsCertificate& one : facts.certificates) certificate(one);
  if (facts.client_certificate) certificate(*facts.client_certificate);
}

void LeakCheck::finish() {
  while (!open_.empty()) {
    const auto [session, side] = open_.begin()->first;
    end_stream(session, side);
  }
}

namespace {

std::string_view sent_by(Side side) {
  return side == Side::kClient ? "what the client sent" : "what the server sent";
}

}  // namespace

void LeakCheck::gather(SessionId session, Side side, std::string_view octets) {
  std::string& window = open_[{session, side}];
  window += octets;
  if (window.size() < kWindow) return;
  search({session, sent_by(side)}, window);
  window.erase(0, window.size() - kOverlap);
}

void LeakCheck::end_stream(SessionId session, Side side) {
  const auto open = open_.find({session, side});
  if (open == open_.end()) return;
  search({session, sent_by(side)}, open->second);
  open_.erase(open);
}

void LeakCheck::search(const Place& place, std::string_view text) {
  if (text.empty()) return;
  search_view(place, "", text);
  search_view(place, kBase64, decoded_runs(text));
  const auto has = [&](char mark) { return text.find(mark) != std::string_view::npos; };
  if (has('=')) search_view(place, "quoted-printable", decode_quoted(text));
  if (has('%')) search_view(place, "a URL's escapes", decode_quoted(text, '%'));
  if (has('+')) search_view(place, "xtext", decode_xtext(text));
  if (has('\\')) {
    search_view(place, "the escapes of RFC 6533", decode_unitext(decode_xtext(text)));
  }
}

void LeakCheck::search_view(const Place& place, std::string_view encoding, std::string_view text) {
  const std::string lower = in_lower_case(text);
  search_.search(lower, [&](std::uint32_t number, std::size_t begin, std::size_t end) {
    if (!stands_alone(lower, begin, end)) return;
    if (encoding == kBase64 && end - begin < kLongName && !is_in_text(lower, begin, end)) return;
    if (found_++ < kMostTold) {
      leaks_.push_back({kinds_[number], place.session, std::string(place.where),
                        std::string(encoding), lower.substr(begin, end - begin)});
    }
  });
}

}  // namespace smtpscope
