#include "timeline/declared_message.h"

#include "parser/path.h"
#include "timeline/declared_limits.h"

namespace smtpscope {
namespace {

DeclaredMessage::Body body_of(std::string_view value) {
  using Body = DeclaredMessage::Body;
  if (same_keyword(value, "7BIT")) return Body::kSevenBit;
  if (same_keyword(value, "8BITMIME")) return Body::kEightBit;
  if (same_keyword(value, "BINARYMIME")) return Body::kBinaryMime;
  return Body::kOther;
}

}  // namespace

DeclaredMessage read_declared_message(std::string_view parameters) {
  DeclaredMessage declared;
  for (const MailParameter parameter : mail_parameters(parameters)) {
    if (same_keyword(parameter.keyword, "SIZE")) {
      if (!declared.size) declared.size = decimal(parameter.value);
    } else if (same_keyword(parameter.keyword, "BODY")) {
      if (declared.body == DeclaredMessage::Body::kNone) declared.body = body_of(parameter.value);
    } else if (same_keyword(parameter.keyword, "SMTPUTF8")) {
      declared.utf8 = true;
    }
  }
  return declared;
}

}  // namespace smtpscope
