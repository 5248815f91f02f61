#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

/// Logs in which the one who speaks has a line of its own, as nodemailer's of 2011 have:
///
///   SEND (1):
///   └──"EHLO [127.0.0.1]\r\n"
///
/// Not thread-safe.
class LabelLines {
 public:
  /// Whether the text has such lines, more often than by chance.
  static bool in(std::string_view text);

  /// Puts labels before what is said: SEND: "EHLO [127.0.0.1]\r\n". A label that ends `lines` waits
  /// for those of the next call. What is in `lines` is valid until then.
  void join(std::vector<std::string_view>& lines);

 private:
  std::string label_;  // waits for what is said
  std::deque<std::string> joined_;
};

}  // namespace smtpscope
