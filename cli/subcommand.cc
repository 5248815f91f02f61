#include "cli/subcommand.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <string>

#include "exporters/escape.h"

namespace smtpscope {

std::span<const Subcommand* const> all_subcommands() {
  static constexpr std::array kAll = {
      &kProxyCommand, &kShowCommand,  &kDiffCommand,    &kRedactCommand, &kReportCommand,
      &kDemoCommand,  &kRulesCommand, &kExplainCommand, &kCaCommand,
  };
  return kAll;
}

int fail(std::string_view message) {
  // A message may name a file or quote a reply; whoever chose those must not reach the terminal.
  const std::string line =
      fmt::format("smtpscope: {}\n", escape(message, Wording::kOurs, Charset::kUtf8));
  std::fputs(line.c_str(), stderr);
  return kExitFailure;
}

}  // namespace smtpscope
