#include "exporters/file_totals.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "exporters/text/text_sheet.h"
#include "exporters/text/text_style.h"
#include "exporters/text/text_summary.h"
#include "timeline/state/transaction.h"

namespace smtpscope {
namespace {

/// A longer name pushes its own words to the right, not those of all.
constexpr std::size_t kNameColumn = 64;

std::string totals_of(const FileTotals& totals) {
  if (!totals.read) return "could not be read";
  std::string words = fmt::format("{} ({})", counted(totals.sessions, "session"),
                                  by_severity(totals.sessions_by_worst));
  const auto transactions =
      std::accumulate(totals.outcomes.begin(), totals.outcomes.end(), std::uint64_t{0});
  if (transactions > 0) {
    words +=
        fmt::format("; {}: {}", counted(transactions, "transaction"), by_outcome(totals.outcomes));
  }
  return words;
}

void add(FileTotals& sum, const FileTotals& part) {
  sum.sessions += part.sessions;
  for (std::size_t i = 0; i < sum.sessions_by_worst.size(); ++i) {
    sum.sessions_by_worst[i] += part.sessions_by_worst[i];
  }
  for (std::size_t i = 0; i < sum.outcomes.size(); ++i) sum.outcomes[i] += part.outcomes[i];
}

}  // namespace

FileTotals FileTotals::of(std::string file, const RunSummary& summary) {
  return {.file = std::move(file),
          .read = true,
          .sessions = summary.sessions(),
          .sessions_by_worst = summary.sessions_by_worst(),
          .outcomes = summary.outcomes()};
}

std::string files_table(std::span<const FileTotals> files, const TextStyle& style) {
  FileTotals all{.file = "all", .read = true};
  std::size_t column = all.file.size();
  std::uint64_t unread = 0;
  for (const FileTotals& totals : files) {
    add(all, totals);
    if (!totals.read) ++unread;
    column = std::max(column, std::min(style.wire(totals.file).size(), kNameColumn));
  }
  TextSheet sheet(style, {});
  std::string heading = fmt::format("summary of {} files", files.size());
  if (unread > 0) heading += fmt::format(", {} of which could not be read", unread);
  sheet.flow({heading}, 0, Tone::kHeading);
  const auto row = [&](const FileTotals& totals) {
    const std::string name = style.wire(totals.file);
    sheet.flow({fmt::format("  {:<{}}  {}", name, column, totals_of(totals))}, 4,
               totals.read ? Tone::kPlain : Tone::kWarning);
  };
  for (const FileTotals& totals : files) row(totals);
  row(all);
  return sheet.take();
}

}  // namespace smtpscope
