#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lab/ends_watch.h"
#include "lab/program.h"
#include "net/address.h"
#include "timeline/rule_set.h"

namespace smtpscope {

/// A client that is run through smtpscope, again and again.
struct ExperimentSetting {
  Endpoint upstream;
  /// The program and its arguments; {host} and {port} in them become where to connect, {folder} a
  /// folder for files of the run.
  std::vector<std::string> command;
  Duration patience{};  // then the client is killed, with all that it started
  /// Once it is true the client is killed at once. nullptr: nobody stops it.
  const std::atomic<bool>* stop = nullptr;
};

/// What a run leaves behind. Paths; "" for nothing.
struct ExperimentFiles {
  std::string capture;
  std::string client_output;  // what the client printed
  std::string folder;         // for the client's own use; must be there
  bool force = false;         // replaces the capture
};

/// What one run came to.
struct ExperimentResult {
  int exit_code = 0;       // of the client; 128 and the signal's number if one killed it
  bool timed_out = false;  // it was killed for taking too long
  bool stopped = false;    // it was killed since the user wants no more
  bool connected = false;  // it did connect
  Time began, ended;       // of the client's process
  std::set<std::string, std::less<>> findings;         // rules that fired
  std::set<std::string, std::less<>> client_findings;  // warnings and errors about the client
  std::vector<std::string> traits;  // lines that alter what the server said, one trait each
  std::vector<std::uint64_t> uses;  // of each line of the scenario
  std::deque<SessionNotes> sessions;
  std::string timeline;  // as text

  /// Of its sessions.
  std::vector<const SessionNotes*> notes() const {
    std::vector<const SessionNotes*> notes;
    notes.reserve(sessions.size());
    for (const SessionNotes& session : sessions) notes.push_back(&session);
    return notes;
  }
};

/// Lines that burden the client, one trait each, from those that alter what the server said: delays
/// of `delay` wherever it spoke, less on offer, its words in small pieces.
std::vector<std::string> burdens_of(const std::vector<std::string>& traits, Duration delay);

/// Runs the client once, with what it sees altered by `program`. The Error is one of starting. May
/// be called by several threads at once.
Result<ExperimentResult> run_experiment(const ExperimentSetting& setting, const RuleSet& rules,
                                        const LabProgram& program,
                                        const ExperimentFiles& files = {});

}  // namespace smtpscope
