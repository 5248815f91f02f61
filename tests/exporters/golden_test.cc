#include "tests/exporters/golden.h"

#include <chrono>
#include <memory>
#include <string>

#include "exporters/exporter.h"
#include "tests/catch.h"
#include "tests/exporters/story.h"

// What each exporter makes of the same stories, as files to look at.

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

/// All stories one behind the other.
void tell_all(Exporter& exporter) {
  exporter.begin_run(story_run());
  Story origin(1, exporter);
  tell_origin(origin);
  Story unreachable(2, exporter);
  tell_unreachable(unreachable, 60s);
  Story oddities(3, exporter);
  tell_oddities(oddities, 70s);
  Gap gap;
  gap.events = 2;
  gap.why = "line 7: no such event";
  exporter.on_timeline({kWholeRun, Time{200s}, TimelineGap{gap}});
  exporter.end_run();
  exporter.finish();
}

std::string text_of_all(const ExporterOptions& options) {
  StringOutput output;
  const std::unique_ptr<Exporter> exporter = find_exporter("text")->make(options, output);
  tell_all(*exporter);
  return output.text();
}

TEST_CASE("text fits the width it is given") {
  for (const std::size_t width : {std::size_t{60}, std::size_t{80}, std::size_t{120}}) {
    ExporterOptions options;
    options.width = width;
    const std::string text = text_of_all(options);
    check_width(text, width);
    check_golden("text-" + std::to_string(width) + ".txt", text);
  }
}

TEST_CASE("text without a width is cut nowhere") {
  const std::string text = text_of_all({});
  CHECK(text.find("p=BadCredentials") != std::string::npos);
  check_golden("text-unlimited.txt", text);
}

TEST_CASE("verbose text") {
  ExporterOptions options;
  options.width = 80;
  options.verbose = true;
  check_golden("text-verbose.txt", text_of_all(options));
}

TEST_CASE("ASCII text holds no other octet") {
  ExporterOptions options;
  options.width = 80;
  options.unicode = false;
  const std::string text = text_of_all(options);
  for (const char c : text) {
    CHECK((c == '\n' || (c >= 0x20 && c < 0x7F)));
  }
  check_golden("text-ascii.txt", text);
}

TEST_CASE("colour changes nothing but the colour") {
  ExporterOptions options;
  options.width = 80;
  const std::string plain = text_of_all(options);
  options.colour = true;
  const std::string coloured = text_of_all(options);
  check_golden("text-colour.txt", coloured);

  std::string stripped;
  std::size_t renditions = 0;
  for (std::size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] != '\x1B') {
      stripped += coloured[i];
      continue;
    }
    // Nothing but Select Graphic Rendition: ESC [ digits and semicolons m.
    const std::size_t end = coloured.find_first_not_of("0123456789;", i + 2);
    REQUIRE(coloured[i + 1] == '[');
    REQUIRE(coloured[end] == 'm');
    ++renditions;
    i = end;
  }
  CHECK(renditions > 100);
  // What a colour encloses may end in blanks that the plain text has not.
  std::string without_blanks;
  for (std::size_t begin = 0; begin < stripped.size();) {
    const std::size_t end = stripped.find('\n', begin);
    std::string line = stripped.substr(begin, end - begin);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    without_blanks += line + '\n';
    begin = end + 1;
  }
  CHECK(without_blanks == plain);
}

/// Rules as a user may have chosen them.
const RuleSet& own_rules() {
  static const RuleSet kRules = [] {
    RuleSet rules;
    REQUIRE(rules.switch_off("idle-connection").ok());
    REQUIRE(rules.set("gap.note=2s").ok());
    return rules;
  }();
  return kRules;
}

ExporterOptions with_rules(const RuleSet& rules) {
  ExporterOptions options;
  options.rules = &rules;
  return options;
}

TEST_CASE("json") {
  StringOutput output;
  const std::unique_ptr<Exporter> exporter =
      find_exporter("json")->make(with_rules(own_rules()), output);
  tell_all(*exporter);
  check_golden("timeline.json", without_version(output.text()));
}

TEST_CASE("jsonl, one write per record") {
  StringOutput output;
  const std::unique_ptr<Exporter> exporter =
      find_exporter("jsonl")->make(with_rules(own_rules()), output);
  tell_all(*exporter);
  CHECK(output.writes() == std::count(output.text().begin(), output.text().end(), '\n'));
  check_golden("timeline.jsonl", output.text());
}

TEST_CASE("an empty run is a document, too") {
  StringOutput output;
  const std::unique_ptr<Exporter> exporter = find_exporter("json")->make({}, output);
  SECTION("with a run") {
    exporter->begin_run(story_run());
    exporter->end_run();
    exporter->finish();
    check_golden("empty.json", without_version(output.text()));
  }
  SECTION("without one") {
    exporter->finish();
    check_golden("nothing.json", without_version(output.text()));
  }
}

}  // namespace
}  // namespace smtpscope
