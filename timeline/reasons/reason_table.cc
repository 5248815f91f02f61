#include "timeline/reasons/reason_table.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "timeline/reasons/built_in_reasons.h"
#include "timeline/reasons/pattern_options.h"
#include "timeline/reasons/reason_lines.h"
#include "timeline/reasons/reply_words.h"
#include "timeline/reasons/word_pattern.h"

namespace smtpscope {
namespace {

/// What an enhanced code that agrees adds to the weight of words: as much as words that say it in
/// passing lack of words that say it.
constexpr int kAgreement = 14;
/// Words of at least this weight are meant by a server that speaks of something else in its codes.
constexpr int kContradiction = 50;
/// An enhanced code of at least this weight says one thing and no other.
constexpr int kPlainCode = 40;
/// One expression for a list of them, or nothing.
Result<std::unique_ptr<RE2>> any_of(const std::vector<std::string>& patterns,
                                    std::string_view name) {
  std::string all;
  for (const std::string& pattern : patterns) {
    all += fmt::format("{}(?:{})", all.empty() ? "" : "|", pattern);
  }
  if (all.empty()) return std::unique_ptr<RE2>();
  auto expression = std::make_unique<RE2>(all, pattern_options());
  if (!expression->ok()) return Error{fmt::format("{}: {}", name, expression->error())};
  return expression;
}

/// Words that say a thing by themselves need not stand where they usually do, if nobody knows where
/// they stood.
constexpr int kSaysByItself = 70;

bool holds(const ReasonLine& line, const Refusal& refusal, const EnhancedPattern* enhanced) {
  const ReasonCondition& when = line.when;
  const bool anywhere = refusal.stage == ReplyStage::kUnknown && line.weight >= kSaysByItself;
  if (when.stages != 0 && !anywhere &&
      (when.stages >> static_cast<unsigned>(refusal.stage) & 1U) == 0) {
    return false;
  }
  if (!when.codes.empty() && std::ranges::none_of(when.codes, [&](const CodePattern& code) {
        return code.matches(refusal.code);
      })) {
    return false;
  }
  return when.enhanced.empty() ||
         (enhanced != nullptr &&
          std::ranges::any_of(when.enhanced, [&](const EnhancedPattern& pattern) {
            return pattern.matches(*enhanced);
          }));
}

/// Words whose place is not known say less than words that stand where they usually do.
int weight_of(const ReasonLine& line, const Refusal& refusal) {
  constexpr int kElsewhere = 20;
  const bool elsewhere = line.when.stages != 0 && refusal.stage == ReplyStage::kUnknown;
  return elsewhere ? line.weight - kElsewhere : line.weight;
}

/// How much speaks for each reason.
struct Weights {
  std::array<int, kReplyReasons> of{};

  void raise(ReplyReason reason, int weight) {
    int& place = of[static_cast<std::size_t>(reason)];
    place = std::max(place, weight);
  }
  int& operator[](ReplyReason reason) { return of[static_cast<std::size_t>(reason)]; }
  /// The heaviest; the first of the list among equals. kUnknown if nothing weighs.
  ReplyReason heaviest() const {
    const auto at = std::ranges::max_element(of);
    return *at == 0 ? ReplyReason::kUnknown : static_cast<ReplyReason>(at - of.begin());
  }
};

/// An enhanced code among the words, as qmail writes it: "(#5.1.1)", "#4.4.5 Too many".
bool quoted_enhanced(std::string_view text, EnhancedPattern& code) {
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    std::string_view rest = text.substr(at + 1);
    if (read_enhanced(take_enhanced_code(rest), code)) return true;
  }
  return false;
}

/// Servers say the same to many, and weighing it takes longer than all else that a refusal costs.
/// Each thread has its own last ones: files are read in parallel.
struct Judged {
  std::uint64_t table = 0;  // 0: nothing yet
  std::uint16_t code = 0;
  ReplyStage stage = ReplyStage::kUnknown;
  std::string enhanced;
  std::string text;  // as plain_words() has it: without names
  ReasonVerdict verdict;

