#pragma once

#include <vector>

#include "diff/taps/taps_comparison.h"

namespace smtpscope {

/// The exchanges of a dialogue's sessions at one tap, in order. What is inside TLS is no step: see
/// TapsDialogue::not_evaluated.
std::vector<TapsStep> steps_of(const std::vector<const SessionRecord*>& sessions);

/// The transaction that the step is a part of; nullptr if there is none.
const TransactionRecord* transaction_of(const TapsStep& step);

/// Lays the steps of both taps beside each other, by their exact octets. Of equal ones the first
/// are taken for each other: what is said again behind that is what somebody in between added. What
/// is left over and of one kind, at the same place, was rewritten; what is left over and equal, at
/// another place, was moved. The rows have no changes yet. Takes near linear time.
std::vector<TapsRow> rows_of(const std::vector<TapsStep>& near_client,
                             const RunRecord& run_near_client,
                             const std::vector<TapsStep>& near_server,
                             const RunRecord& run_near_server);

}  // namespace smtpscope
