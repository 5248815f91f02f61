#include "trace/batch_memory.h"

#include <algorithm>

namespace smtpscope {
namespace {

constexpr std::size_t kBatchAlignment = alignof(std::max_align_t);

}  // namespace

std::byte* BatchMemory::take(std::size_t octets) {
  const std::size_t room = (octets + kBatchAlignment - 1) / kBatchAlignment * kBatchAlignment;
  used_ += room;
  for (; filled_ < blocks_.size(); ++filled_, at_ = 0) {
    Block& block = blocks_[filled_];
    if (block.octets - at_ < room) continue;
    std::byte* const given = block.memory.get() + at_;
    at_ += room;
    return given;
  }
  return take_from_new_block(room);
}

std::byte* BatchMemory::take_from_new_block(std::size_t octets) {
  Block block;
  block.octets = std::max(octets, kBlock);
  // Not make_unique(), which would fill it with zeros.
  block.memory.reset(new std::byte[block.octets]);
  blocks_.push_back(std::move(block));
  at_ = octets;
  return blocks_.back().memory.get();
}

void BatchMemory::clear() {
  // A batch that was unusually large is none the next time.
  std::erase_if(blocks_, [](const Block& block) { return block.octets > kBlock; });
  if (blocks_.size() > 2) blocks_.resize(2);
  filled_ = at_ = used_ = 0;
}

}  // namespace smtpscope
