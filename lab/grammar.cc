#include "lab/grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "lab/scenario_tokens.h"

namespace smtpscope {
namespace {

using enum GrammarPart;

enum WhoCode : std::uint8_t { kClient, kPercent, kFirst, kEvery, kFrom, kTo, kMoreThan };
enum SettingCode : std::uint8_t { kSeed };

constexpr std::uint16_t bit(LabWhen when) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(when));
}
constexpr std::uint8_t code(LabWhen when) { return static_cast<std::uint8_t>(when); }
constexpr std::uint8_t code(LabAction action) { return static_cast<std::uint8_t>(action); }

constexpr std::uint16_t kNoMoment = bit(LabWhen::kAlways);
constexpr std::uint16_t kTold = bit(LabWhen::kConnect) | bit(LabWhen::kGreeting) |
                                bit(LabWhen::kCommand) | bit(LabWhen::kFinalDot);
constexpr std::uint16_t kReplies =
    bit(LabWhen::kGreeting) | bit(LabWhen::kReply) | bit(LabWhen::kReplyToDot);
constexpr std::uint16_t kMoments = kTold | kReplies | bit(LabWhen::kMessage) | bit(LabWhen::kOctet);

constexpr GrammarRow kRows[] = {
    {kWho, kClient, 0, "client CIDR", "sessions of clients in this network",
     "client 192.0.2.0/24: hide PIPELINING"},
    {kWho, kPercent, 0, "PERCENT", "that share of the sessions, chosen by chance (see seed)",
     "10%: EHLO: reply \"421 4.3.2 Try later\""},
    {kWho, kFirst, 0, "first N sessions", "the first N sessions",
     "first 2 sessions: RCPT: reply \"450 4.2.0 Greylisted\""},
    {kWho, kEvery, 0, "every NTH session", "every so-manieth session",
     "every 3rd session: connect: wait 2s"},
    {kWho, kFrom, 0, "from session N", "from the Nth session on",
     "from session 3: EHLO: reply \"421 4.3.2 Shutting down\""},
    {kWho, kTo, 0, "to session N", "up to the Nth session",
     "from session 2, to session 4: final dot: reply \"451 4.3.0 Disk full\""},
    {kWho, kMoreThan, 0, "more than N sessions in TIME",
     "sessions that come when N others have come within that time",
     "more than 5 sessions in 1m: connect: reply \"421 4.7.0 Rate limit\""},

    {kWhen, code(LabWhen::kConnect), 0, "connect", "when the client has connected",
     "connect: reply \"421 4.3.2 Too many connections\""},
    {kWhen, code(LabWhen::kGreeting), 0, "greeting", "when the server has greeted",
     "greeting: wait 30s"},
    {kWhen, code(LabWhen::kCommand), 0, "VERB [N]",
     "at that command, before the server hears it; with N at the Nth of its kind in the session",
     "RCPT 2: reply \"452 4.5.3 Too many recipients\""},
    {kWhen, code(LabWhen::kReplyToDot), 0, "reply to final dot",
     "when the server has answered the end of the message", "reply to final dot: swallow"},
    {kWhen, code(LabWhen::kReply), 0, "reply to VERB [N]",
     "when the server has answered that command", "reply to DATA: wait 10s"},
    {kWhen, code(LabWhen::kMessage), 0, "message after SIZE",
     "when so much of the message has come", "message after 20 kB: reset"},
    {kWhen, code(LabWhen::kMessage), 0, "message", "when the message begins", "message: wait 5s"},
    {kWhen, code(LabWhen::kFinalDot), 0, "final dot",
     "at the end of the message, before the server sees it (BDAT LAST, too)",
     "final dot: reply \"451 4.3.0 Disk full\""},
    {kWhen, code(LabWhen::kOctet), 0, "octet N",
     "when the client has said so many octets, whatever they are", "octet 200: swallow"},
    {kWhen, code(LabWhen::kServer), 0, "server", "all that the server says",
     "server: slice 1 every 50ms"},
    {kWhen, code(LabWhen::kTls), 0, "TLS", "when the client begins its handshake",
     "TLS: fail handshake"},

    {kAction, code(LabAction::kHide), kNoMoment, "hide KEYWORDS",
     "takes these keywords out of every reply to EHLO", "hide CHUNKING PIPELINING"},
    {kAction, code(LabAction::kOffer), kNoMoment, "offer KEYWORD [PARAMETERS]",
     "offers it in every reply to EHLO, or changes its parameters", "offer SIZE 1000"},
    {kAction, code(LabAction::kReply), kTold, "reply TEXT",
     "answers the client with that, and the server is not asked. At the final dot the connection "
     "to the server is given up, so that the message is not delivered",
     "MAIL: reply \"451 4.3.0 Try again later\""},
    {kAction, code(LabAction::kWait), kMoments, "wait TIME",
     "holds up what was said for that long, and what follows it", "greeting: wait 30s"},
    {kAction, code(LabAction::kSwallow), kMoments, "swallow",
     "does not hand it on, and says nothing about it. A message or octet: nothing more is handed "
     "on, either way",
     "reply to final dot: swallow"},
    {kAction, code(LabAction::kClose), kMoments, "close",
     "closes the connections, in order, instead of handing it on", "DATA: close"},
    {kAction, code(LabAction::kReset), kMoments, "reset",
     "resets the client's connection instead of handing it on", "final dot: reset"},
    {kAction, code(LabAction::kReset), kNoMoment, "reset after SIZE",
     "resets it when the client has said so much", "reset after 2 kB"},
    {kAction, code(LabAction::kOneLine), kReplies, "one line",
     "of a reply of several lines only the last is given", "greeting: one line"},
    {kAction, code(LabAction::kSlice), bit(LabWhen::kServer), "slice N every TIME",
     "gives the client so many octets at a time", "server: slice 1 every 50ms"},
    {kAction, code(LabAction::kThrottle), bit(LabWhen::kServer), "throttle RATE",
     "gives the client no more than that", "server: throttle 8 kB/s"},
    {kAction, code(LabAction::kReplace), kNoMoment, "replace reply to VERB TEXT with TEXT",
     "where the server's reply begins with the first text, that part becomes the second; with a "
     "code alone, of each line",
     "replace reply to RCPT \"550\" with \"450\""},
    {kAction, code(LabAction::kReplace), kNoMoment, "replace reply to final dot TEXT with TEXT",
     "the same for the reply to the end of the message, which the server has taken by then",
     "replace reply to final dot \"250\" with \"451\""},
    {kAction, code(LabAction::kFailHandshake), bit(LabWhen::kTls), "fail handshake",
     "answers the client's TLS handshake with an alert and closes", "TLS: fail handshake"},

    {kSetting, kSeed, 0, "seed N", "begins the chance of PERCENT there; the same each run",
     "seed 7"},
};

