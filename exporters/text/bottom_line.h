#pragma once

#include <string>
#include <string_view>

#include "exporters/output.h"

namespace smtpscope {

/// Keeps a line below the text on a terminal. The cursor rests at its beginning, so that what
/// others write begins there. Not thread-safe.
class BottomLine : public Output {
 public:
  /// Clears the line that the cursor is in (ECMA-48 8.3.41): to stand before what is written to the
  /// same terminal by somebody else.
  static constexpr std::string_view kClear = "\r\x1b[K";

  /// `terminal` must outlive this.
  explicit BottomLine(Output& terminal) : terminal_(terminal) {}

  void write(std::string_view text) override;
  /// Replaces the line; "" takes it away.
  void show(std::string line);

 private:
  Output& terminal_;
  std::string line_;
};

}  // namespace smtpscope
