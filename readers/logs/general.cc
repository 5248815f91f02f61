// Any text with a dialogue in it: who says what is found out by what is said.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/bare_dialogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/dialogue_book.h"
#include "readers/text/line_content.h"
#include "readers/text/literal.h"
#include "readers/text/marks.h"

namespace smtpscope {
namespace {

/// Messages are shortened, retold or left out in such texts.
constexpr DialogueBook::Traits kGeneralTraits = {
    .unknown = kUnknownOctets | kUnknownReads | kUnknownCloses | kUnknownContent,
    .message_lines = MessageLines::kSome};

/// The beginning of the text is kept until the marks in it are learnt.
class GeneralReader : public LogReader {
 public:
  GeneralReader(LogRun& run, WallTime latest)
      : run_(run), stamps_(latest), book_(run, latest, kGeneralTraits), bare_(book_) {}

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
  void tell(std::string_view line, bool dot_follows);
  void around(std::string_view line);
  std::string_view without_stamp(std::string_view line);
  bool retells(std::string_view text, Side from);

  LogRun& run_;
  LogStamps stamps_;
  DialogueBook book_;
  BareDialogue bare_;
  Marks marks_;
  std::string kept_;
  bool learnt_ = false;
};

void GeneralReader::learn() {
  learnt_ = true;
  marks_ = Marks::learnt_from(kept_);
  const std::string words = marks_.in_words();
  run_.note(words.empty()
                ? "read as a dialogue without marks: who said a line is told by what it says"
                : fmt::format("read as a dialogue, by what is said in it: {}", words));
  std::string_view rest = kept_;
  std::size_t last_dot = 0;
  for (std::size_t at = 0; (at = kept_.find("\n.\n", at)) != std::string::npos; ++at)
    last_dot = at + 1;
  // Marks may stand before the dot.
  const bool marked_dot = marks_.marks(Side::kClient);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const auto at = static_cast<std::size_t>(rest.data() - kept_.data());
    tell(rest.substr(0, end), marked_dot || at <= last_dot);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  kept_.clear();
  kept_.shrink_to_fit();
}

void GeneralReader::tell(std::string_view line, bool dot_follows) {
  const std::string_view whole = line;
  line = without_stamp(line);
  if (const auto found = marks_.find(line)) {
    std::string decoded;
    std::string_view text = found->text;
    if (read_literal(text, decoded)) text = without_line_end(decoded);
    if (!found->side) {
      bare_.take(text, dot_follows);
      return;
    }
    if (text.empty() && *found->side == Side::kServer) return;
    if (retells(text, *found->side)) return;
    if (!marks_.knows(other(*found->side))) book_.hide(other(*found->side));
    if (const auto at = glued_reply_at(text); at && *found->side == Side::kClient) {
      book_.say("", Side::kClient, text.substr(0, *at));
      book_.say("", Side::kServer, text.substr(*at));
      return;
    }
    book_.say("", *found->side, text);
    return;
  }
  const LogSession* session = book_.find("");
  const bool client_bare = !marks_.marks(Side::kClient);
  const bool server_bare = !marks_.marks(Side::kServer);
  if (client_bare && server_bare) {
    around(whole);
    bare_.take(line, dot_follows);
    return;
  }
  const LineContent content = content_of(without_leading_blanks(line));
  // Further lines of a reply often have no mark.
  if (content == LineContent::kReply && (server_bare || session != nullptr)) {
    book_.say("", Side::kServer, without_leading_blanks(line));
  } else if (client_bare && (content == LineContent::kCommand ||
                             (session != nullptr && session->sending_message()))) {
    book_.say("", Side::kClient, line);
  } else {
    around(whole);
  }
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
  const LogSession* session = book_.find("");
  if (session == nullptr) return true;
  if (from == Side::kServer || session->sending_message() || session->secret_asked()) return false;
  return text.starts_with('(') || text.starts_with('<') || text.starts_with("[");
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
