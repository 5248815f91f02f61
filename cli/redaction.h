#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "redact/content_redactor.h"
#include "redact/originals.h"

namespace CLI {
class App;
}

namespace smtpscope {

/// How a capture is to be redacted: the options that `redact` and `report` share.
struct RedactionOptions {
  std::vector<std::string> inputs;  // a file, or those of one run in their order
  std::string body = "drop";
  std::string key;  // file; "": a key that nobody keeps
};

/// Adds IN, --body and --key to `app`.
void add_redaction_options(CLI::App& app, RedactionOptions& options);

/// What was done.
struct Redaction {
  Originals originals;  // replaced
  std::uint64_t moved_addresses = 0;
  std::uint64_t events = 0;
  std::size_t looked_for = 0;        // originals, by the check
  std::vector<std::string> notices;  // what the input's reader had to tell
  bool key_made = false;
};

/// Writes a redacted copy of a capture to `output`, then reads it again and looks for what was
/// replaced. When something of it is left, or the copy cannot be read as a whole, the output is
/// removed and the Error says so. The inputs are read twice, so they have to be files.
Result<Redaction> redact_capture(const RedactionOptions& options, const std::string& output,
                                 bool force);

/// A line per kind: what was replaced, and how often; no originals.
std::string redaction_report(const Redaction& redaction);

}  // namespace smtpscope
