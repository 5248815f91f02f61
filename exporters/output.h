#pragma once

#include <string_view>

namespace smtpscope {

/// Where an exporter's text goes: a file, a terminal, or a background thread that writes to one.
class Output {
 public:
  virtual ~Output() = default;
  /// Takes whole lines, in order. Keeps no view of `text`. A fault is the implementation's to
  /// remember: an exporter goes on.
  virtual void write(std::string_view text) = 0;
};

/// Where a format that is several files puts them.
class OutputFolder {
 public:
  virtual ~OutputFolder() = default;
  /// A whole file. A fault is the implementation's to remember: an exporter goes on.
  virtual void write_file(std::string_view name, std::string_view content) = 0;
};

}  // namespace smtpscope
