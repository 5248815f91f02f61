#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "base/time.h"
#include "lab/program.h"
#include "net/address.h"

namespace smtpscope {

/// A scenario while it is played: decides which lines a session is under, and counts which lines
/// were of use. One for all sessions of a run; must outlive them. Not thread-safe.
class ScenarioRun {
 public:
  explicit ScenarioRun(LabProgram program);
  ScenarioRun(const ScenarioRun&) = delete;
  ScenarioRun& operator=(const ScenarioRun&) = delete;

  /// A session begins. The lines that are for it, in their order; they live as long as the run.
  std::vector<const LabLine*> begin_session(const SocketAddress& client, Time now);
  /// The line changed something.
  void note(const LabLine& line);

  const LabProgram& program() const { return program_; }
  /// How often the line changed something.
  std::uint64_t uses(std::size_t line) const { return counts_[line].uses; }
  /// The lines that never did, "PLACE: LINE" each.
  std::vector<std::string> unused() const;

 private:
  struct Counts {
    std::uint64_t sessions = 0;  // of the client that the line names
    std::deque<Time> recent;     // kMoreThan: when sessions came, within its time
    std::uint64_t uses = 0;
  };
  bool is_for(const LabLine& line, Counts& counts, const SocketAddress& client, Time now);

  const LabProgram program_;
  std::vector<Counts> counts_;
  std::mt19937_64 chance_;
};

}  // namespace smtpscope
