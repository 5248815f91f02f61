#include "diff/taps/taps_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "diff/alignment.h"
#include "diff/chained_hash.h"

namespace smtpscope {
namespace {

/// Of a line that differs, so many octets are shown.
constexpr std::size_t kShownOctets = 200;

std::uint64_t identity_of(const TransactionRecord& transaction) {
  const MessageFacts& facts = transaction.facts;
  if (facts.header.message_id != 0) return facts.header.message_id;
  return chained_hash(chained_hash(facts.digest, facts.octets), facts.lines);
}

std::vector<TapsMessage> messages_of(const std::vector<const SessionRecord*>& sessions) {
  std::vector<TapsMessage> messages;
  for (const SessionRecord* session : sessions) {
    for (const TransactionRecord& each : session->transactions) {
      if (each.has_data) messages.push_back({session, &each});
    }
  }
  return messages;
}

std::vector<std::uint64_t> identities(const std::vector<TapsMessage>& messages) {
  std::vector<std::uint64_t> keys;
  keys.reserve(messages.size());
  for (const TapsMessage& each : messages) keys.push_back(identity_of(*each.transaction));
  return keys;
}

/// Chunks are not dot-stuffed (RFC 3030 2).
bool is_stuffed(const TapsMessage& message) {
  const auto& exchanges = message.session->exchanges;
  const auto at = [&](std::size_t i) { return exchanges.begin() + static_cast<std::ptrdiff_t>(i); };
  return std::none_of(at(message.transaction->first), at(message.transaction->last + 1),
                      [](const ExchangeRecord& each) { return each.verb == Verb::kBdat; });
}

/// A message without the dots that were stuffed: one at the beginning of each line that begins with
/// one (RFC 5321 4.5.2).
std::string unstuffed(std::string_view wire) {
  std::string message;
  message.reserve(wire.size());
  bool line_begins = true;
  for (const char c : wire) {
    if (!line_begins || c != '.') message += c;
    line_begins = c == '\n';
  }
  return message;
}

/// A header section taken apart, and what follows it. Views into the message.
struct SplitMessage {
  std::vector<std::string_view> fields;  // with the lines that continue them, line ends kept
  std::string_view body;                 // behind the empty line
  bool header_ends = false;              // that line is there
};

SplitMessage split_message(std::string_view message) {
  SplitMessage split;
  std::size_t begin = 0, at = 0;
  const auto finish = [&] {
    if (at > begin) split.fields.push_back(message.substr(begin, at - begin));
    begin = at;
  };
  while (at < message.size()) {
    const std::size_t end = std::min(message.find('\n', at), message.size() - 1) + 1;
    const std::string_view line = message.substr(at, end - at);
    if (line == "\r\n" || line == "\n") {
      finish();
      split.header_ends = true;
      split.body = message.substr(end);
      return split;
    }
    // RFC 5322 2.2.3: white space begins a line that continues a field.
    if (!is_blank(line.front())) finish();
    at = end;
  }
  finish();
  return split;
}

std::string_view without_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

std::string_view name_of_field(std::string_view field) {
  return without_end(field.substr(0, std::min(field.find(':'), field.size())));
}

/// What a field says, whatever its line ends: those are compared as a whole.
std::uint64_t field_key(std::string_view field) {
  std::string text;
  for (const char c : field) {
    if (c != '\r') text += c;
  }
  return std::hash<std::string>()(text);
}

/// RFC 5321 4.4: what a relay adds on top, and the last server.
bool is_trace_field(std::string_view name) {
  return equal_ignoring_case(name, "Received") || equal_ignoring_case(name, "Return-Path");
}

/// Compares one message as it was near the client with itself near the server.
class MessageAtTaps {
 public:
  MessageAtTaps(const TapsMessage& near_client, const TapsMessage& near_server,
                std::vector<TapsChange>& changes)
      : client_(near_client), server_(near_server), changes_(changes), known_(changes.size()) {}

  bool compare() {
    const KeptContent& a = client_.transaction->content;
    const KeptContent& b = server_.transaction->content;
    const bool whole = a.whole && b.whole;
    const bool stuffed_a = is_stuffed(client_), stuffed_b = is_stuffed(server_);
    const std::string text_a = stuffed_a ? unstuffed(a.octets) : a.octets;
    const std::string text_b = stuffed_b ? unstuffed(b.octets) : b.octets;
    if (text_a != text_b) {
      parts(split_message(text_a), split_message(text_b), whole);
    } else if (stuffed_a && stuffed_b && a.octets != b.octets) {
      stuffing(a.octets, b.octets);
    }
    facts(whole, stuffed_a == stuffed_b);
    return whole;
  }

