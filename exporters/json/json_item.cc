#include "exporters/json/json_item.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "base/octets.h"
#include "exporters/protocol_names.h"
#include "timeline/tls_words.h"

namespace smtpscope {
namespace {

constexpr std::array<std::pair<LineFlag, std::string_view>, 7> kFlagNames = {{
    {kHasNul, "nul"},
    {kHasEightBit, "eight-bit"},
    {kHasBareCr, "bare-cr"},
    {kHasControl, "control"},
    {kCutForDisplay, "cut-for-display"},
    {kEarly, "early"},
    {kAfterGap, "after-gap"},
}};

/// What is odd about a line; nothing for an ordinary one.
void write_line(JsonWriter& json, std::uint16_t flags, LineEnding ending) {
  if (ending != LineEnding::kCrLf) json.string("line_ending", to_string(ending));
  if (flags == 0) return;
  json.begin_array("flags");
  for (const auto& [flag, name] : kFlagNames) {
    if ((flags & flag) != 0) json.element(name);
  }
  json.end_array();
}

/// A hash has no size: it is a word, which no reader of JSON rounds.
void write_hash(JsonWriter& json, std::string_view name, std::uint64_t hash) {
  if (hash != 0) json.string(name, fmt::format("{:016x}", hash));
}

void write_header(JsonWriter& json, const HeaderFacts& header) {
  if (header == HeaderFacts{}) return;
  json.begin_object("header");
  json.true_if("ended", header.ended);
  json.number_if("eight_bit", header.eight_bit);
  write_hash(json, "message_id", header.message_id);
  json.number_if("scanner_fields", header.scanner_fields);
  json.end_object();
}

/// Adds the members of each kind of item.
class WriteBody {
 public:
  explicit WriteBody(JsonWriter& json) : json_(json) {}

  void operator()(const Command& command) const {
    json_.string("kind", "command");
    json_.string_if("verb", to_string(command.verb));
    json_.wire("text", command.text);
    json_.number_if("replies_owed_before", command.pending_before);
    write_line(json_, command.flags, command.ending);
  }

  void operator()(const AuthResponse& response) const {
    json_.string("kind", "auth-response");
    json_.true_if("cancelled", response.cancelled);
    json_.true_if("quit", response.quit);
    write_line(json_, 0, response.ending);
  }

  void operator()(const Reply& reply) const {
    json_.string("kind", "reply");
    json_.number("code", reply.code);
    json_.begin_array("lines");
    for (const ReplyLine& line : reply.lines) {
      json_.begin_object();
      if (line.code != 0) json_.number("code", line.code);
      json_.wire("text", line.text);
      write_line(json_, line.flags, line.ending);
      json_.end_object();
    }
    json_.end_array();
    json_.number("line_count", reply.line_count);
    json_.string("answers", to_string(reply.answers));
    json_.string_if("answers_verb", to_string(reply.verb));
    json_.number_if("ordinal", reply.ordinal);
    json_.true_if("codes_differ", reply.codes_differ);
    json_.true_if("incomplete", !reply.complete);
    write_line(json_, reply.flags, LineEnding::kCrLf);
  }

  void operator()(const GarbageLine& line) const {
    json_.string("kind", "garbage-line");
    json_.wire("text", line.text);
    write_line(json_, line.flags, line.ending);
  }

  void operator()(const MailData& data) const {
    json_.string("kind", "mail-data");
    json_.string("ended_by", to_string(data.end));
    write_headline(data.headline);
    write_facts(json_, data.facts);
    json_.number_if("early_octets", data.early_octets);
    json_.number_if("missing_octets", data.missing_octets);
    json_.true_if("assumed", data.assumed);
    json_.true_if("answered_early", data.answered_early);
  }

  void operator()(const Chunk& chunk) const {
    json_.string("kind", "chunk");
    json_.number("declared_octets", chunk.declared);
    json_.true_if("last", chunk.last);
    json_.true_if("incomplete", !chunk.complete);
    write_headline(chunk.headline);
    write_facts(json_, chunk.facts);
    json_.number_if("missing_octets", chunk.missing_octets);
  }

  void operator()(const Blob& blob) const {
    json_.string("kind", "blob");
    json_.number("declared_octets", blob.declared);
    json_.true_if("incomplete", !blob.complete);
  }

  void operator()(const ProxyHeader& header) const {
    json_.string("kind", "proxy-header");
    json_.number("version", header.version);
    json_.true_if("local", header.local);
    if (!header.text.empty()) json_.wire("text", header.text);
  }

  void operator()(const TlsRecord& record) const {
    json_.string("kind", "tls-record");
    json_.string("record", tls_record_name(record.type));
    json_.number("version", record.version);
    json_.number("length", record.length);
    if (record.handshake_type != 0) {
      json_.string("handshake", tls_handshake_name(record.handshake_type));
    }
    if (record.alert_level != 0) {
      json_.string("alert", tls_alert_name(record.alert_description));
      json_.true_if("fatal", record.alert_level == 2);  // RFC 8446 6
    }
    json_.true_if("encrypted", record.encrypted);
    json_.true_if("incomplete", !record.complete);
    if (record.messages != nullptr) write_messages(*record.messages);
  }

