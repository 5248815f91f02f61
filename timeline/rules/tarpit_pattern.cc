#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace tarpit_pattern {
namespace {

using Delays = std::array<SlowReply, SlowReplies::kKept>;

/// Slow replies of one kind, the round trip taken off.
struct Series {
  Delays replies{};
  std::size_t size = 0;

  std::span<const SlowReply> all() const { return std::span(replies).first(size); }
  void add(const SlowReply& reply) { replies[size++] = reply; }
};

bool refuses(const SlowReply& reply) { return reply.code >= 400; }

/// The work that servers do after a message takes its time, and often much the same time;
/// eod-reply-slow tells of it.
bool ends_a_message(const SlowReply& reply) {
  return (reply.verb == Verb::kData || reply.verb == Verb::kBdat) && reply.code / 100 == 2;
}

template <typename Wanted>
Series select(const SlowReplies& slow, Duration rtt, Wanted wanted) {
  Series series;
  for (SlowReply reply : std::span(slow.first).first(slow.kept)) {
    if (ends_a_message(reply) || !wanted(reply)) continue;
    reply.think -= rtt;
    series.add(reply);
  }
  return series;
}

struct Shape {
  std::string_view variant;
  Series replies;
  Certainty certainty = Certainty::kPossible;
  std::string text;
};

Duration median(const Series& series) {
  Delays sorted = series.replies;
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(series.size);
  std::sort(sorted.begin(), end,
            [](const SlowReply& a, const SlowReply& b) { return a.think < b.think; });
  return sorted[series.size / 2].think;
}

/// Those of `series` that lie around `delay`, `percent` of it more or less.
Series around(const Series& series, Duration delay, std::int64_t percent) {
  Series alike;
  for (const SlowReply& reply : series.all()) {
    if (std::chrono::abs(reply.think - delay) * 100 <= delay * percent) alike.add(reply);
  }
  return alike;
}

/// Every refusal waits for the same time, and nothing else does.
std::optional<Shape> refusals_only(const RuleContext& context, const SlowReplies& slow,
                                   Duration rtt) {
  const SessionState& session = context.session();
  const Series refusals = select(slow, rtt, refuses);
  const Series others = select(slow, rtt, [](const SlowReply& reply) { return !refuses(reply); });
  if (refusals.size < 2 || session.quick_refusals > 0) return std::nullopt;
  if (others.size > 0 || session.quick_replies == 0) return std::nullopt;
  const Duration delay = median(refusals);
  if (delay < context.threshold(Threshold::kTarpitFloor)) return std::nullopt;
  const Series alike =
      around(refusals, delay, context.thresholds().value(Threshold::kTarpitSpread));
  if (alike.size != refusals.size) return std::nullopt;
  return Shape{.variant = "refusals",
               .replies = refusals,
               .certainty = Certainty::kLikely,
               .text = fmt::format("the {} refusals each came {} late, while {} other replies came "
                                   "at once: the server slows down refusals on purpose",
                                   refusals.size, duration_text(delay), session.quick_replies)};
}

/// Each delay is the one before, times a constant.
std::optional<Shape> growing(const RuleContext& context, const Series& series) {
  if (series.size < context.threshold_count(Threshold::kTarpitReplies) + 1 || series.size < 3) {
    return std::nullopt;
  }
  const auto seconds = [&](std::size_t i) {
    return static_cast<double>(series.replies[i].think.count()) / 1e9;
  };
  if (seconds(0) <= 0) return std::nullopt;
  double least = seconds(1) / seconds(0);
  double most = least;
  for (std::size_t i = 2; i < series.size; ++i) {
    const double factor = seconds(i) / seconds(i - 1);
    least = std::min(least, factor);
    most = std::max(most, factor);
  }
  const double spread =
      static_cast<double>(context.thresholds().value(Threshold::kTarpitSpread)) / 100;
  // Delays that chance has put in order grow a little too.
  constexpr double kLeastGrowth = 1.2;
  const double growth = seconds(series.size - 1) / seconds(0);
  if (least <= 1 || most > least * (1 + spread) || growth < kLeastGrowth) return std::nullopt;
  return Shape{
      .variant = "growing",
      .replies = series,
      .certainty = Certainty::kLikely,
      .text = fmt::format("{} replies came later and later, from {} to {}, each {:.2f} to {:.2f} "
                          "times as late as the one before: the server slows this client down",
                          series.size, duration_text(series.replies[0].think),
                          duration_text(series.replies[series.size - 1].think), least, most)};
}

std::optional<Shape> equal(const RuleContext& context, const SlowReplies& slow, Duration rtt) {
  const Duration floor = context.threshold(Threshold::kTarpitFloor);
  const Series late =
      select(slow, rtt, [&](const SlowReply& reply) { return reply.think - rtt >= floor; });
  Series best;
  Duration delay{};
  for (const SlowReply& reply : late.all()) {
    const Series alike =
        around(late, reply.think, context.thresholds().value(Threshold::kTarpitSpread));
    if (alike.size <= best.size) continue;
    best = alike;
    delay = reply.think;
  }
  if (best.size < context.threshold_count(Threshold::kTarpitReplies)) return std::nullopt;
  const bool all_refuse = std::ranges::all_of(best.all(), refuses);
  return Shape{
      .variant = "equal",
      .replies = best,
      .text = fmt::format(
          "{} replies each came about {} late: {}", best.size, duration_text(delay),
          all_refuse ? "the server may slow down refusals on purpose"
                     : "the server may slow this client down, or looks the same thing up each "
                       "time")};
}

void evaluate(RuleContext& context) {
  const SlowReplies* slow = context.session().slow_replies.get();
  if (slow == nullptr || slow->kept < 2) return;
  // Where the kernel did not measure it, the round trip is the quickest reply; if even that was
  // slow, it was no round trip.
  Duration rtt = context.rtt();
  if (!context.session().rtt_measured && rtt >= SlowReplies::kLeast) rtt = Duration::zero();

  std::optional<Shape> shape = refusals_only(context, *slow, rtt);
  if (!shape) shape = growing(context, select(*slow, rtt, refuses));
  if (!shape) {
    shape = growing(
        context, select(*slow, rtt, [](const SlowReply& one) { return one.verb == Verb::kRcpt; }));
  }
  if (!shape) shape = equal(context, *slow, rtt);
  if (!shape) return;

  Finding finding = context.finding();
  finding.variant = shape->variant;
  finding.certainty = shape->certainty;
  finding.text = std::move(shape->text);
  std::string delays;
  for (const SlowReply& reply : shape->replies.all()) {
    finding.entries.push_back(reply.entry);
    delays += fmt::format("{}{}", delays.empty() ? "" : " ", seconds_text(reply.think));
  }
  finding.attributes = {{"count", std::to_string(shape->replies.size)},
                        {"delays", delays},
                        {"quick_replies", std::to_string(context.session().quick_replies)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace tarpit_pattern

const Rule kTarpitPattern = {
    .id = "tarpit-pattern",
    .category = Category::kTiming,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .needs = kNeedsFineTimes,
    .triggers = kOnSessionEnd,
    .evaluate = tarpit_pattern::evaluate,
};

}  // namespace smtpscope
