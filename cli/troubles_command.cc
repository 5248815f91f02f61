#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/file_output.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "cli/trouble_words.h"

namespace smtpscope {
namespace {

struct TroublesOptions {
  std::vector<std::string> words;
  bool markdown = false;
};

/// More than this are listed by a line each.
constexpr std::size_t kWhole = 4;

int run(const TroublesOptions& options) {
  if (options.markdown) return print(troubles_as_markdown());
  const std::vector<Trouble> found = troubles_about(options.words);
  if (found.empty()) {
    return fail("no trouble is described with all of these words; try fewer, or others");
  }
  if (options.words.empty() || found.size() > kWhole) return print(troubles_as_table(found));
  const std::size_t width = reading_width(STDOUT_FILENO);
  std::string text;
  for (const Trouble& trouble : found) {
    if (!text.empty()) text += '\n';
    text += trouble_text(trouble, width);
  }
  return print(text);
}

std::function<int()> declare_troubles(CLI::App& app) {
  auto options = std::make_shared<TroublesOptions>();
  app.add_option("WORDS", options->words, "What you are looking for; all troubles without them");
  app.add_flag("--markdown", options->markdown, "As the page docs/troubles.md");
  return [options] { return run(*options); };
}

}  // namespace

const Subcommand kTroublesCommand = {
    .name = "troubles",
    .description = "Look up what goes wrong with mail, and what to check",
    .examples =
        "  smtpscope troubles\n"
        "  smtpscope troubles greylisting\n"
        "  smtpscope troubles login starttls\n",
    .declare = declare_troubles,
};

}  // namespace smtpscope