/// What a word in capitals stands for.
struct SlotKind {
  std::string_view name;
  std::string_view expected;
};
constexpr SlotKind kSlots[] = {
    {"CIDR", "a network such as 192.0.2.0/24"},
    {"PERCENT", "a share such as 10%"},
    {"N", "a whole number from 1"},
    {"NTH", "which one, such as 3rd"},
    {"TIME", "a time such as 500ms, 10s or 2m"},
    {"SIZE", "a size such as 200 octets, 20 kB or 1 MB"},
    {"RATE", "a rate such as 8 kB/s"},
    {"VERB", "a command such as EHLO, MAIL, RCPT or DATA"},
    {"KEYWORDS", "keywords of EHLO such as CHUNKING"},
    {"KEYWORD", "a keyword of EHLO such as SIZE"},
    {"PARAMETERS", "the keyword's parameters"},
    {"TEXT", "text in double quotes"},
};

const SlotKind* slot_of(std::string_view word) {
  for (const SlotKind& slot : kSlots) {
    if (slot.name == word) return &slot;
  }
  return nullptr;
}

/// What a pattern took from the tokens.
struct Filled {
  std::vector<std::uint64_t> numbers;  // N, NTH, PERCENT, SIZE, RATE
  std::vector<Duration> times;
  std::vector<std::string> texts;
  std::vector<std::string> words;  // KEYWORDS, KEYWORD, PARAMETERS
  Verb verb = Verb::kUnknown;
  std::optional<AllowList> network;
};

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || fault != std::errc{} || rest != text.data() + text.size()) return {};
  if (number == 0 || number > 1'000'000'000'000) return {};
  return number;
}

/// A number and what stands directly behind it.
std::optional<std::pair<double, std::string_view>> number_and_unit(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (text.empty() || fault != std::errc{} || !std::isfinite(number) || number < 0) return {};
  return std::pair(number, std::string_view(rest, static_cast<std::size_t>(end - rest)));
}

