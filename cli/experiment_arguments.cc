#include "cli/experiment_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/system_error.h"
#include "cli/folder_output.h"
#include "cli/option_values.h"

namespace smtpscope {
namespace {

bool mentions(const std::vector<std::string>& command, std::string_view what) {
  return std::any_of(command.begin(), command.end(),
                     [&](const std::string& word) { return word.find(what) != std::string::npos; });
}

}  // namespace

void add_experiment_options(CLI::App& app, ExperimentArguments& arguments,
                            std::string_view upstream) {
  arguments.upstream = upstream;
  CLI::Option* const server =
      app.add_option("--upstream", arguments.upstream, "The mail server, as for smtpscope proxy")
          ->type_name("HOST:PORT|unix:PATH|sink");
  if (upstream.empty()) {
    server->required();
  } else {
    server->capture_default_str();
  }
  app.add_option("--timeout", arguments.timeout,
                 "When a client that has not ended is killed, with all that it started")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("-o,--output", arguments.folder,
                 "Folder for a capture of each run, and what the client printed")
      ->type_name("FOLDER")
      ->default_str("a new one under $TMPDIR or /tmp");
  app.add_flag("--force", arguments.force, "Write into a folder that is not empty");
  app.add_option("command", arguments.command,
                 "Behind --: the client; {host} and {port} become where it is to connect, {folder} "
                 "a new folder for each run")
      ->type_name("COMMAND...")
      ->default_str("none");
}

Result<ExperimentSetting> read_experiment_arguments(const ExperimentArguments& arguments) {
  ExperimentSetting setting;
  auto upstream = parse_upstream(arguments.upstream);
  if (!upstream) return upstream.error();
  setting.upstream = upstream.value();
  if (arguments.command.empty()) return Error{"no client: give its command behind --"};
  if (!mentions(arguments.command, "{port}")) {
    return Error{
        "the client's command needs {port}, and {host} where it takes a host: that is where it is "
        "to connect"};
  }
  setting.command = arguments.command;
  const auto patience = parse_duration(arguments.timeout);
  if (!patience || *patience <= Duration::zero()) {
    return Error{fmt::format("--timeout: '{}' is no time; give 30s, 2m or 11m", arguments.timeout)};
  }
  setting.patience = *patience;
  return setting;
}

Result<std::string> make_experiment_folder(const ExperimentArguments& arguments) {
  if (!arguments.folder.empty()) {
    auto folder = FolderOutput::create(arguments.folder, arguments.force);
    if (!folder) return folder.error();
    return folder.value().path();
  }
  const char* directory = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/smtpscope-runs-XXXXXX",
                                 directory != nullptr && *directory != '\0' ? directory : "/tmp");
  if (mkdtemp(path.data()) == nullptr) {
    return Error{fmt::format("cannot make the folder {}: {}; name one with --output", path,
                             system_words(errno))};
  }
  return path;
}

Result<ExperimentFiles> files_of_run(const std::string& folder, const std::string& name,
                                     const ExperimentArguments& arguments) {
  ExperimentFiles files;
  const std::string base = folder + "/" + name;
  files.capture = base + ".smtpcap";
  files.client_output = base + ".out";
  files.force = arguments.force;
  if (!mentions(arguments.command, "{folder}")) return files;
  files.folder = std::filesystem::absolute(base + ".d").string();
  std::error_code fault;
  std::filesystem::create_directory(files.folder, fault);
  if (fault) return Error{fmt::format("cannot make {}: {}", files.folder, fault.message())};
  return files;
}

}  // namespace smtpscope
