#pragma once

#include <string>
#include <string_view>

#include "exporters/output.h"

namespace smtpscope {

/// Keeps what an exporter writes.
class StringOutput : public Output {
 public:
  void write(std::string_view text) override {
    text_ += text;
    ++writes_;
  }
  const std::string& text() const { return text_; }
  int writes() const { return writes_; }

 private:
  std::string text_;
  int writes_ = 0;
};

/// Compares `text` with the file tests/exporters/golden/<name>, and prints both on a mismatch.
/// With SMTPSCOPE_APPROVE in the environment (script/approve-golden) the file is written instead.
void check_golden(const std::string& name, std::string_view text);

/// CHECKs that each line takes at most `width` columns, and ends in no blank.
void check_width(std::string_view text, std::size_t width);

/// A JSON document with another version of the program in it: that changes with each release and
/// says nothing here. REQUIREs that one is in it.
std::string without_version(std::string text);

}  // namespace smtpscope