 private:
  TapsChange& add(TapsChangeKind kind, std::string subject) {
    TapsChange& change = changes_.emplace_back();
    change.kind = kind;
    change.exchange = ExchangeKind::kMailData;
    change.subject = std::move(subject);
    change.session_near_client = client_.session->id;
    change.session_near_server = server_.session->id;
    return change;
  }

  void field(TapsChangeKind kind, std::string_view near_client, std::string_view near_server) {
    const std::string_view name = name_of_field(near_server.empty() ? near_client : near_server);
    TapsChange& change = add(kind, std::string(name));
    change.near_client = without_end(near_client);
    change.near_server = without_end(near_server);
    change.usual = kind == TapsChangeKind::kHeaderAdded && is_trace_field(name);
  }

  void parts(const SplitMessage& a, const SplitMessage& b, bool whole) {
    header(a, b, whole);
    // Where a capture ends within the header section nothing is known of the body.
    if (!a.header_ends && !b.header_ends) return;
    if (a.header_ends && b.header_ends) {
      body(a.body, b.body, whole);
    } else if (whole) {
      TapsChange& change = add(TapsChangeKind::kBodyRewritten,
                               "the empty line that ends the header section is at one place only");
      change.near_client = a.header_ends ? "there" : "missing";
      change.near_server = b.header_ends ? "there" : "missing";
    }
  }

  void header(const SplitMessage& a, const SplitMessage& b, bool whole) {
    std::vector<std::uint64_t> keys_a, keys_b;
    for (const std::string_view each : a.fields) keys_a.push_back(field_key(each));
    for (const std::string_view each : b.fields) keys_b.push_back(field_key(each));
    std::vector<bool> known_a(keys_a.size()), known_b(keys_b.size());
    // A field that the capture breaks off in says nothing.
    const bool all_a = whole || a.header_ends, all_b = whole || b.header_ends;
    if (!all_a && !known_a.empty()) known_a.back() = true;
    if (!all_b && !known_b.empty()) known_b.back() = true;
    for (const AlignedPair& each : align(keys_a, keys_b)) {
      known_a[each.a] = known_b[each.b] = true;
    }
    const auto counterpart = [&](auto&& matches) {
      std::size_t i = 0;
      while (i < keys_b.size() && (known_b[i] || !matches(i))) ++i;
      return i;
    };
    for (std::size_t i = 0; i < keys_a.size(); ++i) {
      if (known_a[i]) continue;
      TapsChangeKind kind = TapsChangeKind::kHeaderMoved;
      std::size_t other = counterpart([&](std::size_t j) { return keys_b[j] == keys_a[i]; });
      if (other == keys_b.size()) {
        kind = TapsChangeKind::kHeaderRewritten;
        other = counterpart([&](std::size_t j) {
          return equal_ignoring_case(name_of_field(a.fields[i]), name_of_field(b.fields[j]));
        });
      }
      if (other != keys_b.size()) {
        known_b[other] = true;
        field(kind, a.fields[i], b.fields[other]);
      } else if (all_b) {
        field(TapsChangeKind::kHeaderRemoved, a.fields[i], {});
      }
    }
    for (std::size_t j = 0; j < keys_b.size(); ++j) {
      if (!known_b[j] && all_a) field(TapsChangeKind::kHeaderAdded, {}, b.fields[j]);
    }
  }

  /// Where the bodies differ first, line ends apart: those are told by their counts.
  void body(std::string_view a, std::string_view b, bool whole) {
    std::size_t line = 1, offset = 0;
    while (!a.empty() && !b.empty()) {
      const std::size_t end_a = std::min(a.find('\n'), a.size() - 1) + 1;
      const std::size_t end_b = std::min(b.find('\n'), b.size() - 1) + 1;
      const std::string_view line_a = a.substr(0, end_a), line_b = b.substr(0, end_b);
      if (without_end(line_a) != without_end(line_b)) {
        // The captures may break off in the middle of it.
        const bool cut = !whole && (line_a.back() != '\n' || line_b.back() != '\n');
        if (!cut) different(line, offset, line_a, line_b);
        return;
      }
      a.remove_prefix(end_a);
      b.remove_prefix(end_b);
      offset += end_a;
      ++line;
    }
    if (!whole || a.empty() == b.empty()) return;
    different(line, offset, a.substr(0, a.find('\n')), b.substr(0, b.find('\n')));
  }

