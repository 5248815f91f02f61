#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace smtpscope {

// What makes a shell complete the program's subcommands, options and values. Whole scripts, to be
// put where the shell looks for them; `program` is the root of the command line.

std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);
std::string fish_completion(const CLI::App& program);

}  // namespace smtpscope