std::optional<double> size_unit(std::string_view unit) {
  if (unit.empty() || equal_ignoring_case(unit, "octet") || equal_ignoring_case(unit, "octets") ||
      equal_ignoring_case(unit, "b")) {
    return 1;
  }
  if (equal_ignoring_case(unit, "kb") || equal_ignoring_case(unit, "k")) return 1000;
  if (equal_ignoring_case(unit, "mb") || equal_ignoring_case(unit, "m")) return 1'000'000;
  return {};
}

std::optional<double> seconds_in(std::string_view unit) {
  if (unit == "ms") return 0.001;
  if (unit.empty() || unit == "s") return 1;
  if (unit == "m" || unit == "min") return 60;
  if (unit == "h") return 3600;
  return {};
}

/// A number with a unit, in one token or two: how many, or 0 for neither.
template <typename UnitOf>
std::size_t measured(std::span<const ScenarioToken> tokens, UnitOf unit_of, bool needs_unit,
                     double& value) {
  if (tokens.empty() || tokens[0].kind != ScenarioToken::Kind::kWord) return 0;
  const auto parts = number_and_unit(tokens[0].text);
  if (!parts) return 0;
  std::size_t taken = 1;
  std::string_view unit = parts->second;
  if (unit.empty() && tokens.size() > 1 && tokens[1].kind == ScenarioToken::Kind::kWord &&
      unit_of(tokens[1].text)) {
    unit = tokens[1].text;
    taken = 2;
  }
  if (unit.empty() && needs_unit) return 0;
  const auto factor = unit_of(unit);
  if (!factor) return 0;
  value = parts->first * *factor;
  return taken;
}

/// Whether a word may be an EHLO keyword or parameter (RFC 5321 4.1.1.1).
bool is_printable_word(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c > ' ' && c < 127; });
}

/// How many tokens the slot takes; 0: they do not fit it.
std::size_t fill(std::string_view slot, std::span<const ScenarioToken> tokens, Filled& filled) {
  if (tokens.empty()) return 0;
  const ScenarioToken& first = tokens[0];
  if (slot == "TEXT") {
    if (first.kind != ScenarioToken::Kind::kQuoted) return 0;
    filled.texts.push_back(first.text);
    return 1;
  }
  if (first.kind != ScenarioToken::Kind::kWord) return 0;
  const std::string_view text = first.text;
  if (slot == "CIDR") {
    AllowList network;
    if (!network.add(text)) return 0;
    filled.network = std::move(network);
    return 1;
  }
  if (slot == "PERCENT") {
    if (!text.ends_with('%')) return 0;
    const auto share = whole_number(text.substr(0, text.size() - 1));
    if (!share || *share > 100) return 0;
    filled.numbers.push_back(*share);
    return 1;
  }
  if (slot == "N") {
    const auto number = whole_number(text);
    if (!number) return 0;
    filled.numbers.push_back(*number);
    return 1;
  }
  if (slot == "NTH") {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    const std::string_view ending = text.substr(digits);
    if (ending != "st" && ending != "nd" && ending != "rd" && ending != "th") return 0;
    const auto number = whole_number(text.substr(0, digits));
    if (!number) return 0;
    filled.numbers.push_back(*number);
    return 1;
  }
  if (slot == "TIME") {
    double seconds = 0;
    const std::size_t taken = measured(tokens, seconds_in, true, seconds);
    if (taken == 0 || seconds > 86400) return 0;
    filled.times.push_back(std::chrono::round<Duration>(std::chrono::duration<double>(seconds)));
    return taken;
  }
  if (slot == "SIZE" || slot == "RATE") {
    const bool rate = slot == "RATE";
    const auto unit_of = [rate](std::string_view unit) -> std::optional<double> {
      if (!rate) return size_unit(unit);
      if (!unit.ends_with("/s")) return {};
      return size_unit(unit.substr(0, unit.size() - 2));
    };
    double octets = 0;
    const std::size_t taken = measured(tokens, unit_of, rate, octets);
    if (taken == 0 || octets < 1 || octets > 1e12) return 0;
    filled.numbers.push_back(static_cast<std::uint64_t>(octets));
    return taken;
  }
  if (slot == "VERB") {
    filled.verb = verb_of(text);
    return filled.verb == Verb::kUnknown ? 0 : 1;
  }
  if (slot == "KEYWORD") {
    if (!is_printable_word(text)) return 0;
    filled.words.push_back(in_upper_case(text));
    return 1;
  }
  // KEYWORDS and PARAMETERS: all that follow.
  std::size_t taken = 0;
  while (taken < tokens.size() && tokens[taken].kind == ScenarioToken::Kind::kWord &&
         is_printable_word(tokens[taken].text)) {
    filled.words.push_back(slot == "KEYWORDS" ? in_upper_case(tokens[taken].text)
                                              : tokens[taken].text);
    ++taken;
  }
  return taken;
}

