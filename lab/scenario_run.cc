#include "lab/scenario_run.h"

#include <fmt/format.h>

#include <utility>

namespace smtpscope {

ScenarioRun::ScenarioRun(LabProgram program)
    : program_(std::move(program)), counts_(program_.lines.size()), chance_(program_.seed) {}

std::vector<const LabLine*> ScenarioRun::begin_session(const SocketAddress& client, Time now) {
  std::vector<const LabLine*> lines;
  for (std::size_t i = 0; i < program_.lines.size(); ++i) {
    const LabLine& line = program_.lines[i];
    if (is_for(line, counts_[i], client, now)) lines.push_back(&line);
  }
  return lines;
}

bool ScenarioRun::is_for(const LabLine& line, Counts& counts, const SocketAddress& client,
                         Time now) {
  const LabWho& who = line.who;
  if (who.client && !who.client->names(client)) return false;
  const std::uint64_t session = ++counts.sessions;
  // Before all else, so that what is chosen does not depend on the other conditions. std's
  // distributions differ from library to library.
  const bool chosen = who.percent == 100 || chance_() % 100 < who.percent;
  bool crowded = true;
  if (who.more_than > 0) {
    while (!counts.recent.empty() && counts.recent.front() <= now - who.within) {
      counts.recent.pop_front();
    }
    crowded = counts.recent.size() >= who.more_than;
    counts.recent.push_back(now);
    // No more are needed to know.
    if (counts.recent.size() > who.more_than) counts.recent.pop_front();
  }
  return chosen && crowded && (who.first == 0 || session <= who.first) &&
         (who.every == 0 || session % who.every == 0) && session >= who.from &&
         (who.to == 0 || session <= who.to);
}

void ScenarioRun::note(const LabLine& line) {
  ++counts_[static_cast<std::size_t>(&line - program_.lines.data())].uses;
}

std::vector<std::string> ScenarioRun::unused() const {
  std::vector<std::string> unused;
  for (std::size_t i = 0; i < program_.lines.size(); ++i) {
    if (counts_[i].uses > 0) continue;
    unused.push_back(fmt::format("{}: {}", program_.lines[i].place, program_.lines[i].text));
  }
  return unused;
}

}  // namespace smtpscope
