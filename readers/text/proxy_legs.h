#pragma once

#include <cstddef>
#include <string_view>

#include "readers/text/marks.h"

namespace smtpscope {

/// The two connections of a proxy in one text, which says what it takes and what it hands on, one
/// of the two indented. Learnt from lines that say the same, one behind the other, with blanks more
/// before the mark.
class ProxyLegs {
 public:
  static ProxyLegs learnt_from(std::string_view text, const Marks& marks);

  bool known() const { return indentation_ > 0; }
  /// Which of its sessions a line is of, whose mark stands at `mark`; "" where there is one only.
  std::string_view key_of(std::string_view line, std::size_t mark) const;

 private:
  std::size_t indentation_ = 0;  // before marks of the connection that is indented
};

}  // namespace smtpscope
