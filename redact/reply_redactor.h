#pragma once

#include <string_view>

#include "parser/item.h"
#include "redact/pseudonyms.h"
#include "redact/rewriting.h"
#include "redact/text_redactor.h"

namespace smtpscope {

/// Writes lines of the replying side anew: codes and standard words stay, as do the keywords of
/// extensions and their numbers; everything else is replaced.
class ReplyRedactor {
 public:
  /// Where a line stands, which says what its first word is.
  enum class Place : std::uint8_t {
    kAnywhere,
    kName,      // first line of a greeting, or of the reply to a hello: the server's name
    kKeywords,  // further lines of the latter
  };

  explicit ReplyRedactor(Pseudonyms& names) : names_(names), text_(names) {}

  static Place place_of(const Reply& reply, bool first_line);

  /// `line` without its ending.
  void rewrite(std::string_view line, Place place, Rewriting& out);

 private:
  void keywords(std::string_view text, Rewriting& out);

  Pseudonyms& names_;
  TextRedactor text_;
};

}  // namespace smtpscope
