#include "capture/spare_memory.h"

#include <sys/mman.h>

namespace smtpscope {

bool can_have_memory(std::size_t octets) {
  // Address space alone; it is given back before anybody has touched it.
  void* const place =
      ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return false;
  ::munmap(place, octets);
  return true;
}

}  // namespace smtpscope