/// How far tokens follow a pattern.
struct Match {
  bool whole = false;
  std::size_t reached = 0;  // tokens that fit
  std::string expected;     // there
  Filled filled;
};

Match match(std::string_view pattern, std::span<const ScenarioToken> tokens) {
  Match match;
  std::size_t at = 0;
  std::string optional_expected;
  while (!pattern.empty()) {
    const std::size_t space = std::min(pattern.find(' '), pattern.size());
    std::string_view word = pattern.substr(0, space);
    pattern.remove_prefix(std::min(pattern.size(), space + 1));
    const bool optional = word.starts_with('[');
    if (optional) word = word.substr(1, word.size() - 2);
    const SlotKind* const slot = slot_of(word);
    std::size_t taken = 0;
    if (slot != nullptr) {
      taken = fill(word, tokens.subspan(at), match.filled);
    } else if (at < tokens.size() && tokens[at].kind == ScenarioToken::Kind::kWord &&
               equal_ignoring_case(tokens[at].text, word)) {
      taken = 1;
    }
    if (taken == 0 && !optional) {
      match.reached = at;
      match.expected = slot != nullptr ? std::string(slot->expected) : fmt::format("'{}'", word);
      return match;
    }
    if (taken == 0) optional_expected = std::string(slot->expected) + " or ";
    at += taken;
  }
  match.reached = at;
  match.whole = at == tokens.size();
  if (!match.whole) match.expected = optional_expected + "the end";
  return match;
}

/// What is wrong with a line, and where.
struct Fault {
  std::size_t column = 0;
  std::string got;
  std::string expected;
};

std::string as_got(std::span<const ScenarioToken> tokens, std::size_t at) {
  if (at >= tokens.size()) return "the end of it";
  if (tokens[at].kind == ScenarioToken::Kind::kQuoted)
    return fmt::format("\"{}\"", tokens[at].text);
  return fmt::format("'{}'", tokens[at].text);
}

std::string first_words(std::span<const GrammarPart> parts) {
  std::vector<std::string> words;
  for (const GrammarRow& row : kRows) {
    if (std::ranges::find(parts, row.part) == parts.end()) continue;
    std::string_view word = row.pattern.substr(0, row.pattern.find(' '));
    if (std::ranges::find(words, word) == words.end()) words.emplace_back(word);
  }
  return fmt::format("one of {}", fmt::join(words, ", "));
}

/// The row of one of `parts` that the tokens fit.
std::optional<Fault> find_row(std::span<const ScenarioToken> tokens,
                              std::span<const GrammarPart> parts, std::size_t end_column,
                              const GrammarRow*& found, Filled& filled) {
  Match best;
  for (const GrammarRow& row : kRows) {
    if (std::ranges::find(parts, row.part) == parts.end()) continue;
    Match one = match(row.pattern, tokens);
    if (one.whole) {
      found = &row;
      filled = std::move(one.filled);
      return {};
    }
    if (one.reached > best.reached) best = std::move(one);
  }
  if (best.reached == 0) best.expected = first_words(parts);
  const std::size_t column =
      best.reached < tokens.size() ? tokens[best.reached].column : end_column;
  return Fault{column, as_got(tokens, best.reached), std::move(best.expected)};
}

void apply_who(const GrammarRow& row, Filled& filled, LabWho& who) {
  switch (static_cast<WhoCode>(row.code)) {
    case kClient:
      who.client = std::move(filled.network);
      return;
    case kPercent:
      who.percent = static_cast<unsigned>(filled.numbers[0]);
      return;
    case kFirst:
      who.first = filled.numbers[0];
      return;
    case kEvery:
      who.every = filled.numbers[0];
      return;
    case kFrom:
      who.from = filled.numbers[0];
      return;
    case kTo:
      who.to = filled.numbers[0];
      return;
    case kMoreThan:
      who.more_than = filled.numbers[0];
      who.within = filled.times[0];
      return;
  }
}

