// JavaMail, Jakarta Mail and Angus with mail.debug=true: the dialogue stands bare between lines of
// the library. A login is left out unless mail.debug.auth is set; then the exception at the end
// tells how it was refused.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "readers/logs/catalogue.h"
#include "readers/text/bare_dialogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class JavamailReader : public PastedReader {
 public:
  JavamailReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "JavaMail", .unknown = kPrintedHides}), bare_(book_) {}

  void read_line(std::string_view line) override {
    const std::size_t at = line.find("DEBUG");
    if (at < kLongestHead && line.substr(at).starts_with("DEBUG SMTP")) {
      const std::string_view text = line.substr(at);
      head_ = at;
      book_.at(stamps_.read_any(line));
      const std::size_t colon = text.find(": ");
      if (colon != std::string_view::npos) remark(text.substr(colon + 2));
      return;
    }
    if (line.starts_with("DEBUG: ")) return;
    if (head_ > 0) line = without_head(line);
    if (exception(line)) return;
    bare_.take(line);
  }

 private:
  static constexpr std::size_t kLongestHead = 120;

  /// What a logger puts before each line.
  std::string_view without_head(std::string_view line) {
    const auto stamp = stamps_.read_any(line);
    if (!stamp) return line;
    book_.at(stamp);
    const FoundContent found = find_content(line.substr(std::min(stamp->size, line.size())));
    if (found.content != LineContent::kOther) return line.substr(stamp->size + found.at);
    return line.substr(std::min(head_, line.size()));
  }

  void remark(std::string_view text) {
    if (text.starts_with("trying to connect to host ")) {
      book_.announce("",
                     fmt::format("{}:{}", between(text, "\"", "\""), between(text, "port ", ",")));
    } else if (text.ends_with(" command trace suppressed")) {
      hidden_login_ = text.substr(0, text.find(" command"));
    } else if (text.ends_with(" succeeded")) {
      hidden_login_.clear();
    }
  }

  /// True for what no side said.
  bool exception(std::string_view line) {
    if (line.starts_with("\tat ") || line.starts_with("\t... ")) return true;
    const std::size_t at = line.find("Exception: ");
    if (at == std::string_view::npos) return line.ends_with("Exception");
    const std::string_view reason = line.substr(at + 11);
    if (line.find("AuthenticationFailed") != std::string_view::npos && is_reply_line(reason) &&
        !hidden_login_.empty() && book_.find("") != nullptr) {
      book_.say("", Side::kClient, std::exchange(hidden_login_, {}) + " ********");
      book_.say("", Side::kServer, reason);
    } else if (handshake_failed(line)) {
      book_.fail_handshake("", std::nullopt, line);
    } else if (line.find("[EOF]") != std::string_view::npos) {
      book_.close("", Side::kServer, line);
    }
    return true;
  }

  BareDialogue bare_;
  std::size_t head_ = 0;
  std::string hidden_login_;
};

bool recognises_javamail(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find("DEBUG SMTP") != std::string_view::npos;
  });
}

}  // namespace

const LogKind kJavamailKind = {
    .name = "javamail",
    .description = "what JavaMail, Jakarta Mail and Angus print",
    .how = "mail.debug=true, and mail.debug.auth=true to see the login",
    .recognises = recognises_javamail,
    .make = make_log_reader<JavamailReader>,
};

}  // namespace smtpscope
