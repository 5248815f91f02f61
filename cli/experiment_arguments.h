#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/experiment.h"

namespace CLI {
class App;
}

namespace smtpscope {

/// What the command line says of a client that is run again and again, and of what is kept.
struct ExperimentArguments {
  std::string upstream;
  std::string timeout = "60s";
  std::string folder;
  bool force = false;
  std::vector<std::string> command;
};

/// `upstream`: the default; "": it has to be given.
void add_experiment_options(CLI::App& app, ExperimentArguments& arguments,
                            std::string_view upstream);

/// The Error says what is wrong with which option.
Result<ExperimentSetting> read_experiment_arguments(const ExperimentArguments& arguments);

/// The folder for captures: the user's, or a new one that nobody else can have prepared.
Result<std::string> make_experiment_folder(const ExperimentArguments& arguments);

/// The files of a run of that name: NAME.smtpcap, NAME.out, and, where the command wants one,
/// the folder NAME.d, which is made.
Result<ExperimentFiles> files_of_run(const std::string& folder, const std::string& name,
                                     const ExperimentArguments& arguments);

}  // namespace smtpscope