void apply_when(const GrammarRow& row, const Filled& filled, LabMoment& moment) {
  moment.when = static_cast<LabWhen>(row.code);
  moment.verb = filled.verb;
  const std::uint64_t number = filled.numbers.empty() ? 0 : filled.numbers[0];
  if (moment.when == LabWhen::kMessage || moment.when == LabWhen::kOctet) {
    moment.octets = number;
  } else {
    moment.count = number;
  }
}

/// Whether it can be said to a client: a code of three digits (RFC 5321 4.2), and no 3yz, for then
/// the client says what the server does not wait for.
std::string fault_of_reply(std::string_view text) {
  const bool has_code = text.size() >= 3 && text[0] >= '2' && text[0] <= '5' && is_digit(text[1]) &&
                        is_digit(text[2]) && (text.size() == 3 || text[3] == ' ');
  if (!has_code) return "a reply such as \"452 4.5.3 Too many recipients\"";
  if (text.find_first_of("\r\n") != std::string_view::npos) return "a reply of one line";
  return text[0] == '3' ? "another reply than 3yz: the server would not wait for what follows it"
                        : "";
}

std::string fault_of_replacement(std::string_view old, std::string_view given) {
  std::string fault = fault_of_reply(given);
  if (given.empty() || given[0] != '3' || !old.starts_with('3')) return fault;
  return "";
}

std::optional<Fault> apply_action(const GrammarRow& row, Filled& filled,
                                  std::span<const ScenarioToken> tokens, LabLine& line) {
  line.action = static_cast<LabAction>(row.code);
  line.keywords = std::move(filled.words);
  if (!filled.times.empty()) line.time = filled.times[0];
  if (!filled.numbers.empty()) line.octets = filled.numbers[0];
  const ScenarioToken& last = tokens.back();
  if (line.action == LabAction::kReply) {
    line.reply = filled.texts[0];
    std::string fault = fault_of_reply(line.reply);
    if (!fault.empty()) return Fault{last.column, as_got(tokens, tokens.size() - 1), fault};
  } else if (line.action == LabAction::kReplace) {
    line.text_to_find = filled.texts[0];
    line.reply = filled.texts[1];
    line.moment.when = filled.verb == Verb::kUnknown ? LabWhen::kReplyToDot : LabWhen::kReply;
    line.moment.verb = filled.verb;
    std::string fault = fault_of_replacement(line.text_to_find, line.reply);
    if (!fault.empty()) return Fault{last.column, as_got(tokens, tokens.size() - 1), fault};
  } else if (line.action == LabAction::kReset && !filled.numbers.empty()) {
    line.moment.when = LabWhen::kOctet;
    line.moment.octets = line.octets;
  }
  return {};
}

std::string_view moment_words(LabWhen when) {
  for (const GrammarRow& row : kRows) {
    if (row.part == kWhen && row.code == code(when)) return row.pattern;
  }
  return "none";
}

