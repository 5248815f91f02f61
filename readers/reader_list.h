#pragma once

#include <cstdint>
#include <functional>
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
  /// The format by its name; "": whatever it is.
  std::string format;
  /// When the file was written last, for logs that do not tell the year. Set by open_source().
  WallTime written{};
  /// Set: a regular file is being written, and a log goes on in the file that takes its place. Told
  /// when it does, in one sentence.
  std::function<void(std::string_view)> on_rotation = {};
};

/// A format that can be read, in words.
struct FormatWords {
  std::string_view name;
  std::string_view description;  // one line
  std::string_view how;          // how to get a file of it
};

/// As many octets of a file are looked at, at most, to find its format: in a log, the first line
/// that shows whose it is may stand behind many of other programs.
inline constexpr std::size_t kRecognisedBy = std::size_t{1024} * 1024;

/// All formats, in the order in which they are tried.
std::vector<FormatWords> all_formats();

/// The name of the format of a file that begins with `first`, and is that long or longer; "" if it
/// is none.
std::string_view format_of(std::span<const std::uint8_t> first);

/// Opens `path` ("-": standard input), compressed with gzip or not, text in UTF-8 or UTF-16,
/// whatever its format is.
Result<std::unique_ptr<WireSource>> open_source(const std::string& path,
                                                const SourceOptions& options);
/// The same of a text that lies in several files, in their order, as one run called `name`.
Result<std::unique_ptr<WireSource>> open_joined(const std::vector<std::string>& paths,
                                                const std::string& name,
                                                const SourceOptions& options);

/// False for a file that begins like one of a format that is no text.
bool may_be_log(const std::string& path);

}  // namespace smtpscope
