#include "exporters/text/text_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/counted.h"
#include "exporters/text/text_sheet.h"
#include "exporters/text/text_width.h"
#include "exporters/time_words.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

/// More rows of findings or clients than this are counted only; --verbose shows all.
constexpr std::size_t kRows = 8;

/// Where the words of a row begin, and the least room they are given.
constexpr std::size_t kColumn = 16;
constexpr std::size_t kLeast = 20;

class Table {
 public:
  Table(const RunSummary& summary, const TextStyle& style)
      : summary_(summary), style_(style), sheet_(style, {}) {}

  std::string make() {
    sheet_.flow({"summary of the run"}, 0, Tone::kHeading);
    std::string sessions =
        fmt::format("{} ({})", summary_.sessions(), by_severity(summary_.sessions_by_worst()));
    if (summary_.open() > 0) sessions += fmt::format(", {} still open", summary_.open());
    row("sessions", sessions);
    if (summary_.unreachable() > 0) {
      row("no server", counted(summary_.unreachable(), "session"));
    }
    if (summary_.transactions() > 0) {
      row("transactions", fmt::format("{}: {}", summary_.transactions(), by_outcome(summary_)));
    }
    refusals();
    findings();
    silences();
    clients();
    return sheet_.take();
  }

 private:
  /// What has a name in the first column; "" continues the one above. Wrapped in its own column.
  void row(std::string_view name, std::string_view words, Tone tone = Tone::kPlain) {
    const std::size_t width = style_.width();
    const std::size_t room = width > kColumn + kLeast ? width - kColumn : width == 0 ? 0 : kLeast;
    for (const std::string& line : wrap(words, room)) {
      sheet_.flow({fmt::format("  {:<{}}{}", name, kColumn - 2, line)}, 0, tone);
      name = "";
    }
  }

  void left_out(std::size_t all, std::string_view what) {
    if (all > rows()) row("", fmt::format("and {} more {}", all - rows(), what));
  }

  std::size_t rows() const { return style_.verbose() ? ~std::size_t{0} : kRows; }

  void refusals() {
    std::uint64_t all = 0;
    std::string by_reason;
    for (const auto& [reason, count] : summary_.refusals()) {
      all += count;
      std::string name(to_string(reason));
      std::ranges::replace(name, '-', ' ');
      by_reason += fmt::format("{}{} {}", by_reason.empty() ? "" : ", ", name, count);
    }
    if (all > 0) row("refused", fmt::format("{}: {}", all, by_reason));
  }

  void findings() {
    const std::vector<RunSummary::RuleCount> rules = summary_.rules();
    for (std::size_t i = 0; i < std::min(rules.size(), rows()); ++i) {
      const RunSummary::RuleCount& count = rules[i];
      row(i == 0 ? "findings" : "",
          fmt::format("{:<8}{:<28}{} in {}", to_string(count.worst()), count.rule->id,
                      count.findings(), counted(count.sessions, "session")),
          tone_of(count.worst()));
    }
    left_out(rules.size(), "rules");
  }

  void silences() {
    bool first = true;
    for (const RunSummary::LongSilence& silence : summary_.silences()) {
      std::string words = fmt::format(
          "{:>8}  session {}, {}", short_duration(silence.length()), silence.session,
          silence.silent == Party::kUnknown ? "both silent"
                                            : fmt::format("{} silent", to_string(silence.silent)));
      if (!silence.owed.empty()) words += fmt::format(" ({})", silence.owed);
      row(first ? "silences" : "", style_.words(words));
      first = false;
    }
  }

  void clients() {
    if (summary_.clients().size() < 2) return;
    using Row = std::pair<std::string_view, RunSummary::ClientTotals>;
    std::vector<Row> sorted(summary_.clients().begin(), summary_.clients().end());
    std::ranges::stable_sort(
        sorted, [](const Row& a, const Row& b) { return a.second.sessions > b.second.sessions; });
    for (std::size_t i = 0; i < std::min(sorted.size(), rows()); ++i) {
      const auto& [host, totals] = sorted[i];
      row(i == 0 ? "clients" : "",
          fmt::format("{}: {}, {} of {} delivered, {} sent; {}", style_.wire(host),
                      counted(totals.sessions, "session"), totals.delivered,
                      counted(totals.transactions, "transaction"), counted(totals.octets, "octet"),
                      by_severity(totals.sessions_by_worst)));
    }
    left_out(sorted.size(), "clients");
  }

  const RunSummary& summary_;
  const TextStyle& style_;
  TextSheet sheet_;
};

}  // namespace

std::string by_severity(const std::array<std::uint64_t, 4>& counts) {
  std::string words;
  for (std::size_t i = counts.size(); i-- > 0;) {
    if (counts[i] == 0) continue;
    words += fmt::format("{}{} with {}", words.empty() ? "" : ", ", counts[i],
                         to_string(static_cast<Severity>(i)));
  }
  return words.empty() ? "none with findings" : words;
}

std::string by_outcome(const std::array<std::uint64_t, 6>& outcomes) {
  std::string words;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] == 0) continue;
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", outcomes[i],
                         to_string(static_cast<Outcome>(i)));
  }
  return words;
}

std::string by_outcome(const RunSummary& summary) { return by_outcome(summary.outcomes()); }

std::string summary_table(const RunSummary& summary, const TextStyle& style) {
  return Table(summary, style).make();
}

}  // namespace smtpscope
