#pragma once

#include "timeline/rule.h"

namespace smtpscope {

#define RULE(name) extern const Rule k##name;
#include "timeline/rules/catalogue.def"
#undef RULE

}  // namespace smtpscope
