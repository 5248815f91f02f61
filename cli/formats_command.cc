#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>

#include "cli/subcommand.h"
#include "readers/reader_list.h"

namespace smtpscope {
namespace {

int list_formats() {
  std::size_t width = 0;
  const std::vector<FormatWords> formats = all_formats();
  for (const FormatWords& format : formats) width = std::max(width, format.name.size());
  for (const FormatWords& format : formats) {
    fmt::print("{:{}}  {}\n{:{}}    {}\n", format.name, width, format.description, "", width,
               format.how);
  }
  return kExitFine;
}

std::function<int()> declare_formats(CLI::App& /*app*/) { return list_formats; }

}  // namespace

const Subcommand kFormatsCommand = {
    .name = "formats",
    .description = "List what can be read, and how to get it from each program",
    .examples =
        "  smtpscope formats\n"
        "  smtpscope show --as dialogue pasted.txt     read a text as one of them\n",
    .declare = declare_formats,
};

}  // namespace smtpscope
