// Any text with a dialogue in it: who says what is found out by what is said.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "parser/verb.h"
#include "readers/logs/catalogue.h"
#include "readers/text/bare_dialogue.h"
#include "readers/text/bare_stretches.h"
#include "readers/text/connection_words.h"
#include "readers/text/dialogue_book.h"
#include "readers/text/line_content.h"
#include "readers/text/literal.h"
#include "readers/text/marks.h"
#include "readers/text/omission.h"
#include "readers/text/proxy_legs.h"

namespace smtpscope {
namespace {

/// "Connected!", "Info: STARTTLS is offered", "TLS session ready!", "Once more over TLS...": words
/// about a client, and not its own, be they wrong commands. Only what reads like a sentence: what
/// is left out cannot be known for a secret where the server repeats it.
bool is_remark(std::string_view text) {
  text = trimmed_blanks(text);
  if (text.size() < 2 || verb_of(text.substr(0, text.find(' '))) != Verb::kUnknown) return false;
  const bool sentence =
      text.starts_with("TLS ") || text.starts_with("SSL ") ||
      (is_letter(text[0]) && text[0] == upper(text[0]) && text[1] != upper(text[1]));
  const std::size_t words = 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
  constexpr std::size_t kHeaded = 4;  // "Info: STARTTLS is offered", not "Authorization: Basic …"
  const bool headed = text.find(": ") == text.find(' ') - 1 && words >= kHeaded;
  const bool prose = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || std::string_view(" .,:;!'-").find(c) != std::string_view::npos;
  });
  return sentence && prose && (headed || text.ends_with('!') || text.ends_with("..."));
}

/// The beginning of the text is kept until the marks in it are learnt.
class GeneralReader : public LogReader {
 public:
  GeneralReader(LogRun& run, WallTime latest)
      : run_(run), stamps_(latest), book_(run, latest, kTypedTraits), bare_(book_) {}

  void read(std::string_view line) override {
    if (learnt_) {
      tell(line, /*dot_follows=*/true);
      return;
    }
    kept_ += line;
    kept_ += '\n';
    if (kept_.size() >= kLearnFrom) learn();
  }

  void finish() override {
    if (!learnt_) learn();
    bare_.finish();
    book_.finish();
  }

 private:
  static constexpr std::size_t kLearnFrom = std::size_t{1024} * 1024;

  void learn();
  void read_kept();
  void turn_to_bare_lines(bool bare);
  void tell(std::string_view line, bool dot_follows);
  void tell_marked(std::string_view text, std::optional<Side> side, bool dot_follows);
  void tell_unmarked(std::string_view line, std::string_view whole, bool dot_follows);
  void around(std::string_view line);
  std::string_view without_stamp(std::string_view line);
  bool retells(std::string_view text, Side from);
  bool leaves_out(std::string_view text);
  Side speaker(std::string_view text, Side marked);

  LogRun& run_;
  LogStamps stamps_;
  DialogueBook book_;
  BareDialogue bare_;
  Marks marks_;
  ProxyLegs legs_;
  std::string_view key_;  // of the session that the last line with a mark is of
  std::string kept_;
  bool learnt_ = false;
  bool bare_only_ = false;  // the lines being read are a dialogue without marks
};

void GeneralReader::learn() {
  learnt_ = true;
  marks_ = Marks::learnt_from(kept_);
  const std::string words = marks_.in_words();
  run_.note(words.empty()
                ? "read as a dialogue without marks: who said a line is told by what it says"
                : fmt::format("read as a dialogue, by what is said in it: {}", words));
  legs_ = ProxyLegs::learnt_from(kept_, marks_);
  if (legs_.known()) {
    run_.note("it shows both connections of a proxy, one of them indented: each is a session");
  }
  read_kept();
  kept_.clear();
  kept_.shrink_to_fit();
}

void GeneralReader::read_kept() {
  const std::vector<TextPart> bare = bare_stretches(kept_, marks_);
  if (!bare.empty()) {
    run_.note("it has a dialogue without marks, too: that is a session of its own");
  }
  auto part = bare.begin();
  std::string_view rest = kept_;
  std::size_t last_dot = 0;
  for (std::size_t at = 0; (at = kept_.find("\n.\n", at)) != std::string::npos; ++at)
    last_dot = at + 1;
  // Marks may stand before the dot.
  const bool marked_dot = marks_.marks(Side::kClient);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const auto at = static_cast<std::size_t>(rest.data() - kept_.data());
    if (part != bare.end() && at >= part->end) ++part;
    turn_to_bare_lines(part != bare.end() && at >= part->begin);
    tell(rest.substr(0, end), (marked_dot && !bare_only_) || at <= last_dot);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  turn_to_bare_lines(false);
}

/// What has marks and what has none are sessions of their own; but a message may quote anything.
void GeneralReader::turn_to_bare_lines(bool bare) {
  if (bare == bare_only_) return;
  const LogSession* session = book_.find("");
  if (bare && session != nullptr && session->sending_message()) return;
  bare_.finish();
  book_.end("");
  bare_only_ = bare;
}

void GeneralReader::tell(std::string_view line, bool dot_follows) {
  const std::string_view whole = line;
  line = without_written_line_end(without_stamp(line));
  const auto found = bare_only_ ? std::nullopt : marks_.find(line);
  if (!found) {
    tell_unmarked(line, whole, dot_follows);
    return;
  }
  key_ = legs_.key_of(line, found->at);
  const auto each = [&](std::string_view text) { tell_marked(text, found->side, dot_follows); };
  std::string decoded;
  if (!read_literal(found->text, decoded)) {
    each_written_line(found->text, each);
  } else if (decoded.empty()) {
    each(decoded);
  } else {
    each_text_line(decoded, each);
  }
}

