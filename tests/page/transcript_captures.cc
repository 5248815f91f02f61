// Writes every transcript of tests/timeline/transcripts as a capture, for tests of what shows them.
//
// usage: transcript_captures FOLDER

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "capture/capture_writer.h"
#include "capture/sanitizer.h"
#include "tests/timeline/transcript.h"

namespace smtpscope::test {
namespace {

/// False, and why on stderr, if it cannot be done.
bool write(const std::string& file, const std::filesystem::path& folder) {
  Transcript transcript = read_transcript(file);
  transcript.settle_views();
  RunInfo run;
  run.started = WallTime(std::chrono::hours(24 * 365 * 56));
  run.writer = "transcript_captures";
  run.message_kept = "full";
  const std::string path = (folder / (transcript.name + ".smtpcap")).string();
  auto writer = CaptureWriter::create(path, false, run);
  if (!writer.ok()) {
    std::fprintf(stderr, "%s\n", writer.error().message.c_str());
    return false;
  }
  std::map<SessionId, std::unique_ptr<Sanitizer>> sanitizers;
  for (const OwnedEvent& each : transcript.events) {
    auto& sanitizer = sanitizers[each.event.session];
    if (!sanitizer) {
      sanitizer = std::make_unique<Sanitizer>(
          SanitizerPolicy{.message_octets = SanitizerPolicy::kEverything}, writer.value().get(),
          nullptr, transcript.mid_session);
    }
    sanitizer->feed(each.event);
  }
  return writer.value()->close();
}

}  // namespace
}  // namespace smtpscope::test

int main(int count, char** arguments) {
  if (count != 2) return 2;
  for (const std::string& file : smtpscope::test::transcript_files()) {
    if (!smtpscope::test::write(file, arguments[1])) return 1;
  }
  return 0;
}
