#include "exporters/comparison/comparison_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/counted.h"
#include "exporters/text/text_style.h"
#include "exporters/text/text_width.h"
#include "exporters/time_words.h"
#include "timeline/duration_text.h"

namespace smtpscope {
namespace {

/// Flickering places beyond this are counted only; verbose shows all.
constexpr std::size_t kShownFlickers = 40;
constexpr std::size_t kLongestValue = 60;

/// Text in a column, cut or filled up to its width.
std::string cell(std::string_view text, std::size_t width, std::string_view mark) {
  std::string out = cut_to_width(text, width, mark);
  out.append(width - std::min(width, display_width(out)), ' ');
  return out;
}

}  // namespace

void write_comparison_table(const RunRecord& base, const std::vector<ComparedRun>& runs,
                            const ExporterOptions& options, Output& output) {
  const TextStyle style(options);
  output.write(
      style.paint(Tone::kHeading, fmt::format("compared with {}   {}   {}", style.words(base.name),
                                              readable_time(base.info.started),
                                              counted(base.sessions.size(), "session"))) +
      "\n\n");
  // A group that nobody differs in would be a column of noughts.
  std::vector<DifferenceGroup> groups;
  for (std::size_t i = 0; i < kDifferenceGroups; ++i) {
    const auto group = static_cast<DifferenceGroup>(i);
    if (std::ranges::any_of(runs,
                            [&](const ComparedRun& run) { return run.counts.of(group) > 0; })) {
      groups.push_back(group);
    }
  }
  constexpr std::size_t kLeastName = 12;
  std::size_t longest = kLeastName, columns = 0;
  for (const ComparedRun& run : runs) {
    longest = std::max(longest, display_width(style.words(run.name)));
  }
  for (const DifferenceGroup group : groups) columns += to_string(group).size() + 2;
  constexpr std::size_t kResult = 18;
  const std::size_t room =
      style.width() > columns + kResult ? style.width() - columns - kResult : 0;
  const std::size_t name_width =
      style.width() == 0 ? longest : std::max(kLeastName, std::min(longest, room));

  std::string head = cell("run", name_width, "");
  for (const DifferenceGroup group : groups) head += fmt::format("  {}", to_string(group));
  output.write(style.paint(Tone::kQuiet, head + "  result") + "\n");
  for (const ComparedRun& run : runs) {
    std::string line = cell(style.words(run.name), name_width, style.glyphs().more);
    for (const DifferenceGroup group : groups) {
      const std::uint64_t count = run.counts.of(group);
      line += fmt::format("  {:>{}}", count == 0 ? "-" : std::to_string(count),
                          to_string(group).size());
    }
    const std::uint64_t all = run.counts.all();
    line += "  ";
    line += all == 0 ? style.paint(Tone::kGood, "same")
                     : style.paint(Tone::kError, counted(all, "difference"));
    output.write(line + "\n");
  }
}

void write_series(const RunSeries& series, const ExporterOptions& options, Output& output) {
  const TextStyle style(options);
  output.write(style.paint(Tone::kHeading,
                           fmt::format("baseline of {}, base {}", counted(series.runs(), "run"),
                                       style.words(series.base().name))) +
               "\n");
  output.write(fmt::format("stable: {} of {} in every run\n", series.stable(),
                           counted(series.exchanges(), "exchange")));
  const std::vector<Flicker> flickers = series.flickers();
  if (flickers.empty()) {
    output.write(style.paint(Tone::kGood, "nothing flickers") + "\n");
    return;
  }
  output.write(style.paint(Tone::kNotice, counted(flickers.size(), "place")) + " that " +
               (flickers.size() == 1 ? "flickers" : "flicker") + ":\n");
  const std::size_t shown =
      style.verbose() ? flickers.size() : std::min(flickers.size(), kShownFlickers);
  for (const Flicker& each :
       std::vector(flickers.begin(), flickers.begin() + static_cast<std::ptrdiff_t>(shown))) {
    std::string line =
        fmt::format("  {} of {}  {:<18}", each.runs, series.runs() - 1, to_string(each.kind));
    if (each.session != 0) line += fmt::format("  session {}", each.session);
    line += fmt::format("  {}", style.wire(each.subject));
    output.write(line + "\n");
    const std::string lead(10, ' ');
    if (each.kind == DifferenceKind::kTiming) {
      output.write(style.paint(Tone::kQuiet,
                               fmt::format("{}from {} to {}", lead, duration_text(each.shortest),
                                           duration_text(each.longest))) +
                   "\n");
      continue;
    }
    const auto value = [&](std::string_view sign, std::string_view text) {
      if (text.empty()) return;
      const std::string whole = style.wire(text);
      output.write(style.paint(Tone::kQuiet,
                               fmt::format("{}{} {}", lead, sign,
                                           style.verbose() ? whole
                                                           : cut_to_width(whole, kLongestValue,
                                                                          style.glyphs().more))) +
                   "\n");
    };
    value("base", each.base);
    for (std::size_t i = 0; i < each.values.size() && (i < 2 || style.verbose()); ++i) {
      if (each.values[i] != each.base) value("also", each.values[i]);
    }
    if (each.values.size() > 2 && !style.verbose()) {
      output.write(style.paint(Tone::kQuiet,
                               fmt::format("{}and {} more (-v)", lead, each.values.size() - 2)) +
                   "\n");
    }
  }
  if (shown < flickers.size()) {
    output.write(fmt::format("  and {} more (-v)\n", flickers.size() - shown));
  }
}

}  // namespace smtpscope
