#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.h"
#include "lab/client_check.h"

namespace smtpscope {

/// One row of what `smtpscope check-client` found.
struct CheckedScenario {
  std::string name;   // of the scenario; of its files, too
  std::string title;  // what happens
  std::string asks;   // what a client should do then
  ClientVerdict verdict;
  std::size_t connections = 0;
  int exit_code = 0;
  bool killed = false;
  Duration took{};
  std::vector<std::string> findings;  // rules, warnings and errors about the client
  std::string capture;                // paths
  std::string client_output;
};

class JsonWriter;
/// Of docs/check-client.schema.json, an element of "runs".
void put_checked_json(JsonWriter& json, const CheckedScenario& row);

/// All of it. The first row is the client as it is, without a scenario.
struct CheckedClient {
  std::vector<std::string> command;
  std::string upstream;
  std::string folder;
  Duration patience{};
  std::vector<CheckedScenario> rows;
  std::size_t not_run = 0;  // scenarios that there was no time for: the user wants no more

  std::size_t count(ClientMark mark) const;  // the first row is not counted
};

/// A table, and where to look. `width` in columns; 0: lines are not broken.
std::string client_report_text(const CheckedClient& checked, std::size_t width);
/// docs/check-client.schema.json
std::string client_report_json(const CheckedClient& checked);

}  // namespace smtpscope
