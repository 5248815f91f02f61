#include "redact/command_redactor.h"

#include <algorithm>

#include "base/ascii.h"
#include "parser/command_line.h"
#include "parser/path.h"
#include "parser/verb.h"
#include "redact/escapes.h"
#include "redact/standard_words.h"

namespace smtpscope {

/// A line on its way: parts of it are replaced in order; what lies between them is text.
class CommandRedactor::Line {
 public:
  Line(std::string_view line, TextRedactor& text, Rewriting& out)
      : rest_(line), text_(text), out_(out) {}

  void keep(std::string_view part) {
    before(part);
    out_.keep(part);
    rest_.remove_prefix(part.size());
  }
  void put(std::string_view part, std::string_view replacement) {
    if (part.empty()) return;
    before(part);
    out_.put(part.size(), replacement);
    rest_.remove_prefix(part.size());
  }
  void finish() { text_.rewrite(rest_, out_); }

 private:
  void before(std::string_view part) {
    const auto between = static_cast<std::size_t>(part.data() - rest_.data());
    text_.rewrite(rest_.substr(0, between), out_);
    rest_.remove_prefix(between);
  }

  std::string_view rest_;
  TextRedactor& text_;
  Rewriting& out_;
};

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

/// The next part of `list` up to one of `ends`, which is taken off too.
std::string_view next_part(std::string_view& list, std::string_view ends) {
  const std::size_t begin = std::min(list.find_first_not_of(ends), list.size());
  list.remove_prefix(begin);
  const std::string_view part = list.substr(0, list.find_first_of(ends));
  list.remove_prefix(part.size());
  return part;
}

/// RFC 9110 9, RFC 5789.
bool is_http_method(std::string_view word) {
  constexpr std::string_view kMethods[] = {"GET",     "POST",  "HEAD",  "PUT",    "DELETE",
                                           "OPTIONS", "TRACE", "PATCH", "CONNECT"};
  return std::ranges::find(kMethods, word) != std::end(kMethods);
}

/// The values say what, not who (RFC 1870, 6152, 3461, 2852, 4865, 6710, 7293).
bool says_nothing_of_whom(std::string_view keyword) {
  constexpr std::string_view kKeywords[] = {"SIZE", "BODY",     "RET",       "NOTIFY",
                                            "BY",   "HOLDFOR",  "HOLDUNTIL", "MT-PRIORITY",
                                            "RRVS", "SMTPUTF8", "REQUIRETLS"};
  return std::ranges::any_of(kKeywords,
                             [&](std::string_view each) { return same_keyword(keyword, each); });
}

bool is_tagged_login(std::string_view behind_tag) {
  const std::string_view word = split_command(behind_tag).word;
  return equal_ignoring_case(word, "LOGIN") || equal_ignoring_case(word, "AUTHENTICATE");
}

bool may_stand_in_such_a_value(char c) {
  return is_alphanumeric(c) || c == ',' || c == ';' || c == ':' || c == '-';
}

}  // namespace

void CommandRedactor::rewrite(std::string_view whole, std::size_t secret_begin,
                              std::size_t secret_end, Rewriting& out) {
  const std::string_view open = whole.substr(0, std::min(secret_begin, whole.size()));
  Line line(open, text_, out);
  const CommandWords words = split_command(open);
  const Verb verb = verb_of(words.word);
  if (open.size() < whole.size() && verb != Verb::kAuth && verb != Verb::kXexps) {
    login_words(open, out);
  } else if (verb == Verb::kUnknown) {
    no_command(open, out);
  } else {
    line.keep(words.word);
    arguments(verb, words.arguments, line);
    line.finish();
  }
  if (open.size() == whole.size()) return;
  const std::size_t end = std::min(secret_end, whole.size());
  out.keep(std::string(end - open.size(), '#'));
  text_.rewrite(whole.substr(end), out);
}

