#include "readers/text/marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "readers/text/line_content.h"
#include "readers/text/literal.h"
#include "readers/text/log_lines.h"

namespace smtpscope {
namespace {

constexpr std::string_view kArrowCharacters = "<>=~*|+-";
constexpr std::string_view kQuotes = "\"'`";

bool is_arrow(char c) { return kArrowCharacters.find(c) != std::string_view::npos; }

/// Words that are marks without a sign behind them: sent "EHLO x".
bool is_speaking_word(std::string_view word) {
  constexpr std::array<std::string_view, 16> kWords = {
      "sent", "send",  "sending", "received", "receive", "recv", "read", "write",
      "got",  "wrote", "client",  "server",   "tx",      "rx",   "out",  "in"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view each) { return equal_ignoring_case(word, each); });
}

/// A speaking word behind `before` is a mark, and not one of a sentence: "the AUTH in EHLO
/// replies". Names in small letters stand before none.
bool may_speak_behind(std::string_view before) {
  before = without_trailing_blanks(before);
  if (before.empty() || !is_alphanumeric(before.back())) return true;
  const std::string_view word = before.substr(before.find_last_of(" \t") + 1);
  return std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// The last word of `text`; with `words` 2 the last two.
std::string_view last_words(std::string_view text, int words) {
  std::size_t at = text.size();
  for (int i = 0; i < words && at != 0; ++i) {
    while (at > 0 && is_blank(text[at - 1])) --at;
    while (at > 0 && !is_blank(text[at - 1])) --at;
  }
  return text.substr(at);
}

/// What of the text before a command or reply marks its side: the last word, if it ends in
/// something that no word of prose ends in. "" if there is none. Of two words where one stands
/// before both sides: "client >>" and "server >>".
std::string_view mark_of(std::string_view before, int words) {
  // b'220 …', "EHLO …": a literal of some language.
  const bool quoted = !before.empty() && kQuotes.find(before.back()) != std::string_view::npos;
  if (quoted) {
    before.remove_suffix(1);
    if (before.ends_with(" b") || before == "b") before.remove_suffix(1);
  }
  before = without_trailing_blanks(before);
  const std::string_view word = last_words(before, 1);
  if (word.empty() || word == ":") return {};
  if (is_alphanumeric(word.back())) {
    const bool speaks = is_speaking_word(word) &&
                        (quoted || may_speak_behind(before.substr(0, before.size() - word.size())));
    return speaks ? word : std::string_view();
  }
  if (words > 1) return last_words(before, words);
  // Of "Net::SMTP=GLOB(0x5589)>>>" the arrow alone.
  const std::size_t arrow = word.find_last_not_of(kArrowCharacters) + 1;
  if (arrow > 0 && arrow < word.size()) return word.substr(arrow);
  // "[192.0.2.1]:" and "812]:" name somebody, "(" and "," are prose.
  if (word.find_first_of("0123456789") != std::string_view::npos) return {};
  const char last = word.back();
  return last == ':' || last == ']' || last == '>' || last == ')' || last == '}' || is_arrow(last)
             ? word
             : std::string_view();
}

}  // namespace

std::optional<Side> Marks::Votes::side() const {
  constexpr std::size_t kClear = 4;
  if (commands * kClear <= replies) return Side::kServer;
  if (replies * kClear <= commands) return Side::kClient;
  return std::nullopt;
}

Marks Marks::learnt_from(std::string_view text) {
  Marks marks = learnt_from(text, 1);
  // One that stands before both may be half of a mark.
  const bool unclear = std::any_of(marks.votes_.begin(), marks.votes_.end(), [](const auto& each) {
    return !each.second.side().has_value();
  });
  if (!unclear) return marks;
  Marks longer = learnt_from(text, 2);
  const bool clear = !longer.votes_.empty() &&
                     std::all_of(longer.votes_.begin(), longer.votes_.end(),
                                 [](const auto& each) { return each.second.side().has_value(); });
  return clear ? longer : marks;
}

Marks Marks::learnt_from(std::string_view text, int words) {
  Marks marks;
  LogStamps stamps{WallTime{}};
  any_line(text, [&](std::string_view line) {
    if (const auto stamp = stamps.read_any(line)) {
      line.remove_prefix(std::min(stamp->size, line.size()));
    }
    line = without_written_line_end(without_leading_blanks(line));
    const FoundContent found = find_content(line);
    if (found.content == LineContent::kOther) return false;
    const bool reply = found.content == LineContent::kReply;
    const std::string_view said = line.substr(found.at);
    const bool greets = said.starts_with("220") || said.starts_with("554");
    Votes* votes = nullptr;
    if (found.at == 0) {
      votes = &marks.bare_;
    } else if (const std::string_view mark = mark_of(line.substr(0, found.at), words);
               !mark.empty()) {
      votes = &marks.votes_.try_emplace(std::string(mark)).first->second;
    }
    if (votes == nullptr) return false;
    ++(reply ? votes->replies : votes->commands);
    marks.greeting_ =
        marks.greeting_ || (reply && greets && said.find("SMTP") != std::string_view::npos);
    // FTP greets with the same code; its servers ask for a password then (RFC 959 5.4).
    marks.greeted_ = marks.greeted_ || (reply && said.starts_with("220"));
    marks.of_smtp_ = marks.of_smtp_ || (reply && said.starts_with("250"));
    marks.of_ftp_ = marks.of_ftp_ || (reply && said.starts_with("331"));
    constexpr std::size_t kMostMarks = 256;
    return marks.votes_.size() > kMostMarks;
  });
  marks.settle();
  return marks;
}

/// What stands before one line of a long text is no mark.
void Marks::settle() {
  std::size_t most = 0;
  for (const auto& [mark, votes] : votes_) {
    most = std::max(most, votes.replies + votes.commands);
  }
  constexpr std::size_t kShare = 50;
  std::erase_if(votes_, [&](const auto& each) {
    return (each.second.replies + each.second.commands) * kShare < most;
  });
  for (const auto& [mark, votes] : votes_) {
    const auto side = votes.side();
    if (side != Side::kServer) ++marked_[index(Side::kClient)];
    if (side != Side::kClient) ++marked_[index(Side::kServer)];
  }
}

bool Marks::knows(Side side) const {
  return marks(side) || (side == Side::kClient ? bare_.commands : bare_.replies) > 0;
}

bool Marks::make_a_dialogue() const {
  std::size_t replies = bare_.replies, commands = bare_.commands;
  for (const auto& [mark, votes] : votes_) {
    replies += votes.replies;
    commands += votes.commands;
  }
  const bool server_alone = replies > 2 && greeted_ && of_smtp_ && !of_ftp_;
  return (replies > 0 && commands > 0 && replies + commands > 2) || greeting_ || server_alone;
}

std::optional<Marks::Found> Marks::find(std::string_view line) const {
  constexpr std::size_t kLongestHead = 160;
  bool begins = true;
  for (std::size_t at = 0; at < line.size() && at < kLongestHead; ++at) {
    // At a word's beginning, or where an arrow stands at its end.
    const bool here = begins || (is_arrow(line[at]) && !is_arrow(line[at - 1]));
    begins = is_blank(line[at]);
    if (!here || begins) continue;
    const std::string_view rest = line.substr(at);
    const std::pair<const std::string, Votes>* best = nullptr;
    for (const auto& each : votes_) {
      const bool longer = best == nullptr || each.first.size() > best->first.size();
      if (!rest.starts_with(each.first) || !longer) continue;
      // ">" is not the beginning of ">>".
      const char last = each.first.back();
      const bool whole =
          rest.size() == each.first.size() ||
          (is_alphanumeric(last) ? is_blank(rest[each.first.size()])
                                 : !is_arrow(last) || !is_arrow(rest[each.first.size()]));
      if (whole) best = &each;
    }
    if (best == nullptr) continue;
    std::string_view said = rest.substr(best->first.size());
    // "<bob@example.net>" in a sentence.
    if (best->first == "<" && at > 0 && !said.empty() && !is_blank(said.front()) &&
        said.find('>') != std::string_view::npos) {
      continue;
    }
    // Columns are filled up with blanks.
    const std::string_view told = without_leading_blanks(said);
    if (is_alphanumeric(best->first.back()) && !may_speak_behind(line.substr(0, at)) &&
        (told.empty() || kQuotes.find(told.front()) == std::string_view::npos)) {
      continue;
    }
    const bool tells = content_of(told) != LineContent::kOther;
    if (tells) {
      said = told;
    } else if (said.starts_with(' ') || said.starts_with('\t')) {
      said.remove_prefix(1);
    }
    // "<<<getline<<< 220 …": it stands at both ends of a word.
    const std::size_t word_end = std::min(line.find_first_of(" \t", at), line.size());
    const std::size_t again = line.substr(0, word_end).rfind(best->first);
    if (!tells && again != std::string_view::npos && again > at &&
        again + best->first.size() == word_end) {
      return Found{best->second.side(), without_leading_blanks(line.substr(word_end)), at};
    }
    return Found{best->second.side(), said, at};
  }
  return std::nullopt;
}

std::string Marks::in_words() const {
  std::string words;
  for (const Side side : {Side::kServer, Side::kClient}) {
    std::string listed;
    for (const auto& [mark, votes] : votes_) {
      if (votes.side() == side)
        listed += fmt::format("{}\"{}\"", listed.empty() ? "" : " and ", mark);
    }
    if (listed.empty()) continue;
    words +=
        fmt::format("{}{} {} the {}", words.empty() ? "" : ", ", listed,
                    listed.find(" and ") == std::string::npos ? "marks" : "mark", to_string(side));
  }
  return words;
}

}  // namespace smtpscope
