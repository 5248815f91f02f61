#pragma once

#include <string>
#include <string_view>

namespace smtpscope {

/// A piece of text to look for. Capital letters of ASCII and small ones are the same; '*' stands
/// for anything, '?' for one character. A value.
class TextPattern {
 public:
  enum class Where {
    kPartOrWhole,  // without wildcards a part is enough, with them the whole text has to match
    kPart,
    kWhole,
  };

  TextPattern(std::string_view pattern, Where where);

  bool matches(std::string_view text) const;

 private:
  std::string pattern_;  // in lower case
  bool wild_;
  bool whole_;
};

}  // namespace smtpscope
