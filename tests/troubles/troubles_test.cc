// Runs every dialogue of tests/troubles/dialogues; the README there tells the format.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"
#include "tests/timeline/replay.h"
#include "timeline/causes/cause.h"
#include "timeline/reasons/reply_reason.h"

namespace smtpscope::test {
namespace {

/// A dialogue, and what the verdict of its last session must and must not say.
struct TroubleFile {
  std::string name;
  std::string trouble, cause, side;
  std::vector<std::string> first_line;  // each a part of it
  std::vector<std::string> says;        // each a part of some line
  std::vector<std::string> never;
  std::string dialogue;
};

bool take(std::string_view& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return false;
  line.remove_prefix(prefix.size());
  return true;
}

TroubleFile read_trouble(const std::filesystem::path& path) {
  TroubleFile file;
  file.name = path.stem().string();
  std::ifstream in(path, std::ios::binary);
  for (std::string text; std::getline(in, text);) {
    std::string_view line = text;
    if (take(line, "trouble: ")) {
      file.trouble = line;
    } else if (take(line, "cause: ")) {
      file.cause = line;
    } else if (take(line, "side: ")) {
      file.side = line;
    } else if (take(line, "first line: ")) {
      file.first_line.emplace_back(line);
    } else if (take(line, "also: ")) {
      file.says.emplace_back(line);
    } else if (take(line, "never: ")) {
      file.never.emplace_back(line);
    } else {
      file.dialogue += text + '\n';
    }
  }
  return file;
}

std::vector<TroubleFile> all_files() {
  std::vector<TroubleFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SMTPSCOPE_SOURCE_DIR) +
                                                               "/tests/troubles/dialogues")) {
    if (entry.path().extension() == ".txt") files.push_back(read_trouble(entry.path()));
  }
  std::ranges::sort(files, {}, &TroubleFile::name);
  return files;
}

/// What differs, a line each; empty if the verdict is right.
std::vector<std::string> wrong_with(const TroubleFile& file, const TimelineDump::Line& ended) {
  std::vector<std::string> wrong;
  const auto expect = [&](bool right, std::string what) {
    if (!right) wrong.push_back(std::move(what));
  };
  expect(ended.lead_cause == file.cause,
         fmt::format("cause: {} instead of {}", ended.lead_cause, file.cause));
  expect(file.side.empty() || ended.lead_side == file.side,
         fmt::format("side: {} instead of {}", ended.lead_side, file.side));
  const std::string first = ended.verdict.empty() ? std::string() : ended.verdict.front();
  for (const std::string& part : file.first_line) {
    expect(first.find(part) != std::string::npos, fmt::format("first line lacks: {}", part));
  }
  std::string all, without_not_it;
  for (const std::string& line : ended.verdict) {
    all += line + '\n';
    // What it is not may well be named there.
    if (!line.starts_with("not the cause: ")) without_not_it += line + '\n';
  }
  for (const std::string& part : file.says) {
    expect(all.find(part) != std::string::npos, fmt::format("no line says: {}", part));
  }
  for (const std::string& part : file.never) {
    expect(without_not_it.find(part) == std::string::npos, fmt::format("says: {}", part));
  }
  return wrong;
}

TEST_CASE("troubles are told right") {
  const std::vector<TroubleFile> files = all_files();
  REQUIRE(files.size() >= 70);
  for (const TroubleFile& file : files) {
    Transcript transcript = parse_transcript(file.name, file.dialogue);
    transcript.settle_views();
    INFO(file.name);
    REQUIRE(transcript.error == "");
    REQUIRE(!file.trouble.empty());
    REQUIRE(!file.first_line.empty());
    const TimelineDump dump = replay(transcript);
    const TimelineDump::Line* ended = nullptr;
    for (const TimelineDump::Line& line : dump.lines()) {
      if (!line.verdict.empty()) ended = &line;
    }
    REQUIRE(ended != nullptr);
    const std::vector<std::string> wrong = wrong_with(file, *ended);
    std::string report = fmt::format("\n==== {}: {}\n", file.name, file.trouble);
    for (const std::string& line : wrong) report += "  " + line + '\n';
    for (const std::string& line : ended->verdict) report += "    | " + line + '\n';
    if (!wrong.empty()) FAIL_CHECK(report);
  }
}

TEST_CASE("every cause leads in some trouble") {
  std::set<std::string> led;
  for (const TroubleFile& file : all_files()) led.insert(file.cause);
  for (const Cause* cause : all_causes()) {
    INFO(cause->id);
    CHECK((cause->id == "server-refused" || led.contains(std::string(cause->id))));
  }
}

TEST_CASE("every cause has its prose") {
  std::set<std::string_view> ids;
  for (const Cause* cause : all_causes()) {
    INFO(cause->id);
    CHECK(ids.insert(cause->id).second);
    CHECK(find_cause(cause->id) == cause);
    CHECK_FALSE(reply_reason(cause->id).has_value());
    const CausePage& page = page_of(*cause);
    CHECK(!page.title.empty());
    CHECK(page.means.ends_with('.'));
    CHECK(!page.checks.empty());
  }
}

}  // namespace
}  // namespace smtpscope::test
