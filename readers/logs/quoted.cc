// What quotes a server's refusal and has no dialogue: the error that a program ends with, a bounce,
// a log of deliveries. Each refusal is a session of its own; what is said of it twice is one.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <unordered_set>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"
#include "readers/text/quoted_reply.h"

namespace smtpscope {
namespace {

/// Where nothing but a code is there, something else has to speak of mail.
bool speaks_of_mail(std::string_view text) {
  constexpr std::array<std::string_view, 7> kSigns = {"SMTP",    "smtp",  "RCPT",     "MAIL FROM",
                                                      " said: ", "_said", "recipient"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return text.find(sign) < text.size(); });
}

/// Other protocols have codes of three digits, too: SMTP's codes for refusals (RFC 5321 4.2.3, RFC
/// 4954 6), with an enhanced code, or in what speaks of mail.
bool is_of_smtp(std::string_view reply, bool of_mail) {
  constexpr std::array<std::string_view, 25> kCodes = {
      "421", "430", "432", "450", "451", "452", "454", "455", "471", "500", "501", "502", "503",
      "504", "521", "530", "534", "535", "538", "550", "551", "552", "553", "554", "556"};
  if (std::find(kCodes.begin(), kCodes.end(), reply.substr(0, 3)) == kCodes.end()) return false;
  const std::string_view words = reply.substr(std::min<std::size_t>(reply.size(), 4));
  const bool enhanced = words.size() > 4 && words[0] == reply[0] && words[1] == '.' &&
                        is_digit(words[2]) && (words[3] == '.' || words[4] == '.');
  return enhanced || of_mail;
}

/// Bounces fold their lines, and begin those that go on with blanks; a reply may have several.
class QuotedReader : public LogReader {
 public:
  QuotedReader(LogRun& run, WallTime latest)
      : run_(run),
        stamps_(latest),
        book_(run, latest, {.unknown = kPrintedWithoutMessages | kUnknownReplyLines}) {}

  void read(std::string_view line) override {
    if (const auto stamp = stamps_.read_any(line)) {
      tell();
      book_.at(stamp);
      line = line.substr(std::min(stamp->size, line.size()));
    }
    const std::string_view text = trimmed_blanks(line);
    if (text.empty()) return tell();
    const bool folded = is_blank(line.front()) && reply_quoted_in(text).empty() &&
                        pending_.find(" said: ") < pending_.size();
    if (goes_on(text) || folded) {
      pending_ += ' ';
    } else {
      tell();
    }
    if (pending_.size() + text.size() < kMostKept) pending_ += text;
    if (around_.size() + text.size() < kMostKept) around_.append(text).append("\n");
  }

  void finish() override {
    tell();
    // A command may be named behind the reply: "command: 'AUTH PLAIN'".
    const bool of_mail = speaks_of_mail(around_);
    for (const std::string& line : kept_) {
      const QuotedRefusal refusal = QuotedRefusal::in(line, around_);
      if (is_of_smtp(refusal.lines.back(), of_mail) && is_new(refusal)) refusal.tell(book_);
    }
    book_.finish();
    if (untold_ > 0) {
      run_.note(fmt::format("{} more refusals are quoted in it, which are not shown", untold_));
    }
  }

 private:
  static constexpr std::size_t kMostKept = std::size_t{16} * 1024;
  static constexpr std::size_t kMostRefusals = 4096, kMostKeptBack = 256;

  /// "534-5.7.14 …" behind a line of the same reply.
  bool goes_on(std::string_view text) const {
    const std::string_view reply = reply_quoted_in(pending_);
    return reply.size() > 3 && reply[3] == '-' && text.starts_with(reply.substr(0, 3));
  }

  void tell() {
    if (pending_.empty()) return;
    const QuotedRefusal refusal = QuotedRefusal::in(pending_, {});
    // Of a login the mechanism may be named elsewhere.
    const bool whole =
        refusal.message || (!refusal.command.empty() && refusal.command != QuotedRefusal::kLogin);
    if (!refusal.lines.empty() && whole &&
        is_of_smtp(refusal.lines.back(), speaks_of_mail(pending_))) {
      if (is_new(refusal)) refusal.tell(book_);
    } else if (!refusal.lines.empty()) {
      kept_.size() < kMostKeptBack ? kept_.push_back(pending_) : void(++untold_);
    } else if (says_unreachable(pending_)) {
      book_.announce("", failed_server_in(pending_).value_or(""));
      book_.remark("", pending_);
    }
    pending_.clear();
  }

  /// Errors are said by several programs in turn, each with what the last one said.
  bool is_new(const QuotedRefusal& refusal) {
    constexpr std::size_t kTold = 48;
    std::string key = refusal.lines.front().substr(0, kTold);
    if (key.size() > 3) key[3] = ' ';
    if (told_.size() >= 2 * kMostRefusals) {
      ++untold_;
      return false;
    }
    // Behind what a bounce says in words stands the same as "Diagnostic-Code:", without a server.
    const bool first = told_.insert(key).second;
    return refusal.server.empty() ? first : told_.insert(key + ' ' + refusal.server).second;
  }

  LogRun& run_;
  LogStamps stamps_;
  DialogueBook book_;
  std::uint64_t untold_ = 0;  // refusals beyond those
  std::string pending_, around_;
  std::vector<std::string> kept_;  // refusals of which nothing else is known yet
  std::unordered_set<std::string> told_;
};

bool recognises_quoted(std::string_view text) {
  std::optional<bool> of_mail;
  return any_line(text, [&](std::string_view line) {
    const QuotedRefusal refusal = QuotedRefusal::in(line, {});
    if (refusal.lines.empty()) return false;
    if (!of_mail) of_mail = speaks_of_mail(text);
    return is_of_smtp(refusal.lines.back(), *of_mail);
  });
}

}  // namespace

const LogKind kQuotedKind = {
    .name = "error",
    .description = "errors, bounces and logs of any program that quote a server's refusal",
    .how = "copy the error, or the bounce, as it is shown",
    .recognises = recognises_quoted,
    .make = make_log_reader<QuotedReader>,
};

}  // namespace smtpscope
