#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lab/program.h"
#include "net/address.h"
#include "timeline/rule_set.h"

namespace smtpscope {

/// A client that is run through smtpscope, again and again.
struct ExperimentSetting {
  Endpoint upstream;
  /// The program and its arguments; {host} and {port} in them become where to connect.
  std::vector<std::string> command;
  Duration patience{};  // then the client is killed
};

/// What one run came to.
struct ExperimentResult {
  int exit_code = 0;       // of the client; 128 and the signal's number if one killed it
  bool timed_out = false;  // it was killed for taking too long
  bool connected = false;  // it did connect
  std::set<std::string, std::less<>> findings;  // rules that fired
  std::vector<std::string> traits;  // lines that alter what the server said, one trait each
  std::string timeline;             // as text
};

/// Runs the client once, with what it sees altered by `program`. The Error is one of starting.
Result<ExperimentResult> run_experiment(const ExperimentSetting& setting, const RuleSet& rules,
                                        const LabProgram& program);

}  // namespace smtpscope
