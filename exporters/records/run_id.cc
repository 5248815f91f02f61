#include "exporters/records/run_id.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>

#include "exporters/fnv_hash.h"

namespace smtpscope {
namespace {

/// A file may say anything.
bool is_uuid7(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-7xxx-vxxx-xxxxxxxxxxxx";
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    std::string_view allowed = "0123456789abcdef";
    if (kShape[i] == 'v') allowed = "89ab";
    if (kShape[i] == '7' || kShape[i] == '-') allowed = kShape.substr(i, 1);
    if (allowed.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

std::string run_id(const RunInfo& run, std::string_view host) {
  if (is_uuid7(run.run)) return run.run;
  std::string_view file = run.source;
  if (const std::size_t slash = file.rfind('/'); slash != std::string_view::npos) {
    file.remove_prefix(slash + 1);
  }
  const std::int64_t began = run.started.time_since_epoch().count();
  const auto nanoseconds = static_cast<std::uint64_t>(began > 0 ? began : 0);
  std::uint64_t hash = kFnvBasis;
  for (const std::string_view part : {host, std::string_view(run.tap), file}) {
    hash = with_part(hash, part);
  }
  hash = spread(hash ^ spread(static_cast<std::uint64_t>(began)));
  const std::uint64_t milliseconds = nanoseconds / 1'000'000;
  // RFC 9562 6.2, method 3: the fraction of the millisecond in the twelve bits behind the version.
  const std::uint64_t fraction = nanoseconds % 1'000'000 * 4096 / 1'000'000;
  return fmt::format("{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}", milliseconds >> 16 & 0xffffffff,
                     milliseconds & 0xffff, fraction, (hash >> 48 & 0x3fff) | 0x8000,
                     hash & 0xffffffffffff);
}

}  // namespace smtpscope
