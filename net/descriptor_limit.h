#pragma once

#include <cstddef>

namespace smtpscope {

/// Raises this process's limit of open files as far as it may without privileges (soft to hard).
void raise_descriptor_limit();

/// How many more files this process can open now, going by its limit and what is open.
std::size_t free_descriptors();

}  // namespace smtpscope
