#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "cli/completion.h"
#include "cli/file_output.h"
#include "cli/subcommand.h"

namespace smtpscope {
namespace {

std::function<int()> declare_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell, "The shell: bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  return [shell, program = app.get_parent()] {
    if (*shell == "bash") return print(bash_completion(*program));
    return print(*shell == "zsh" ? zsh_completion(*program) : fish_completion(*program));
  };
}

}  // namespace

const Subcommand kCompletionCommand = {
    .name = "completion",
    .description = "Print what makes a shell complete subcommands, options and values",
    .examples =
        "  source <(smtpscope completion bash)                                  in this bash\n"
        "  smtpscope completion fish > ~/.config/fish/completions/smtpscope.fish\n",
    .declare = declare_completion,
};

}  // namespace smtpscope