void GeneralReader::tell_marked(std::string_view text, std::optional<Side> side, bool dot_follows) {
  if (!side) {
    bare_.take(text, dot_follows);
    return;
  }
  if (text.empty() && *side == Side::kServer) return;
  if (leaves_out(text)) return;
  const Side from = speaker(text, *side);
  if (retells(text, from)) return;
  if (!marks_.knows(other(from))) book_.hide(other(from));
  if (const auto at = glued_reply_at(text); at && from == Side::kClient) {
    book_.say(key_, Side::kClient, text.substr(0, *at));
    book_.say(key_, Side::kServer, text.substr(*at));
    return;
  }
  book_.say(key_, from, text);
}

void GeneralReader::tell_unmarked(std::string_view line, std::string_view whole, bool dot_follows) {
  const LogSession* session = book_.find(key_);
  const bool client_bare = bare_only_ || !marks_.marks(Side::kClient);
  const bool server_bare = bare_only_ || !marks_.marks(Side::kServer);
  if (client_bare && server_bare) {
    if (leaves_out(line)) return;
    around(whole);
    bare_.take(line, dot_follows);
    return;
  }
  const LineContent content = content_of(without_leading_blanks(line));
  // Further lines of a reply often have no mark.
  if (content == LineContent::kReply && (server_bare || session != nullptr)) {
    book_.say(key_, Side::kServer, without_leading_blanks(line));
  } else if (client_bare && (content == LineContent::kCommand ||
                             (session != nullptr && session->sending_message()))) {
    book_.say(key_, Side::kClient, line);
  } else if (!leaves_out(line)) {
    around(whole);
  }
}

/// Behind a challenge it stands for the answer.
bool GeneralReader::leaves_out(std::string_view text) {
  const LogSession* session = book_.find(key_);
  if (session == nullptr || session->secret_asked() || !marks_omission(text)) return false;
  book_.omit_on_only();
  return true;
}

/// Who says `text`, where somebody drew an arrow the wrong way round: a reply is the server's and a
/// command the client's. But a message may have any line, and a server may offer by keywords that
/// are commands (RFC 5321 4.1.1.1).
Side GeneralReader::speaker(std::string_view text, Side marked) {
  const LogSession* session = book_.find(key_);
  const bool free = session == nullptr || (!session->sending_message() && !session->reply_open() &&
                                           !session->secret_asked());
  if (!free) return marked;
  const LineContent content = content_of(text);
  if (content == LineContent::kReply) return Side::kServer;
  constexpr std::array<std::string_view, 8> kOnlyCommands = {"EHLO", "HELO", "MAIL", "RCPT",
                                                             "DATA", "RSET", "NOOP", "QUIT"};
  const std::string_view verb = text.substr(0, text.find_first_of(" \t"));
  const bool command = content == LineContent::kCommand &&
                       std::any_of(kOnlyCommands.begin(), kOnlyCommands.end(),
                                   [&](auto each) { return equal_ignoring_case(verb, each); });
  return command ? Side::kClient : marked;
}

/// The stamp may stand behind the level of a line: "[INFO ] 2024-05-01 10:00:00 client >> QUIT".
std::string_view GeneralReader::without_stamp(std::string_view line) {
  if (const auto stamp = stamps_.read_any(line)) {
    book_.at(stamp);
    return without_leading_blanks(line.substr(std::min(stamp->size, line.size())));
  }
  const FoundContent found = find_content(line);
  if (found.content == LineContent::kOther) return line;
  constexpr std::size_t kFurthest = 48;
  const std::string_view head = line.substr(0, std::min(found.at, kFurthest));
  for (std::size_t at = head.find(' '); at != std::string_view::npos; at = head.find(' ', at + 1)) {
    const auto stamp = stamps_.read_any(line.substr(at + 1));
    if (!stamp || at + 1 + stamp->size > found.at) continue;
    book_.at(stamp);
    break;
  }
  return line;
}

/// "Client: connects", "C: (message, 2 MB)": what somebody tells of a side, not what it said.
bool GeneralReader::retells(std::string_view text, Side from) {
  if (content_of(text) != LineContent::kOther) return false;
  const LogSession* session = book_.find(key_);
  if (session == nullptr) return true;
  if (session->sending_message() || session->secret_asked()) return false;
  if (from == Side::kServer) return text.starts_with('<') && text.ends_with('>');
  return text.starts_with('(') || text.starts_with('<') || text.starts_with("[") || is_remark(text);
}

/// What a program says about the connection.
void GeneralReader::around(std::string_view line) {
  const LogSession* session = book_.find("");
  if (session != nullptr && session->sending_message()) return;
  if (const auto server = server_in(line)) {
    book_.announce("", *server);
  } else if (closed_by_server(line) && session != nullptr) {
    book_.close("", Side::kServer, trimmed_blanks(line));
  } else if (handshake_failed(line) && session != nullptr) {
    book_.fail_handshake("", std::nullopt, trimmed_blanks(line));
  } else {
    book_.remark_on_only(trimmed_blanks(line));
  }
}

bool recognises_dialogue(std::string_view text) {
  return Marks::learnt_from(text).make_a_dialogue();
}

}  // namespace

const LogKind kGeneralKind = {
    .name = "dialogue",
    .description = "any text with a dialogue in it, marked in whatever way",
    .how = "copy what a program or a terminal shows, or write it down: S: 220 ..., C: EHLO ...",
    .recognises = recognises_dialogue,
    .make = make_log_reader<GeneralReader>,
};

}  // namespace smtpscope