  void different(std::size_t line, std::size_t offset, std::string_view a, std::string_view b) {
    a = without_end(a);
    b = without_end(b);
    const auto [in_a, in_b] = std::ranges::mismatch(a, b);
    const auto column = static_cast<std::size_t>(in_a - a.begin());
    const std::string_view shorter = a.size() < b.size() ? a : b;
    const std::string_view longer = a.size() < b.size() ? b : a;
    const bool a_dot = longer.size() == shorter.size() + 1 && longer.front() == '.' &&
                       longer.substr(1) == shorter && column <= 1;
    TapsChange& change = add(a_dot ? TapsChangeKind::kDotStuffing : TapsChangeKind::kBodyRewritten,
                             fmt::format("body, line {}, octet {} of it ({} octets into the body)",
                                         line, column + 1, offset + column));
    // The octets around the place.
    const std::size_t from = column > kShownOctets / 2 ? column - kShownOctets / 2 : 0;
    change.near_client = a.substr(std::min(from, a.size()), kShownOctets);
    change.near_server = b.substr(std::min(from, b.size()), kShownOctets);
  }

  /// The same message, but for dots that nobody needs, or that somebody needed (RFC 5321 4.5.2).
  void stuffing(std::string_view a, std::string_view b) {
    std::size_t line = 1;
    while (!a.empty() && !b.empty()) {
      const std::string_view line_a = without_end(a.substr(0, a.find('\n')));
      const std::string_view line_b = without_end(b.substr(0, b.find('\n')));
      if (line_a != line_b) {
        TapsChange& change = add(TapsChangeKind::kDotStuffing,
                                 fmt::format("line {}, as it went over the wire", line));
        change.near_client = line_a.substr(0, kShownOctets);
        change.near_server = line_b.substr(0, kShownOctets);
        return;
      }
      a.remove_prefix(std::min(a.find('\n'), a.size() - 1) + 1);
      b.remove_prefix(std::min(b.find('\n'), b.size() - 1) + 1);
      ++line;
    }
  }

  void facts(bool whole, bool same_framing) {
    const MessageFacts& a = client_.transaction->facts;
    const MessageFacts& b = server_.transaction->facts;
    line_ends(a, b);
    // What the octets tell is told already.
    if (whole || changes_.size() != known_) return;
    if (a.octets != b.octets) {
      TapsChange& change = add(TapsChangeKind::kSizeChanged, "size of the message");
      change.near_client = fmt::format("{} octets", a.octets);
      change.near_server = fmt::format("{} octets", b.octets);
    } else if (a.lines != b.lines || (same_framing && a.digest != b.digest)) {
      TapsChange& change = add(TapsChangeKind::kBodyRewritten,
                               "somewhere in what the captures do not hold; the size is the same");
      change.near_client = fmt::format("{} lines", a.lines);
      change.near_server = fmt::format("{} lines", b.lines);
    }
  }

  void line_ends(const MessageFacts& a, const MessageFacts& b) {
    if (a.bare_lf == b.bare_lf && a.bare_cr == b.bare_cr && a.cr_cr_lf == b.cr_cr_lf) return;
    TapsChange& change = add(TapsChangeKind::kLineEndsChanged, "line ends of the message");
    change.near_client = counts_of(a);
    change.near_server = counts_of(b);
  }

  /// RFC 5321 2.3.8: CRLF, and nothing else.
  static std::string counts_of(const MessageFacts& facts) {
    return fmt::format("{} CRLF, {} bare LF, {} bare CR", facts.lines, facts.bare_lf,
                       facts.bare_cr);
  }

  const TapsMessage client_, server_;
  std::vector<TapsChange>& changes_;
  const std::size_t known_;
};

}  // namespace

TapsMessages match_messages(const std::vector<const SessionRecord*>& near_client,
                            const std::vector<const SessionRecord*>& near_server) {
  const std::vector<TapsMessage> a = messages_of(near_client), b = messages_of(near_server);
  TapsMessages matched;
  std::size_t next_a = 0, next_b = 0;
  // Between two that are the same: each with the next, as long as both taps have one.
  const auto up_to = [&](std::size_t end_a, std::size_t end_b) {
    while (next_a < end_a && next_b < end_b) matched.both.emplace_back(a[next_a++], b[next_b++]);
    while (next_a < end_a) matched.only_near_client.insert(a[next_a++].transaction);
    while (next_b < end_b) matched.only_near_server.insert(b[next_b++].transaction);
  };
  for (const AlignedPair& each : align(identities(a), identities(b))) {
    up_to(each.a, each.b);
    matched.both.emplace_back(a[next_a++], b[next_b++]);
  }
  up_to(a.size(), b.size());
  return matched;
}

bool compare_message(const TapsMessage& near_client, const TapsMessage& near_server,
                     std::vector<TapsChange>& changes) {
  return MessageAtTaps(near_client, near_server, changes).compare();
}

}  // namespace smtpscope