std::string moments_of(std::uint16_t whens) {
  std::vector<std::string_view> words;
  for (unsigned i = 0; i < 16; ++i) {
    if ((whens & (1U << i)) != 0) words.push_back(moment_words(static_cast<LabWhen>(i)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::optional<Fault> parse(std::string_view text, LabLine& line, LabProgram& program,
                           bool& is_setting) {
  std::vector<ScenarioToken> tokens;
  if (const auto unclosed = read_scenario_tokens(text, tokens)) {
    return Fault{*unclosed, "the end of the line", "a closing double quote"};
  }
  if (tokens.empty()) return {};
  const std::size_t end_column = tokens.back().column + tokens.back().width;

  // The conditions, each up to a comma or colon.
  std::size_t begin = 0;
  std::size_t moment_column = 0;
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    const auto kind = tokens[at].kind;
    if (kind != ScenarioToken::Kind::kColon && kind != ScenarioToken::Kind::kComma) continue;
    const auto condition = std::span(tokens).subspan(begin, at - begin);
    const GrammarRow* row = nullptr;
    Filled filled;
    static constexpr GrammarPart kParts[] = {kWho, kWhen};
    if (auto fault = find_row(condition, kParts, tokens[at].column, row, filled)) {
      if (condition.empty()) fault->got = as_got(tokens, at);
      return fault;
    }
    if (row->part == kWho) {
      apply_who(*row, filled, line.who);
    } else if (moment_column != 0) {
      return Fault{condition[0].column, as_got(condition, 0), "only one moment in a line"};
    } else {
      moment_column = condition[0].column;
      apply_when(*row, filled, line.moment);
    }
    begin = at + 1;
  }

  const auto action = std::span(tokens).subspan(begin);
  const GrammarRow* row = nullptr;
  Filled filled;
  static constexpr GrammarPart kActions[] = {kAction, kSetting};
  if (auto fault = find_row(action, kActions, end_column, row, filled)) return fault;
  if (row->part == kSetting) {
    if (begin != 0) {
      return Fault{action[0].column, as_got(action, 0), "a setting to stand alone, or an action"};
    }
    program.seed = filled.numbers[0];
    is_setting = true;
    return {};
  }
  if ((row->whens & bit(line.moment.when)) == 0) {
    const std::string expected =
        row->whens == kNoMoment
            ? fmt::format("no moment before '{}'", row->pattern)
            : fmt::format("'{}' to stand behind one of: {}", row->pattern, moments_of(row->whens));
    if (moment_column != 0) {
      const auto named = std::ranges::find(tokens, moment_column, &ScenarioToken::column);
      return Fault{moment_column, fmt::format("'{}'", named->text), expected};
    }
    return Fault{action[0].column, as_got(action, 0), expected};
  }
  return apply_action(*row, filled, action, line);
}

}  // namespace

void LabProgram::scale_waits(double factor) {
  for (LabLine& line : lines) {
    if (line.action != LabAction::kWait) continue;
    line.time = std::chrono::round<Duration>(
        std::chrono::duration<double, std::nano>(static_cast<double>(line.time.count()) * factor));
  }
}

std::vector<std::string> LabProgram::warnings() const {
  std::vector<std::string> warnings;
  for (const LabLine& line : lines) {
    const bool takes_back = line.action == LabAction::kReplace &&
                            line.moment.when == LabWhen::kReplyToDot &&
                            !line.reply.starts_with('2');
    if (!takes_back) continue;
    warnings.push_back(fmt::format(
        "{}: the server has taken the message by then; a client that tries again delivers it "
        "twice (use 'final dot: reply \"{}\"' if that is not meant)",
        line.place, line.reply));
  }
  return warnings;
}

std::span<const GrammarRow> scenario_grammar() { return kRows; }

std::string_view to_string(GrammarPart part) {
  switch (part) {
    case kWho:
      return "who";
    case kWhen:
      return "when";
    case kAction:
      return "action";
    case kSetting:
      return "setting";
  }
  return "";
}

std::string grammar_as_markdown() {
  std::string page;
  std::optional<GrammarPart> part;
  for (const GrammarRow& row : kRows) {
    if (part != row.part) {
      part = row.part;
      page += fmt::format("{}| {} | what it means | example |\n|---|---|---|\n",
                          page.empty() ? "" : "\n", to_string(row.part));
    }
    page += fmt::format("| `{}` | {} | `{}` |\n", row.pattern, row.meaning, row.example);
  }
  return page;
}

std::string grammar_as_text() {
  std::string text = "A line is [WHO:] [WHEN:] ACTION; several WHO are joined by commas.\n";
  std::optional<GrammarPart> part;
  for (const GrammarRow& row : kRows) {
    if (part != row.part) {
      part = row.part;
      text += fmt::format("\n{}\n", in_upper_case(to_string(row.part)));
    }
    text += fmt::format("  {}\n      {}\n      e.g. {}\n", row.pattern, row.meaning, row.example);
  }
  return text;
}

Result<Done> parse_scenario_line(std::string_view text, std::string_view place,
                                 LabProgram& program) {
  LabLine line;
  bool is_setting = false;
  if (const auto fault = parse(text, line, program, is_setting)) {
    return Error{fmt::format("{}:{}: got {}, expected {}", place, fault->column, fault->got,
                             fault->expected)};
  }
  line.text = without_comment(text);
  line.place = place;
  if (!line.text.empty() && !is_setting) program.lines.push_back(std::move(line));
  return Done{};
}

Result<Done> parse_scenario(std::string_view text, std::string_view name, LabProgram& program) {
  std::string faults;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    text.remove_prefix(std::min(text.size(), end + 1));
    const auto done = parse_scenario_line(line, fmt::format("{}:{}", name, number), program);
    if (!done) faults += (faults.empty() ? "" : "\n") + done.error().message;
  }
  if (!faults.empty()) return Error{std::move(faults)};
  return Done{};
}

}  // namespace smtpscope
