#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "trace/run_record.h"

namespace smtpscope {

/// Why sessions at two taps are taken for the same dialogue; the surest first.
enum class TapsMatchedBy : std::uint8_t {
  kMessage,   // the same message: its Message-ID, or its content
  kEnvelope,  // the same reverse-path and forward-paths
  kDialogue,  // the same commands
  kHello,     // the same EHLO or HELO, at about the same time
  kTime,      // at about the same time, and alike
};
std::string_view to_string(TapsMatchedBy by);

/// Sessions of both runs, as places in them, that belong together; none of the lists is empty.
struct TapsGroup {
  std::vector<std::size_t> near_client, near_server;
  TapsMatchedBy by = TapsMatchedBy::kMessage;
};

/// Which sessions belong together, and which are seen at one tap only.
struct TapsMatching {
  std::vector<TapsGroup> groups;  // in order of their first session near the client
  std::vector<std::size_t> only_near_client, only_near_server;
};

/// Finds for each session near the client what became of it near the server. Transactions are
/// matched, by what they carry: so a connection that is used for several clients, or a client that
/// is given several connections, is no obstacle. What looks the same is told apart by its order in
/// time, whatever the two clocks say: their difference is taken from where most matches agree.
/// Takes near linear time.
TapsMatching match_taps(const RunRecord& near_client, const RunRecord& near_server);

/// When something happened, by the clock of the host that recorded it, counted from 1970.
inline Duration wall_of(const RunRecord& run, Time time) {
  return run.info.started.time_since_epoch() + time.time_since_epoch();
}

}  // namespace smtpscope
