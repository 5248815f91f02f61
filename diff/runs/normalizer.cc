#include "diff/runs/normalizer.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace smtpscope {
namespace {

constexpr std::string_view kDate = "date";
constexpr std::string_view kTimeStamp = "time-stamp";
constexpr std::string_view kMessageId = "message-id";
constexpr std::string_view kQueueId = "queue-id";
constexpr std::string_view kSessionId = "session-id";
constexpr std::string_view kChallenge = "challenge";
constexpr std::string_view kPort = "port";
constexpr std::string_view kProcessId = "process-id";

constexpr NormalizerKind kKinds[] = {
    {kDate, "dates and times of day, in replies and header fields"},
    {kTimeStamp, "seconds since 1970, in replies and header fields"},
    {kMessageId, "the values of Message-ID, References and the like"},
    {kQueueId, "by which the server names a message that it took"},
    {kSessionId, "by which the server names a session, in greetings and other replies"},
    {kChallenge, "the challenge of AUTH CRAM-MD5, and what is like it"},
    {kPort, "port numbers after addresses"},
    {kProcessId, "process ids"},
    {kBoundary, "boundary strings of multipart messages"},
    {kEhloOrder, "in which order a server lists its keywords"},
};

/// A regular expression and the normalisation that it belongs to. Its first group is what is set
/// aside. They are tried one after the other, so what is particular comes before what is general.
struct Row {
  std::string_view name;
  std::uint8_t places;
  std::string_view expression;
};

// What real servers say is quoted beside the expression that reads it.
constexpr Row kRows[] = {
    // "Tue, 24 Nov 2026 10:00:00 +0100 (CET)" (RFC 5322 3.3), as Exim and sendmail greet.
    {kDate, kInReply | kInHeader,
     R"(((?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), *)?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}(?::\d{2})?(?: (?:[+-]\d{4}|[A-Z]{1,5}))?(?: \([^()]*\))?))"},
    // "Tue Nov 24 10:00:00 2026", as asctime() writes it.
    {kDate, kInReply | kInHeader,
     R"(((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d{2}:\d{2}:\d{2}(?: [A-Z]{1,5})? \d{4}))"},
    // ISO 8601, RFC 3339.
    {kDate, kInReply | kInHeader,
     R"((\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?))"},
    {kMessageId, kInHeader,
     R"((?i)^(?:Resent-)?(?:Message-ID|References|In-Reply-To|Content-ID): *(\S.*))"},
    // "250 2.6.0 <id@host> [InternalId=123, Hostname=x] Queued mail for delivery" (Exchange).
    {kMessageId, kInReply, R"((<[^<>\s]+@[^<>\s]+>) (?:\[InternalId|Queued mail))"},
    {kQueueId, kInReply, R"(\bInternalId=(\w+))"},
    // "250 2.0.0 Ok: queued as 4F1B2A0C3D" (Postfix).
    {kQueueId, kInReply, R"((?i)\bqueued as ([\w.-]+))"},
    // "250 OK id=1rABcd-000123-4E" (Exim).
    {kQueueId, kInReply, R"(\bid=([\w.-]+))"},
    // "250 2.0.0 3AO9x1Yz012345 Message accepted for delivery" (sendmail, OpenSMTPD).
    {kQueueId, kInReply, R"(([\w-]{6,}) Message accepted for delivery)"},
    // "250 2.0.0 OK 1700000000 x13-20020a05si123456wmj.60 - gsmtp" (Google).
    {kTimeStamp, kInReply | kInHeader, R"(\b(1\d{9}(?:\.\d+)?)\b)"},
    {kSessionId, kInReply, R"(([\w.-]{8,}) - gsmtp)"},
    // "250 2.0.0 <bob@example.net> kP5qGzJcR2VkAAAA Saved" (Dovecot).
    {kQueueId, kInReply, R"(([\w+/]{8,}(?::[\w+/]+)*) Saved\b)"},
    // "250 ok 1700000000 qp 12345" (qmail).
    {kProcessId, kInReply, R"(\bqp (\d+))"},
    {kProcessId, kInReply | kInHeader, R"((?i)\bpid[ =:] *(\d+))"},
    {kProcessId, kInReply | kInHeader, R"(\b[a-z]\w*\[(\d{2,7})\])"},
    // "Received: … with ESMTP id 4F1B2A0C3D" (RFC 5321 4.4).
    {kQueueId, kInHeader, R"(\bid ([0-9A-Za-z][\w.-]{5,}))"},
    // "220 mx.example ESMTP 5b1f17b1804b1-45f00a00a00si1", "session id=…", "sid=…".
    {kSessionId, kInReply,
     R"(^220[ -]\S+ ESMTP(?: [A-Za-z]+)? ((?:[\w]+-)*\w*\d\w*[a-z]\w*\d[\w.-]{3,}))"},
    {kSessionId, kInReply,
     R"((?i)\b(?:session|sid|trace|connection)(?:[-_ ]?id)?[=:] ?([\w.-]{6,}))"},
    // The challenge of CRAM-MD5 (RFC 2195 2) is a msg-id in base64: "<…".
    {kChallenge, kInReply, R"(^334 (PD[A-Za-z0-9+/]{8,}=*))"},
    // "[127.0.0.1]:50114", "192.0.2.10:50114", "port 50114", "PORT=50114" (XCLIENT).
    {kPort, kInCommand | kInReply | kInHeader, R"(\]:(\d{1,5})\b)"},
    {kPort, kInCommand | kInReply | kInHeader, R"(\b\d{1,3}(?:\.\d{1,3}){3}:(\d{1,5})\b)"},
    {kPort, kInCommand | kInReply | kInHeader, R"((?i)\bport[= ](\d{1,5})\b)"},
    {kBoundary, kInHeader, R"((?i)\bboundary="([^"]+)\")"},
    {kBoundary, kInHeader, R"((?i)\bboundary=([^"\s;]+))"},
};

std::string known_names() {
  std::string names;
  for (const NormalizerKind& kind : kKinds) names += fmt::format("{}, ", kind.name);
  return names + "all";
}

}  // namespace

