#pragma once

#include <memory>

namespace smtpscope {

/// libuv closes handles asynchronously, and their memory must stay until it has. So an object that
/// holds a handle is given up with release(): no more events come from it at once, and it frees
/// itself in the close callback. HandlePtr makes that the ordinary end of an owned object.
struct HandleCloser {
  template <typename Handle>
  void operator()(Handle* handle) const {
    handle->release();
  }
};

template <typename Handle>
using HandlePtr = std::unique_ptr<Handle, HandleCloser>;

}  // namespace smtpscope
