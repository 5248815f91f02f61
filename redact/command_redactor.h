#pragma once

#include <string_view>

#include "parser/verb.h"
#include "redact/pseudonyms.h"
#include "redact/rewriting.h"
#include "redact/text_redactor.h"

namespace smtpscope {

/// Writes command lines anew, each part by what it is: names of hosts, paths, the values of
/// parameters. What no grammar knows is text. Credentials become '#'.
class CommandRedactor {
 public:
  explicit CommandRedactor(Pseudonyms& names)
      : names_(names), text_(names), foreign_(names, TextRedactor::Words::kNoneStay) {}

  /// `line` without its ending; of it [secret_begin, secret_end) are credentials.
  void rewrite(std::string_view line, std::size_t secret_begin, std::size_t secret_end,
               Rewriting& out);
  void rewrite(std::string_view line, Rewriting& out) {
    rewrite(line, line.size(), line.size(), out);
  }

  /// A PROXY header of version 1 (haproxy's doc/proxy-protocol.txt 2.1).
  void rewrite_proxy_line(std::string_view line, Rewriting& out);

 private:
  class Line;

  void login_words(std::string_view open, Rewriting& out);
  void no_command(std::string_view line, Rewriting& out);
  void arguments(Verb verb, std::string_view arguments, Line& line);
  void greeting_name(std::string_view name, Line& line);
  void path(std::string_view arguments, std::string_view keyword, Line& line);
  void parameter(std::string_view keyword, std::string_view value, Line& line);
  void hosts(std::string_view list, Line& line);
  void user(std::string_view argument, Line& line);
  void numbers(std::string_view arguments, Line& line);
  void attributes(std::string_view list, Line& line);
  std::string attribute(std::string_view name, std::string_view value);

  Pseudonyms& names_;
  TextRedactor text_;
  TextRedactor foreign_;  // of lines that are no commands: they may be those of a message
};

}  // namespace smtpscope
