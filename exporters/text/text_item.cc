#include "exporters/text/text_item.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <variant>

#include "base/ascii.h"
#include "base/counted.h"
#include "exporters/protocol_names.h"
#include "exporters/text/text_width.h"
#include "parser/capabilities.h"
#include "timeline/tls_words.h"

namespace smtpscope {
namespace {

/// Our words on an item, separated by commas.
class Notes {
 public:
  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    if (!text_.empty()) text_ += ", ";
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }
  /// As they stand behind wire text.
  std::string in_parentheses() const {
    return text_.empty() ? std::string{} : fmt::format("({})", text_);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void note_line(Notes& notes, std::uint16_t flags, LineEnding ending) {
  if (ending == LineEnding::kNone) {
    notes.add("no line end");
  } else if (ending != LineEnding::kCrLf) {
    notes.add("ends in {}", to_string(ending));
  }
  if ((flags & kCutForDisplay) != 0) notes.add("longer than what is kept");
  if ((flags & kEarly) != 0) notes.add("sent early");
  if ((flags & kAfterGap) != 0) notes.add("after a hole in the trace");
}

/// Octets of a TLS stream of which the trace has lost a part, for instance: nothing for the eye.
bool is_ciphertext(std::string_view octets) {
  return std::ranges::any_of(octets, [](char c) { return (c < ' ' && c != '\t') || c == '\x7f'; });
}

/// What the message's content is like, where it is unusual.
void note_facts(Notes& notes, const MessageFacts& facts) {
  if (facts.longest_line > kLongestTextLine) notes.add("longest line {}", facts.longest_line);
  if (facts.bare_cr > 0) notes.add("{}", counted(facts.bare_cr, "bare CR"));
  if (facts.bare_lf > 0) notes.add("{}", counted(facts.bare_lf, "bare LF"));
  if (facts.nul > 0) notes.add("{} NUL", facts.nul);
  if (facts.eight_bit > 0) notes.add("8-bit");
  if (facts.unstuffed_dots > 0) notes.add("{}", counted(facts.unstuffed_dots, "unstuffed dot"));
  std::uint64_t candidates = 0;
  for (const std::uint32_t count : facts.candidates) candidates += count;
  if (candidates > 0) {
    notes.add("{}, the first {}", counted(candidates, "doubtful end"),
              to_string(facts.first_candidate));
  }
}

void note_reads(Notes& notes, const Entry& entry) {
  if (entry.read_count > 0) notes.add("{}", counted(entry.read_count, "read"));
}

std::uint64_t hidden_octets(const Item& item) { return item.secret_end - item.secret_begin; }

/// "‹24 octets hidden›", or nothing.
std::string hidden(const Item& item, const TextStyle& style) {
  const std::uint64_t octets = hidden_octets(item);
  if (octets == 0) return {};
  return fmt::format("{}{} hidden{}", style.glyphs().open, counted(octets, "octet"),
                     style.glyphs().close);
}

/// Wire text, and where credentials stood a word that says so.
std::string with_hidden(std::string_view text, const Item& item, const TextStyle& style) {
  const std::string mark = hidden(item, style);
  if (mark.empty()) return style.wire(text);
  const std::string shown = style.wire(without_trailing_blanks(text));
  return shown.empty() ? mark : fmt::format("{} {}", shown, mark);
}

Tone tone_of_code(std::uint16_t code) {
  if (code / 100 == 4) return Tone::kNotice;
  if (code / 100 == 5) return Tone::kError;
  return Tone::kPlain;
}

/// One reply line as it stood on the wire.
std::string reply_line(const ReplyLine& line, bool last, const TextStyle& style) {
  if (line.code == 0) return style.wire(line.text);
  if (last && line.text.empty()) return fmt::format("{:03}", line.code);
  return fmt::format("{:03}{}{}", line.code, last ? ' ' : '-', style.wire(line.text));
}

void note_reply(Notes& notes, const Reply& reply, const Entry& entry) {
  if (!reply.complete) notes.add("incomplete");
  if (reply.codes_differ) notes.add("the lines' codes differ");
  if (reply.answers == Answers::kOrphan) notes.add("answers nothing");
  if (reply.answers == Answers::kUnsolicited || entry.unsolicited) notes.add("unasked");
  if (reply.ordinal > 0) notes.add("reply {}", reply.ordinal + 1);
}

constexpr std::uint8_t kAlertRecord = 21;  // RFC 8446 5.1

void note_client_hello(Notes& notes, const ClientHello& hello) {
  notes.add("TLS ClientHello");
  if (!hello.readable) {
    notes.add("not readable");
    return;
  }
  if (!hello.server_name.empty()) notes.add("SNI {}", hello.server_name);
  notes.add("{}", versions_text(hello));
  notes.add("{}", counted(hello.cipher_suites, "cipher"));
  for (const std::string& protocol : hello.protocols) notes.add("ALPN {}", protocol);
  if (hello.resumes) notes.add("offers to resume");
  if (hello.early_data) notes.add("early data");
}

void note_server_hello(Notes& notes, const ServerHello& hello) {
  notes.add("TLS {}", hello.retry ? "HelloRetryRequest" : "ServerHello");
  if (!hello.readable) {
    notes.add("not readable");
    return;
  }
  notes.add("{}", tls_version_text(hello.version));
  notes.add("{}", tls_cipher_text(hello.cipher_suite));
  if (!hello.protocol.empty()) notes.add("ALPN {}", hello.protocol);
  if (hello.resumed) notes.add("resumes");
}

/// The messages that ended in a record, as far as they tell something. False: none does.
bool note_messages(Notes& notes, const TlsMessages& messages) {
  if (messages.client_hello) note_client_hello(notes, *messages.client_hello);
  if (messages.server_hello) note_server_hello(notes, *messages.server_hello);
  if (const auto& chain = messages.certificates) {
    notes.add("TLS Certificate");
    if (const std::optional<TlsCertificate> own = own_certificate(*chain)) {
      notes.add("{}", certificate_text(*own));
    } else {
      notes.add("{}", chain->count == 0 ? "none" : "not readable");
    }
    if (chain->count > 1) notes.add("and {} more", chain->count - 1);
  }
  if (messages.certificate_requested) notes.add("TLS CertificateRequest");
  return messages.client_hello || messages.server_hello || messages.certificates ||
         messages.certificate_requested;
}

/// Describes items; one operator per kind.
class Describe {
 public:
  Describe(const Entry& entry, const TextStyle& style)
      : entry_(entry), item_(*entry.item), style_(style) {}

  std::vector<ItemWords> operator()(const Command& command) const {
    Notes notes;
    note_line(notes, command.flags, command.ending);
    return one(with_hidden(command.text, item_, style_), notes);
  }

  std::vector<ItemWords> operator()(const AuthResponse& response) const {
    Notes notes;
    if (response.quit) {
      notes.add("gives up at the challenge");
    } else if (response.cancelled) {
      notes.add("cancels the authentication");
    } else {
      notes.add("answer to the challenge");
    }
    note_line(notes, 0, response.ending);
    if (response.quit) return one("QUIT", notes);
    return one(response.cancelled ? "*" : with_hidden({}, item_, style_), notes);
  }

  std::vector<ItemWords> operator()(const Reply& reply) const {
    Notes notes;
    note_reply(notes, reply, entry_);
    if (reply.lines.empty()) return one(fmt::format("{:03}", reply.code), notes);
    if (style_.verbose()) return all_lines(reply, notes);
    if (reply.verb == Verb::kEhlo && reply.answers == Answers::kCommand &&
        reply.first_digit() == 2 && reply.line_count > 1) {
      return one(offered_line(reply), notes);
    }

    const ReplyLine& first = reply.lines.front();
    note_line(notes, reply.flags, reply.lines.back().ending);
    if (reply.line_count > 1) notes.add("{} lines", reply.line_count);
    std::string wire = reply_line(first, reply.line_count == 1, style_);
    if (reply.line_count > 1) fold(wire, reply, notes);
    return one(std::move(wire), notes, tone_of_code(reply.code));
  }

  std::vector<ItemWords> operator()(const GarbageLine& line) const {
    Notes notes;
    notes.add("not a reply");
    note_line(notes, line.flags, line.ending);
    return one(with_hidden(line.text, item_, style_), notes, Tone::kWarning);
  }

  std::vector<ItemWords> operator()(const MailData& data) const {
    Notes notes;
    if (data.facts.unseen) {
      notes.add("mail data, which the trace does not have");
    } else {
      notes.add("mail data {}", counted(data.facts.octets, "octet"));
      notes.add("{}", counted(data.facts.lines, "line"));
      note_reads(notes, entry_);
      note_facts(notes, data.facts);
    }
    if (data.early_octets > 0) notes.add("{} sent early", counted(data.early_octets, "octet"));
    if (data.missing_octets > 0) {
      notes.add("{} missing in the trace", counted(data.missing_octets, "octet"));
    }
    if (data.assumed) notes.add("taken for content without a 354");
    if (data.answered_early) notes.add("answered before its end");
    switch (data.end) {
      case DataEnd::kStrict:
        break;
      case DataEnd::kCandidate:
        notes.add("the server took {} for the end", to_string(data.facts.first_candidate));
        break;
      case DataEnd::kCut:
        notes.add("cut: no end-of-data");
        break;
      case DataEnd::kGap:
        notes.add("the end is in a hole in the trace");
        break;
    }
    return told(data.headline, notes);
  }

  std::vector<ItemWords> operator()(const Chunk& chunk) const {
    Notes notes;
    const std::uint64_t came = item_.end - item_.begin;
    if (chunk.complete) {
      notes.add("chunk {}", counted(came, "octet"));
    } else {
      notes.add("chunk {} of {}, incomplete", came, counted(chunk.declared, "octet"));
    }
    if (chunk.last) notes.add("the last");
    if (chunk.facts.unseen) {
      notes.add("which the trace does not have");
      return ours(notes);
    }
    note_reads(notes, entry_);
    note_facts(notes, chunk.facts);
    if (chunk.missing_octets > 0) {
      notes.add("{} missing in the trace", counted(chunk.missing_octets, "octet"));
    }
    return told(chunk.headline, notes);
  }

  std::vector<ItemWords> operator()(const Blob& blob) const {
    Notes notes;
    notes.add("XEXCH50 data {} of {}", item_.end - item_.begin, counted(blob.declared, "octet"));
    if (!blob.complete) notes.add("incomplete");
    note_reads(notes, entry_);
    return ours(notes);
  }

  std::vector<ItemWords> operator()(const ProxyHeader& header) const {
    Notes notes;
    notes.add("PROXY protocol {}", header.version);
    if (header.local) notes.add("names no client");
    if (header.text.empty()) {
      notes.add("{}", counted(item_.end - item_.begin, "octet"));
      return ours(notes);
    }
    return one(style_.wire(header.text), notes);
  }

  std::vector<ItemWords> operator()(const TlsRecord& record) const {
    Notes notes;
    const bool told = record.messages != nullptr && note_messages(notes, *record.messages);
    if (!told) notes.add("TLS {}", tls_record_name(record.type));
    if (record.type == kAlertRecord && record.encrypted) notes.add("encrypted");
    if (!told && record.handshake_type != 0)
      notes.add("{}", tls_handshake_name(record.handshake_type));
    if (record.alert_level != 0) {
      notes.add("{} {}", record.alert_level == 2 ? "fatal" : "warning",
                tls_alert_name(record.alert_description));
    }
    notes.add("{}", counted(item_.end - item_.begin, "octet"));
    if (!record.complete) notes.add("incomplete");
    return ours(notes);
  }

  std::vector<ItemWords> operator()(const Junk& junk) const {
    Notes notes;
    if (junk.reason == JunkReason::kNotTls && is_ciphertext(junk.text)) {
      notes.add("{} inside TLS that are no whole record",
                counted(item_.end - item_.begin, "octet"));
      return ours(notes);
    }
    notes.add("{}", to_string(junk.reason));
    notes.add("{}", counted(item_.end - item_.begin, "octet"));
    note_line(notes, junk.flags, LineEnding::kCrLf);
    return one(with_hidden(junk.text, item_, style_), notes, Tone::kWarning);
  }

 private:
  void note_delivery(Notes& notes) const {
    if (!entry_.undelivered) return;
    notes.add("not delivered: the {} was gone", to_string(other(item_.side)));
  }

  std::vector<ItemWords> one(std::string wire, Notes& notes, Tone tone = Tone::kPlain) const {
    note_delivery(notes);
    return {{std::move(wire), style_.words(notes.in_parentheses()), tone}};
  }

  /// By its headline, where there is one.
  std::vector<ItemWords> told(const Headline& headline, Notes& notes) const {
    return headline.empty() ? ours(notes) : one(headline_words(headline, style_), notes);
  }

  /// No wire text at all: only our words, which stand without parentheses.
  std::vector<ItemWords> ours(Notes& notes) const {
    note_delivery(notes);
    return {{{}, style_.words(notes.text()), Tone::kPlain}};
  }

  /// What EHLO offers in one line: who answers, then the keywords that people look for, then how
  /// many there are besides.
  std::string offered_line(const Reply& reply) const {
    constexpr std::array<std::string_view, 7> kLookedFor = {
        "SIZE", "STARTTLS", "AUTH", "PIPELINING", "CHUNKING", "SMTPUTF8", "8BITMIME"};
    Capabilities offered;
    offered.read(reply);
    const std::string_view first = reply.lines.front().text;
    std::string line = fmt::format("{:03}-{} ", reply.code,
                                   style_.wire(first.substr(0, first.find_first_of(" \t"))));
    std::size_t shown = 0;
    for (const std::string_view name : kLookedFor) {
      const Capabilities::Keyword* keyword = offered.find(name);
      if (keyword == nullptr) continue;
      std::string word = style_.wire(keyword->name());
      if (!keyword->parameters().empty()) {
        std::string parameters = style_.wire(keyword->parameters());
        std::ranges::replace(parameters, ' ', ',');
        word += '=' + parameters;
      }
      // What is looked for first is shown however narrow the screen is.
      const bool fits =
          style_.width() == 0 || shown < 3 ||
          style_.text_column() + display_width(line) + word.size() + 6 <= style_.width();
      if (!fits) continue;
      line += ' ' + word;
      ++shown;
    }
    const std::size_t more = offered.keywords().size() - shown + offered.dropped();
    if (more > 0) line += fmt::format(" +{}", more);
    return line;
  }

  /// A reply of several lines as one: the first and the last, as far as there is room.
  void fold(std::string& wire, const Reply& reply, const Notes& notes) const {
    const bool has_last = reply.lines.size() == reply.line_count;
    std::string folded = fmt::format("{} {}", wire, style_.glyphs().more);
    if (has_last) folded += ' ' + style_.wire(reply.lines.back().text);
    // Without room for the last line the first is of more use than pieces of both.
    const std::size_t needed = display_width(folded) + notes.in_parentheses().size() + 2;
    const bool fits = style_.width() == 0 || needed + style_.text_column() <= style_.width();
    wire = fits || !has_last ? std::move(folded) : fmt::format("{} {}", wire, style_.glyphs().more);
  }

  std::vector<ItemWords> all_lines(const Reply& reply, Notes& notes) const {
    std::vector<ItemWords> lines;
    for (std::size_t i = 0; i < reply.lines.size(); ++i) {
      const ReplyLine& line = reply.lines[i];
      const bool last = i + 1 == reply.line_count;
      Notes own;
      note_line(own, line.flags, line.ending);
      lines.push_back({reply_line(line, last, style_), style_.words(own.in_parentheses()),
                       tone_of_code(line.code)});
    }
    if (reply.line_count > reply.lines.size()) {
      notes.add("{} more not kept", counted(reply.line_count - reply.lines.size(), "line"));
    }
    note_delivery(notes);
    if (!notes.text().empty()) {
      std::string& last = lines.back().notes;
      if (!last.empty()) last += ' ';
      last += style_.words(notes.in_parentheses());
    }
    return lines;
  }

  const Entry& entry_;
  const Item& item_;
  const TextStyle& style_;
};

}  // namespace

std::string headline_words(const Headline& headline, const TextStyle& style) {
  std::string words;
  if (!headline.subject.empty()) words = fmt::format("\"{}\"", style.wire(headline.subject));
  if (!headline.message_id.empty()) {
    words += fmt::format("{}{}", words.empty() ? "" : " ", style.wire(headline.message_id));
  }
  return words;
}

std::vector<ItemWords> words_of(const Entry& entry, const TextStyle& style) {
  return std::visit(Describe(entry, style), entry.item->body);
}

}  // namespace smtpscope