  bool is(std::uint64_t of_table, const Refusal& refusal, std::string_view words) const {
    return table == of_table && code == refusal.code && stage == refusal.stage &&
           enhanced == refusal.enhanced && text == words;
  }
};
constexpr std::size_t kJudged = 32;

/// Tables come and go, and their addresses come again.
std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

struct ReasonTable::Content {
  const std::uint64_t id = next_id();
  std::vector<ReasonLine> codes;                                   // kEnhanced and kCode
  std::vector<std::pair<ReasonLine, WordPattern>> words_of_lines;  // kWords
  std::unique_ptr<RE2> ignored, temporary, permanent;
  std::array<ReasonWords, kReplyReasons> words;
  std::array<bool, kReplyReasons> wait{};
};

ReasonTable::ReasonTable(std::unique_ptr<Content> content) : content_(std::move(content)) {}
ReasonTable::~ReasonTable() = default;
ReasonTable::ReasonTable(ReasonTable&&) noexcept = default;
ReasonTable& ReasonTable::operator=(ReasonTable&&) noexcept = default;

const ReasonTable& ReasonTable::built_in() {
  static const ReasonTable kTable = [] {
    Result<ReasonTable> made = make("", "");
    assert(made.ok());  // a test reads it
    return std::move(made.value());
  }();
  return kTable;
}

Result<ReasonTable> ReasonTable::extended(std::string_view text, std::string_view name) {
  return make(text, name);
}

Result<ReasonTable> ReasonTable::make(std::string_view added, std::string_view name) {
  ReasonLines read;
  if (Result<Done> done = read_reason_lines(kBuiltInReasons, "reasons.txt", read); !done) {
    return done.error();
  }
  const std::size_t own = read.lines.size();
  if (Result<Done> done = read_reason_lines(added, name, read); !done) return done.error();
  // What an administrator adds is asked first: it weighs more than anything that is built in.
  constexpr int kAdded = 300;
  for (std::size_t i = own; i < read.lines.size(); ++i) read.lines[i].weight += kAdded;

  auto content = std::make_unique<Content>();
  for (std::size_t i = 0; i < read.lines.size(); ++i) {
    ReasonLine& line = read.lines[i];
    if (line.kind != ReasonLine::Kind::kWords) {
      content->codes.push_back(std::move(line));
      continue;
    }
    WordPattern pattern(line.pattern);
    // Those that are built in are read by a test.
    if (Result<Done> done = i >= own ? pattern.compile() : Done{}; !done) {
      return Error{fmt::format("{}: the pattern '{}' of {} cannot be used: {}", name, line.pattern,
                               to_string(line.reason), done.error().message)};
    }
    content->words_of_lines.emplace_back(std::move(line), std::move(pattern));
  }
  const std::pair<std::unique_ptr<RE2>*, const std::vector<std::string>*> lists[] = {
      {&content->ignored, &read.ignored},
      {&content->temporary, &read.temporary},
      {&content->permanent, &read.permanent}};
  for (const auto& [into, patterns] : lists) {
    Result<std::unique_ptr<RE2>> made = any_of(*patterns, name.empty() ? "reasons.txt" : name);
    if (!made) return made.error();
    *into = std::move(made.value());
  }
  for (std::size_t i = 0; i < kReplyReasons; ++i) {
    ReasonLines::Words& words = read.words[i];
    content->words[i] = {.says = std::move(words.says),
                         .means = std::move(words.means),
                         .who = who_acts(words.who).value_or(WhoActs::kServerAdmin),
                         .checks = std::move(words.checks)};
    content->wait[i] = words.wait;
  }
  return ReasonTable(std::move(content));
}

const ReasonWords& ReasonTable::words(ReplyReason reason) const {
  return content_->words[static_cast<std::size_t>(reason)];
}

ReasonVerdict ReasonTable::judge(const Refusal& refusal) const {
  thread_local std::array<Judged, kJudged> judged;
  std::string text = plain_words(refusal.text);
  Judged& place = judged[std::hash<std::string_view>{}(text) % kJudged];
  if (!place.is(content_->id, refusal, text)) {
    const ReasonVerdict verdict = weigh(refusal, text);
    place = Judged{.table = content_->id,
                   .code = refusal.code,
                   .stage = refusal.stage,
                   .enhanced = std::string(refusal.enhanced),
                   .text = std::move(text),
                   .verdict = verdict};
  }
  return place.verdict;
}

ReasonVerdict ReasonTable::weigh(const Refusal& refusal, std::string text) const {
  EnhancedPattern code;
  const bool has_code = read_enhanced(refusal.enhanced, code);
  const bool has_any = has_code || quoted_enhanced(text, code);
  const EnhancedPattern* enhanced = has_any ? &code : nullptr;
  if (content_->ignored != nullptr) RE2::GlobalReplace(&text, *content_->ignored, " ");

  Weights words;
  const SearchedText searched(text);
  for (const auto& [line, pattern] : content_->words_of_lines) {
    if (holds(line, refusal, enhanced) && pattern.matches(searched)) {
      words.raise(line.reason, weight_of(line, refusal));
    }
  }

  Weights by_enhanced, by_code;
  for (const ReasonLine& line : content_->codes) {
    if (!holds(line, refusal, enhanced)) continue;
    (line.kind == ReasonLine::Kind::kEnhanced ? by_enhanced : by_code)
        .raise(line.reason, line.weight);
  }
  // Together: words, and codes that agree with them; a code alone where no words say more.
  Weights all;
  for (std::size_t i = 0; i < kReplyReasons; ++i) {
    const int said = words.of[i];
    const int coded = std::max(by_enhanced.of[i], by_code.of[i]);
    const bool agrees = said > 0 && by_enhanced.of[i] >= kAgreement;
    all.of[i] = std::max(said + (agrees ? kAgreement : 0), coded);
  }

  ReasonVerdict verdict;
  verdict.reason = all.heaviest();
  const bool said = words[verdict.reason] > 0;
  const bool coded = has_code && by_enhanced[verdict.reason] > kAgreement;
  verdict.how = said && coded ? HowKnown::kBoth
                : said        ? HowKnown::kWords
                : coded       ? HowKnown::kEnhancedCode
                              : HowKnown::kStage;
  const ReplyReason stands_for = by_enhanced.heaviest();
  if (has_code && stands_for != verdict.reason && words[verdict.reason] >= kContradiction &&
      by_enhanced[stands_for] >= kPlainCode && words[stands_for] == 0) {
    verdict.codes_say = stands_for;
  }
  // RFC 5321 4.2.1: 4yz asks to come back. 5yz does not, unless its words do.
  const bool never =
      content_->permanent != nullptr && RE2::PartialMatch(text, *content_->permanent);
  const bool later =
      content_->wait[static_cast<std::size_t>(verdict.reason)] ||
      (content_->temporary != nullptr && RE2::PartialMatch(text, *content_->temporary));
  verdict.temporary = refusal.code / 100 == 4 || (later && !never);
  return verdict;
}

}  // namespace smtpscope
