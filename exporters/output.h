#pragma once

#include <cstdint>
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

/// Files that grow by whole lines, one for each table and hour: "sessions-2026-11-30T14.jsonl",
/// with ".part" behind it until it is complete. A file that is complete never changes.
class RowFiles {
 public:
  virtual ~RowFiles() = default;
  /// A whole line. Keeps no view of it. A fault is the implementation's to remember.
  virtual void append(std::string_view table, std::string_view hour, std::string_view line) = 0;
  /// The files of that hour get nothing more.
  virtual void complete(std::string_view hour) = 0;
  /// Lines that found no room so far.
  virtual std::uint64_t lost() const { return 0; }
};

/// Where a format that is several files puts them.
class OutputFolder {
 public:
  virtual ~OutputFolder() = default;
  /// A whole file. A fault is the implementation's to remember: an exporter goes on.
  virtual void write_file(std::string_view name, std::string_view content) = 0;
  /// For formats that are rows.
  virtual RowFiles& rows() = 0;
};

}  // namespace smtpscope
