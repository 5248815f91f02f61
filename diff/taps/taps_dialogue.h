#pragma once

#include <cstdint>
#include <vector>

#include "diff/taps/taps_clock.h"
#include "diff/taps/taps_comparison.h"

namespace smtpscope {

/// Lays a dialogue's exchanges beside each other: fills in its steps and rows, and notes what one
/// of the taps could not see. Its sessions are there already.
void lay_out(const RunRecord& near_client, const RunRecord& near_server, TapsDialogue& dialogue);

/// What its exchanges say of the clocks.
std::vector<OffsetSample> offset_samples(const RunRecord& near_client, const RunRecord& near_server,
                                         const TapsDialogue& dialogue);

/// Whether the dialogue's times tell which tap is nearer to the client: whoever is waits longer for
/// each answer that the server gives. Counts the answers that are surely the server's.
struct TapsOrderVotes {
  std::uint64_t as_given = 0, swapped = 0;
};
TapsOrderVotes order_votes(const RunRecord& near_client, const RunRecord& near_server,
                           const TapsDialogue& dialogue);

/// Fills in what was changed in between, and when. The dialogue is laid out, and its clock is set.
void compare_dialogue(const RunRecord& near_client, const RunRecord& near_server,
                      Duration delay_threshold, TapsDialogue& dialogue);

}  // namespace smtpscope
