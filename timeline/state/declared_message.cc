#include "timeline/state/declared_message.h"

#include "parser/path.h"
#include "timeline/state/declared_limits.h"

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
  using Body = DeclaredMessage::Body;
  DeclaredMessage declared;
  for (const MailParameter parameter : mail_parameters(parameters)) {
    bool fits = false;
    if (same_keyword(parameter.keyword, "SIZE") && !declared.size) {
      declared.size = decimal(parameter.value);
      fits = declared.size.has_value();
    } else if (same_keyword(parameter.keyword, "BODY") && declared.body == Body::kNone) {
      declared.body = body_of(parameter.value);
      fits = declared.body != Body::kOther;
    } else if (same_keyword(parameter.keyword, "SMTPUTF8")) {
      fits = !declared.utf8 && !parameter.has_value;
      declared.utf8 = true;
    }
    declared.plain &= fits;
  }
  return declared;
}

}  // namespace smtpscope
