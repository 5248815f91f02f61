#pragma once

#include <string_view>

namespace smtpscope {

/// A file of the page, joined from the sources in this folder. ASCII, and without anything that
/// ends the element it is put into. Static lifetime.
struct PageFile {
  std::string_view text;
  std::string_view sha256;  // of `text`, in hexadecimal
};

extern const PageFile kPageScript;  // a classic script
extern const PageFile kPageStyle;

}  // namespace smtpscope
