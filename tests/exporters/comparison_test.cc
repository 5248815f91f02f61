#include <string>
#include <string_view>
#include <vector>

#include "diff/runs/normalizer.h"
#include "diff/runs/run_comparison.h"
#include "diff/runs/run_series.h"
#include "exporters/comparison/comparison_json.h"
#include "exporters/comparison/comparison_table.h"
#include "exporters/comparison/comparison_text.h"
#include "tests/catch.h"
#include "tests/diff/recorded.h"
#include "tests/exporters/golden.h"

// What a comparison looks like, as files to look at.

namespace smtpscope {
namespace {

using test::recorded;

constexpr std::string_view kBefore = R"(
S: 220 mx.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000
C: EHLO client.example
S> raw "250-mx.example Hello client.example [192.0.2.10]:50114\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n250-DSN\r\n250 AUTH PLAIN LOGIN\r\n"
C: NOOP
S: 250 2.0.0 Ok
C: MAIL FROM:<alice@example.com> SIZE=320
S: 250 2.1.0 Ok
C: RCPT TO:<bob@example.net>
S: 250 2.1.5 Ok
C: RCPT TO:<carol@example.net>
S: 250 2.1.5 Ok
C: DATA
S: 354 go
C> raw "From: alice@example.com\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nSubject: figures\r\nX-Mailer: Old 1.0\r\nTo: bob@example.net\r\n\r\nFirst line.\r\nSecond line.\r\n.\r\n"
S: 250 2.0.0 Ok: queued as 4F1B2A0C3D
C: QUIT
S: 221 2.0.0 Bye
close server fin
close client fin
end
session: 2
S: 220 mx.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000
C: EHLO client.example
S: 250 mx.example
C: MAIL FROM:<alice@example.com>
S: 250 2.1.0 Ok
C: RCPT TO:<dave@example.net>
S: 250 2.1.5 Ok
C: DATA
S: 354 go
C> raw "Subject: x\r\n\r\nhello\r\n.\r\n"
S: 250 2.0.0 Ok: queued as 4F1B2A0C3E
C: QUIT
S: 221 2.0.0 Bye
end
session: 3
S: 220 mx.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000
C: VRFY root
S: 252 perhaps
end
)";

constexpr std::string_view kAfter = R"(
S: 220 mx.example ESMTP Exim 4.96 Wed, 25 Nov 2026 11:30:00 +0000
C: EHLO client.example
S> raw "250-mx.example Hello client.example [192.0.2.10]:50733\r\n250-SIZE 20480000\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n"
C: MAIL FROM:<alice@example.com> BODY=8BITMIME
S: 250 2.1.0 Ok
C: RCPT TO:<bob@example.net>
S: 250 2.1.5 Ok
C: RCPT TO:<carol@example.net>
@ +2400ms
S: 550 5.1.1 no such user \x1B[31m
C: DATA
S: 354 go
C> raw "Date: Wed, 25 Nov 2026 11:30:00 +0000\r\nFrom: alice@example.com\r\nSubject: figures, again\r\nTo: bob@example.net\r\nX-New: caf\xc3\xa9\r\n\r\nFirst line.\nSecond line, and more of it.\r\nThird line.\r\n.\r\n"
S: 250 2.0.0 Ok: queued as 77AA00BB11
C: NOOP
S: 250 2.0.0 Ok
C: QUIT
S: 221 2.0.0 Bye
close server fin
close client fin
end
session: 2
S: 220 mx.example ESMTP Exim 4.96 Wed, 25 Nov 2026 11:30:00 +0000
C: EHLO client.example
S: 250 mx.example
C: MAIL FROM:<alice@example.com>
S: 250 2.1.0 Ok
C: RCPT TO:<dave@example.net>
S: 250 2.1.5 Ok
@ +1s
C: RSET
S: 250 2.0.0 Ok
C: QUIT
S: 221 2.0.0 Bye
end
)";

RunRecord run(std::string_view transcript, std::string name) {
  RunRecord record = recorded(transcript, name);
  record.info.started = WallTime(std::chrono::seconds(1764000000));
  record.info.source = name;
  record.info.writer = "smtpscope 0.0.0";
  return record;
}

struct Runs {
  Runs() {
    Result<Normalizers> made = Normalizers::make({});
    REQUIRE(made.ok());
    comparison = compare_runs(before, after, made.value(), options);
    same = compare_runs(before, before, made.value(), options);
    series.add(comparison);
    series.add(same);
  }

  std::string text(const ExporterOptions& rendering, const ComparisonLayout& layout = {}) const {
    StringOutput output;
    write_comparison_text(comparison, layout, rendering, output);
    return output.text();
  }

  const RunRecord before = run(kBefore, "before.smtpcap");
  const RunRecord after = run(kAfter, "after.smtpcap");
  const ComparisonOptions options;
  RunComparison comparison, same;
  RunSeries series{before, options};
};

ExporterOptions columns(std::size_t width) {
  ExporterOptions options;
  options.width = width;
  return options;
}

TEST_CASE("a comparison as text") {
  const Runs runs;
  check_golden("comparison.txt", runs.text(columns(0)));
  check_golden("comparison-80.txt", runs.text(columns(80)));
  check_width(runs.text(columns(80)), 80);
  ExporterOptions verbose = columns(0);
  verbose.verbose = true;
  check_golden("comparison-verbose.txt", runs.text(verbose));
  ExporterOptions plain = columns(100);
  plain.unicode = false;
  plain.colour = true;
  check_golden("comparison-colour-ascii.txt", runs.text(plain));
}

TEST_CASE("a comparison side by side") {
  const Runs runs;
  ComparisonLayout layout;
  layout.side_by_side = true;
  check_golden("comparison-side-by-side.txt", runs.text(columns(110), layout));
  for (const std::size_t width : {std::size_t{60}, std::size_t{80}, std::size_t{110}}) {
    check_width(runs.text(columns(width), layout), width);
  }
}

TEST_CASE("nothing of the wire reaches the terminal as it came") {
  const Runs runs;
  CHECK(runs.text(columns(0)).find('\x1B') == std::string::npos);
  ComparisonLayout layout;
  layout.side_by_side = true;
  CHECK(runs.text(columns(0), layout).find('\x1B') == std::string::npos);
}

TEST_CASE("equal runs are told in a few lines") {
  const Runs runs;
  StringOutput output;
  write_comparison_text(runs.same, {}, columns(0), output);
  check_golden("comparison-same.txt", output.text());
}

TEST_CASE("several runs make a table") {
  const Runs runs;
  StringOutput output;
  write_comparison_table(
      runs.before,
      {{"before.smtpcap", 3, runs.same.counts}, {"after.smtpcap", 2, runs.comparison.counts}},
      columns(120), output);
  check_golden("comparison-table.txt", output.text());
}

TEST_CASE("a series of runs") {
  const Runs runs;
  StringOutput output;
  write_series(runs.series, columns(0), output);
  check_golden("comparison-series.txt", output.text());
}

TEST_CASE("a comparison as JSON") {
  const Runs runs;
  std::string document = comparison_document({json_of(runs.comparison, &runs.series)},
                                             json_of(runs.series), RuleSet());
  const std::size_t version = document.find("\"version\": \"") + 12;
  document.replace(version, document.find('"', version) - version, "0.0.0");
  check_golden("comparison.json", document);
}

}  // namespace
}  // namespace smtpscope