class Normalizers::Pattern {
 public:
  Pattern(std::string_view name, std::uint8_t places, std::string_view expression)
      : name_(name), places_(places), expression_(make(expression)) {
    group_ = expression_->NumberOfCapturingGroups() > 0 ? 1 : 0;
  }

  bool ok() const { return expression_->ok(); }
  const std::string& error() const { return expression_->error(); }
  bool concerns(TextPlace place) const { return (places_ & place) != 0; }

  /// Sets aside every match.
  void apply(NormalizedText& into) const {
    const re2::StringPiece text(into.text);
    std::string out;
    std::size_t at = 0, done = 0;
    std::array<re2::StringPiece, 2> groups;
    while (at <= text.size() &&
           expression_->Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), group_ + 1)) {
      const re2::StringPiece& found = groups[static_cast<std::size_t>(group_)];
      const auto behind = [&](const re2::StringPiece& piece) {
        return static_cast<std::size_t>(piece.data() - text.data()) + piece.size();
      };
      if (found.data() != nullptr && !found.empty()) {
        const std::size_t begin = behind(found) - found.size();
        out.append(into.text, done, begin - done);
        out += fmt::format("<{}>", name_);
        into.values.push_back({name_, std::string(found.data(), found.size())});
        done = behind(found);
      }
      // An empty match would be found again and again.
      at = std::max(behind(groups[0]), at + 1);
    }
    if (done == 0) return;
    out.append(into.text, done);
    into.text = std::move(out);
  }

 private:
  static std::unique_ptr<RE2> make(std::string_view expression) {
    RE2::Options options;
    options.set_log_errors(false);
    // What is on the wire need not be UTF-8, and an expression for ASCII reads UTF-8 all the same.
    options.set_encoding(RE2::Options::EncodingLatin1);
    return std::make_unique<RE2>(re2::StringPiece(expression.data(), expression.size()), options);
  }

  std::string_view name_;
  std::uint8_t places_;
  std::unique_ptr<RE2> expression_;
  int group_ = 0;
};

Normalizers::Normalizers() = default;
Normalizers::Normalizers(Normalizers&&) noexcept = default;
Normalizers& Normalizers::operator=(Normalizers&&) noexcept = default;
Normalizers::~Normalizers() = default;

std::span<const NormalizerKind> all_normalizers() { return kKinds; }

Result<Normalizers> Normalizers::make(const Options& options) {
  for (const std::string& name : options.off) {
    if (name == "all" ||
        std::ranges::find(kKinds, name, &NormalizerKind::name) != std::ranges::end(kKinds)) {
      continue;
    }
    return Error{fmt::format("there is no normalizer \"{}\"; there are {}", name, known_names())};
  }
  Normalizers made;
  for (const NormalizerKind& kind : kKinds) {
    const bool off = std::ranges::any_of(
        options.off, [&](const std::string& name) { return name == "all" || name == kind.name; });
    if (!off) made.on_.push_back(kind.name);
  }
  // The user's first: what they name may be part of what a row would replace.
  for (const std::string& expression : options.ignore) {
    constexpr std::uint8_t kAnywhere = kInCommand | kInReply | kInHeader | kInBody;
    Pattern pattern(kIgnored, kAnywhere, expression);
    if (!pattern.ok()) {
      return Error{fmt::format("\"{}\" is no regular expression: {}", expression, pattern.error())};
    }
    made.patterns_.push_back(std::move(pattern));
  }
  for (const Row& row : kRows) {
    if (made.is_on(row.name)) made.patterns_.emplace_back(row.name, row.places, row.expression);
  }
  return made;
}

bool Normalizers::is_on(std::string_view name) const {
  return std::ranges::find(on_, name) != on_.end();
}

NormalizedText Normalizers::apply(std::string_view text, TextPlace place) const {
  NormalizedText out{std::string(text), {}};
  for (const Pattern& pattern : patterns_) {
    if (pattern.concerns(place)) pattern.apply(out);
  }
  return out;
}

}  // namespace smtpscope
