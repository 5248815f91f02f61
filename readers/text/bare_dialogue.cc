#include "readers/text/bare_dialogue.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "parser/command_line.h"
#include "parser/credentials.h"
#include "parser/verb.h"
#include "readers/text/line_content.h"

namespace smtpscope {
namespace {

/// A server that did not know a command, or did not want it then (RFC 5321 4.2.4).
bool refuses_syntax(std::string_view reply) {
  return reply.starts_with("500") || reply.starts_with("501") || reply.starts_with("502") ||
         reply.starts_with("503");
}

/// A login of another protocol, or one that is spelled wrong. If it were left out, what the server
/// repeats of it could not be known as a secret.
bool is_login(std::string_view line) {
  std::vector<TextRange> words;
  find_credential_words(line, words);
  return !words.empty() || find_credentials(line) != std::string_view::npos;
}

/// Behind it clients that do not wait send their responses (RFC 4954 4).
bool begins_login(std::string_view command) {
  const Verb verb = verb_of(split_command(command).word);
  return verb == Verb::kAuth || verb == Verb::kXexps;
}

bool may_be_typed(std::string_view line) {
  constexpr std::size_t kLongest = 80;
  if (line == ".") return true;  // where DATA was forgotten or refused
  return !line.empty() && line.size() <= kLongest && is_alphanumeric(line.front());
}

/// One word, a word in capitals, or the name of a header field: "Subject: hello" of somebody who
/// forgot DATA. Prose that stands before a reply looks otherwise.
bool is_typed(std::string_view line) {
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  const bool alone = word.size() == line.size();
  const bool named = word.ends_with(':');
  // "Response:" alone is a heading.
  if (alone || named) return alone != named;
  constexpr std::size_t kShortestVerb = 3;  // "I get this"
  return word.size() >= kShortestVerb &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// Nothing that a client says leads to these: a greeting, and a server that gives up (RFC 5321
/// 3.8), which it may at any time.
bool comes_unasked(std::string_view reply) {
  return reply.starts_with("220") || reply.starts_with("421");
}

/// What an answer to EHLO offers, in capitals as servers write it. Those that are commands, too,
/// are left to the client.
bool is_keyword_line(std::string_view line) {
  constexpr std::array<std::string_view, 10> kKeywords = {
      "SIZE",     "8BITMIME",   "PIPELINING", "DSN",       "ENHANCEDSTATUSCODES",
      "CHUNKING", "BINARYMIME", "SMTPUTF8",   "DELIVERBY", "REQUIRETLS"};
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  return std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end();
}

}  // namespace

void BareDialogue::take(std::string_view line, bool dot_follows) {
  if (const auto at = glued_reply_at(line)) {
    take(line.substr(0, *at), dot_follows);
    take(line.substr(*at), dot_follows);
    return;
  }
  if (!waiting_.empty()) {
    if (line == "RENEGOTIATING" || line == "DONE") {
      waiting_.clear();
      ++swallowed_;
      return;
    }
    let_go();
  }
  const LogSession* session = book_.find("");
  const bool message = session != nullptr && session->sending_message();
  if (habits_.takes_r_and_q && !message && (line.starts_with('R') || line.starts_with('Q')) &&
      content_of(line) == LineContent::kCommand) {
    waiting_ = line;
    return;
  }
  tell(line, dot_follows);
}

void BareDialogue::let_go() {
  const std::string line = std::exchange(waiting_, {});
  if (!line.empty()) book_.say("", Side::kClient, line);
}

void BareDialogue::tell(std::string_view line, bool dot_follows) {
  const LogSession* session = book_.find("");
  const LineContent content = content_of(line);
  if (session != nullptr && session->sending_message()) {
    if (content == LineContent::kReply && !dot_follows) {
      reply(line);
    } else {
      book_.say("", Side::kClient, line);
    }
    return;
  }
  if (content == LineContent::kReply) {
    reply(line);
    return;
  }
  const bool unasked = behind_auth_ && looks_like_response(line);
  if (session != nullptr && (session->secret_asked() || unasked) && !line.empty()) {
    book_.say("", Side::kClient, line);
    return;
  }
  settle_odd();
  if (content == LineContent::kCommand) {
    reply_open_ = false;
    behind_auth_ = begins_login(line);
    book_.say("", Side::kClient, line);
    return;
  }
  odd_ = may_be_typed(line) || is_login(line) ? std::string(line) : std::string();
}

/// No reply follows it at once: nobody has typed it.
void BareDialogue::settle_odd() {
  const std::string odd = std::exchange(odd_, {});
  const LogSession* session = book_.find("");
  if (odd.empty() || session == nullptr || !is_keyword_line(odd)) return;
  if (session->last_speaker() == Side::kServer && session->last_verb() == "EHLO") {
    book_.say("", Side::kServer, odd);
  }
}

void BareDialogue::reply(std::string_view line) {
  const LogSession* session = book_.find("");
  if (!odd_.empty() && session != nullptr) {
    if (reply_open_) {
      book_.say("", Side::kServer, odd_);
    } else if (session->all_answered() && (refuses_syntax(line) || is_login(odd_) ||
                                           (is_typed(odd_) && !comes_unasked(line)))) {
      book_.say("", Side::kClient, odd_);
    }
  }
  odd_.clear();
  behind_auth_ = false;
  reply_open_ = line.size() > 3 && line[3] == '-';
  book_.say("", Side::kServer, line);
}

}  // namespace smtpscope
