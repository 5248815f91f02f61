#include "capture/wire_event.h"

namespace smtpscope {}  // namespace smtpscope