/// What says that credentials follow stays, or the copy would be read in another way. It stands
/// behind octets that are part of no word, if there are any (find_credentials).
void CommandRedactor::login_words(std::string_view open, Rewriting& out) {
  const auto odd = std::find_if(open.rbegin(), open.rend(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet >= 0x7f || (octet < 0x20 && octet != '\t');
  });
  const auto end = static_cast<std::size_t>(open.rend() - odd);
  text_.rewrite(open.substr(0, end), out);
  open.remove_prefix(end);
  // A tag of IMAP is the client's own.
  const CommandWords words = split_command(open);
  const bool tagged = is_tagged_login(words.arguments);
  if (tagged) {
    const auto tag = static_cast<std::size_t>(words.arguments.data() - open.data());
    text_.rewrite(open.substr(0, tag), out);
    open.remove_prefix(tag);
  }
  out.keep(open);
}

/// Another protocol is told by its words, a line of a message by its first; nothing else of it
/// stays.
void CommandRedactor::no_command(std::string_view line, Rewriting& out) {
  constexpr std::string_view kTelling[] = {" HTTP/1.", " SIP/2.0"};
  const bool foreign = line.starts_with("SSH-") || is_http_method(split_command(line).word) ||
                       std::ranges::any_of(kTelling, [&](std::string_view each) {
                         return line.find(each) != std::string_view::npos;
                       });
  if (foreign) {
    text_.rewrite(line, out);
    return;
  }
  const std::size_t end =
      std::min(line.find_first_of(" \t:=", line.find_first_not_of(" \t")), line.size());
  text_.rewrite(line.substr(0, end), out);
  foreign_.rewrite(line.substr(end), out);
}

void CommandRedactor::arguments(Verb verb, std::string_view arguments, Line& line) {
  switch (verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      greeting_name(without_trailing_blanks(arguments), line);
      return;
    case Verb::kMail:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
      path(arguments, "FROM:", line);
      return;
    case Verb::kRcpt:
      path(arguments, "TO:", line);
      return;
    case Verb::kVrfy:
    case Verb::kExpn:
      user(without_trailing_blanks(arguments), line);
      return;
    case Verb::kEtrn:
    case Verb::kAtrn:
      hosts(arguments, line);
      return;
    case Verb::kBdat:
    case Verb::kXexch50:
      numbers(arguments, line);
      return;
    case Verb::kXclient:
    case Verb::kXforward:
      attributes(arguments, line);
      return;
    default:
      return;  // the rest is text
  }
}

void CommandRedactor::greeting_name(std::string_view name, Line& line) {
  if (std::ranges::any_of(name, is_blank)) {
    name = name.substr(
        0, static_cast<std::size_t>(std::ranges::find_if(name, is_blank) - name.begin()));
  }
  line.put(name, names_.host(name));
}

void CommandRedactor::path(std::string_view arguments, std::string_view keyword, Line& line) {
  const PathArgument found = parse_path(arguments, keyword);
  if (!found.mailbox.empty()) line.put(found.mailbox, names_.mailbox(found.mailbox));
  for (const MailParameter each : mail_parameters(found.parameters)) {
    if (is_extension_keyword(each.keyword) || is_standard_word(each.keyword)) {
      line.keep(each.keyword);
    } else {
      line.put(each.keyword, text_.rewritten(each.keyword));
    }
    if (each.has_value) parameter(each.keyword, each.value, line);
  }
}