  void operator()(const Junk& junk) const {
    json_.string("kind", "junk");
    json_.string("reason", to_string(junk.reason));
    json_.wire("text", junk.text);
    write_line(json_, junk.flags, LineEnding::kCrLf);
  }

 private:
  void write_headline(const Headline& headline) const {
    if (!headline.subject.empty()) json_.wire("subject", headline.subject);
    if (!headline.message_id.empty()) json_.wire("message_id", headline.message_id);
  }

  void write_messages(const TlsMessages& messages) const {
    if (const auto& hello = messages.client_hello; hello && hello->readable) {
      json_.begin_object("client_hello");
      if (!hello->server_name.empty()) json_.wire("server_name", hello->server_name);
      if (hello->lowest != 0) json_.string("lowest_version", tls_version_text(hello->lowest));
      json_.string("highest_version", tls_version_text(hello->highest));
      json_.number("ciphers_offered", hello->cipher_suites);
      if (!hello->protocols.empty()) {
        json_.begin_array("alpn_offered");
        for (const std::string& protocol : hello->protocols) json_.element(protocol);
        json_.end_array();
      }
      json_.true_if("offers_resumption", hello->resumes);
      json_.true_if("early_data", hello->early_data);
      json_.end_object();
    }
    if (const auto& hello = messages.server_hello; hello && hello->readable) {
      json_.begin_object("server_hello");
      json_.string("version", tls_version_text(hello->version));
      json_.number("cipher_suite", hello->cipher_suite);
      json_.string("cipher", tls_cipher_text(hello->cipher_suite));
      if (!hello->protocol.empty()) json_.wire("alpn", hello->protocol);
      json_.true_if("retry", hello->retry);
      json_.true_if("resumed", hello->resumed);
      json_.end_object();
    }
    if (messages.certificates) write_chain(*messages.certificates);
    json_.true_if("client_certificate_asked", messages.certificate_requested);
  }

  void write_chain(const CertificateChain& chain) const {
    json_.begin_array("certificates");
    for (const std::string& der : chain.certificates) {
      const std::optional<TlsCertificate> certificate = read_certificate(octets_of(der));
      if (!certificate) continue;
      json_.begin_object();
      write_certificate(json_, *certificate);
      json_.end_object();
    }
    json_.end_array();
    json_.number("certificate_count", chain.count);
    json_.true_if("certificates_cut", chain.cut);
  }

  JsonWriter& json_;
};

}  // namespace

void write_item(JsonWriter& json, const Item& item) {
  json.string("side", to_string(item.side));
  json.number("begin", item.begin);
  json.number("end", item.end);
  json.number_if("hidden_octets", item.secret_end - item.secret_begin);
  std::visit(WriteBody(json), item.body);
}

void write_certificate(JsonWriter& json, const TlsCertificate& certificate) {
  json.wire("subject", certificate.subject);
  json.wire("issuer", certificate.issuer);
  if (!certificate.names.empty()) {
    json.begin_array("names");
    for (const std::string& name : certificate.names) json.element(name);
    json.end_array();
  }
  json.wire("not_before", certificate.not_before);
  json.wire("not_after", certificate.not_after);
  json.wire("key", certificate.key);
  json.wire("sha256", certificate.fingerprint);
  json.true_if("self_issued", certificate.self_issued());
}

void write_facts(JsonWriter& json, const MessageFacts& facts) {
  json.begin_object("facts");
  json.true_if("unseen", facts.unseen);
  json.number("octets", facts.octets);
  json.number("lines", facts.lines);
  json.number("longest_line", facts.longest_line);
  json.number("bare_cr", facts.bare_cr);
  json.number("bare_lf", facts.bare_lf);
  json.number("nul", facts.nul);
  json.number("eight_bit", facts.eight_bit);
  json.number("dot_lines", facts.dot_lines);
  json.number("unstuffed_dots", facts.unstuffed_dots);
  json.number_if("cr_cr_lf", facts.cr_cr_lf);
  json.number_if("long_lines", facts.long_lines);
  json.number_if("first_long_line", facts.first_long_line);
  json.number_if("first_bare_cr_at", facts.first_bare_cr_end);
  json.number_if("first_bare_lf_at", facts.first_bare_lf_end);
  json.number_if("first_cr_cr_lf_at", facts.first_cr_cr_lf_end);
  json.number_if("first_nul_at", facts.first_nul_end);
  json.number_if("first_unstuffed_dot_at", facts.first_unstuffed_dot_end);
  if (facts.first_candidate_end != 0) {
    json.begin_object("doubtful_ends");
    for (std::size_t i = 0; i < facts.candidates.size(); ++i) {
      json.number_if(to_string(static_cast<EodCandidate>(i)), facts.candidates[i]);
    }
    json.end_object();
    json.string("first_doubtful_end", to_string(facts.first_candidate));
    json.number("first_doubtful_end_at", facts.first_candidate_end);
  }
  write_hash(json, "digest", facts.digest);
  write_header(json, facts.header);
  json.end_object();
}

}  // namespace smtpscope
