#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capture/octet_source.h"
#include "capture/wire_source.h"

namespace smtpscope {

/// What the user says about recorded files. Formats ignore what does not concern them.
struct SourceOptions {
  /// Captures of packets: show what is said on these ports, whatever it is, and nothing else.
  std::vector<std::uint16_t> ports;
  /// When the file was written last, for logs that do not tell the year. Set by open_source().
  WallTime written{};
};

/// A format that can be read.
struct ReaderKind {
  std::string_view name;
  std::string_view description;  // one line
  /// The first octets of a file are of this format. Asked with more and more of them, from
  /// kRecognisedBy on and up to kLogRecognisedBy, until a format says so.
  bool (*recognises)(std::span<const std::uint8_t> first);
  /// Reads `octets` from their beginning; `name` is the file's, for messages. The Error says what
  /// is wrong, with the file's name.
  Result<std::unique_ptr<WireSource>> (*open)(std::unique_ptr<OctetSource> octets,
                                              const std::string& name,
                                              const SourceOptions& options);
};

/// Octets that are enough to recognise a format with a signature, and to find the first line of a
/// log that shows whose it is, behind those of other programs.
inline constexpr std::size_t kRecognisedBy = 16;
inline constexpr std::size_t kLogRecognisedBy = std::size_t{256} * 1024;

/// All formats, in the order in which they are tried. Adding one: one file pair, one row here, one
/// test.
std::span<const ReaderKind> all_readers();

/// Opens `path` ("-": standard input), compressed with gzip or not, whatever its format is.
Result<std::unique_ptr<WireSource>> open_source(const std::string& path,
                                                const SourceOptions& options);

}  // namespace smtpscope