void CommandRedactor::parameter(std::string_view keyword, std::string_view value, Line& line) {
  if (says_nothing_of_whom(keyword) && std::ranges::all_of(value, may_stand_in_such_a_value)) {
    // Words but those of the RFCs are somebody's own.
    all_digits(value) ? line.keep(value) : line.put(value, text_.rewritten(value));
  } else if (same_keyword(keyword, "AUTH")) {  // RFC 4954 5: a mailbox as xtext, or "<>"
    const std::string plain = decode_xtext(value);
    if (plain != "<>") line.put(value, encode_xtext(names_.mailbox(plain), value));
  } else if (same_keyword(keyword, "ORCPT")) {  // RFC 3461 4.2, RFC 6533 3
    const std::size_t type = std::min(value.find(';'), value.size());
    if (type == value.size()) {
      line.put(value, names_.word(value));
      return;
    }
    const std::string_view address = value.substr(type + 1);
    const std::string plain = decode_unitext(decode_xtext(address));
    const bool escaped = address.find("\\x{") != std::string_view::npos;
    const std::string chosen = names_.mailbox(plain);
    const bool utf8 = same_keyword(value.substr(0, type), "UTF-8");
    if (utf8) {
      line.put(address, escaped ? encode_unitext(chosen) : chosen);
    } else {
      line.put(address, encode_xtext(chosen, address));
    }
  } else if (same_keyword(keyword, "ENVID")) {
    line.put(value, encode_xtext(names_.word(decode_xtext(value)), value));
  } else if (same_keyword(keyword, "XOORG")) {
    line.put(value, names_.host(value));
  } else {
    line.put(value, text_.rewritten(value));
  }
}

/// RFC 1985 4, RFC 2645 4.2: domains, with "@" before one with its subdomains, "#" before a queue.
void CommandRedactor::hosts(std::string_view list, Line& line) {
  while (true) {
    const std::string_view name = next_part(list, " \t,@#");
    if (name.empty()) return;
    line.put(name, names_.host(name));
  }
}

void CommandRedactor::user(std::string_view argument, Line& line) {
  if (argument.starts_with('<') && argument.ends_with('>') && argument.size() > 2) {
    argument = argument.substr(1, argument.size() - 2);
  }
  if (std::ranges::any_of(argument, is_blank)) return;
  line.put(argument, names_.mailbox(argument));
}

void CommandRedactor::numbers(std::string_view arguments, Line& line) {
  while (true) {
    const std::string_view part = next_part(arguments, " \t");
    if (part.empty()) return;
    if (all_digits(part)) line.keep(part);
  }
}

/// Postfix XCLIENT_README and XFORWARD_README: NAME=value, the value as xtext.
void CommandRedactor::attributes(std::string_view list, Line& line) {
  while (true) {
    const std::string_view part = next_part(list, " \t");
    if (part.empty()) return;
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view value = part.substr(equals + 1);
    line.put(value, encode_xtext(attribute(part.substr(0, equals), decode_xtext(value)), value));
  }
}

std::string CommandRedactor::attribute(std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view other) { return equal_ignoring_case(name, other); };
  if (is("PORT") || is("DESTPORT") || equal_ignoring_case(value, "[UNAVAILABLE]") ||
      equal_ignoring_case(value, "[TEMPUNAVAIL]")) {
    return all_digits(value) || value.starts_with('[') ? std::string(value) : names_.word(value);
  }
  if (is("LOGIN")) return names_.mailbox(value);
  if (is("NAME") || is("HELO") || is("REVERSE_NAME")) return names_.host(value);
  constexpr std::string_view kTag = "IPv6:";
  if (equal_ignoring_case(value.substr(0, kTag.size()), kTag)) {
    return std::string(value.substr(0, kTag.size())) + names_.host(value.substr(kTag.size()));
  }
  return text_.rewritten(value);
}

void CommandRedactor::rewrite_proxy_line(std::string_view whole, Rewriting& out) {
  Line line(whole, text_, out);
  std::string_view rest = whole;
  // "PROXY", the family, source, destination, and their ports.
  for (int number = 0;; ++number) {
    const std::string_view part = next_part(rest, " ");
    if (part.empty()) break;
    if (number == 2 || number == 3) line.put(part, names_.host(part));
    if (number > 3 && all_digits(part)) line.keep(part);
  }
  line.finish();
}

}  // namespace smtpscope
