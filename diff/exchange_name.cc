#include "diff/exchange_name.h"

namespace smtpscope {

std::string exchange_name(const RunRecord& run, const ExchangeRecord& exchange) {
  switch (exchange.kind) {
    case ExchangeKind::kGreeting:
      return "greeting";
    case ExchangeKind::kMailData:
      return "mail data";
    case ExchangeKind::kUnasked:
      return "unasked reply";
    default:
      return std::string(run.commands.text(exchange.text));
  }
}

std::string ending_words(LineEnding ending) {
  switch (ending) {
    case LineEnding::kCrLf:
      return "ends in CRLF";
    case LineEnding::kLf:
      return "ends in bare LF";
    case LineEnding::kCrCrLf:
      return "ends in CR CR LF";
    case LineEnding::kNone:
      break;
  }
  return "has no line end";
}

}  // namespace smtpscope
