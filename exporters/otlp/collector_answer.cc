#include "exporters/otlp/collector_answer.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <string_view>

#include "exporters/escape.h"
#include "exporters/otlp/protobuf.h"

namespace smtpscope {
namespace {

/// Of what a collector says, who knows how much.
constexpr std::size_t kMostWords = 300;

struct PartialSuccess {
  std::uint64_t rejected = 0;
  std::string message;
};

std::string shortened(std::string_view words) {
  return escape(words.substr(0, kMostWords), Wording::kWire, Charset::kUtf8);
}

/// ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } }.
PartialSuccess protobuf_success(std::string_view body) {
  PartialSuccess success;
  ProtobufReader response(body);
  while (const auto field = response.next()) {
    if (field->number != 1) continue;
    ProtobufReader partial(field->octets);
    while (const auto member = partial.next()) {
      if (member->number == 1) success.rejected = member->value;
      if (member->number == 2) success.message = shortened(member->octets);
    }
  }
  return success;
}

/// google.rpc.Status { code = 1, message = 2 }, which faults have as their body.
std::string protobuf_fault(std::string_view body) {
  ProtobufReader status(body);
  while (const auto field = status.next()) {
    if (field->number == 2) return shortened(field->octets);
  }
  return {};
}

/// Integers of 64 bits may be texts.
std::uint64_t json_number(const simdjson::dom::element& element) {
  std::uint64_t number = 0;
  if (element.get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS || text.size() > 18) return 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return 0;
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return number;
}

PartialSuccess json_success(const std::string& body) {
  PartialSuccess success;
  simdjson::dom::parser parser;
  simdjson::dom::element partial;
  if (parser.parse(body)["partialSuccess"].get(partial) != simdjson::SUCCESS) return success;
  simdjson::dom::element member;
  if (partial["rejectedSpans"].get(member) == simdjson::SUCCESS) {
    success.rejected = json_number(member);
  }
  std::string_view message;
  if (partial["errorMessage"].get(message) == simdjson::SUCCESS) {
    success.message = shortened(message);
  }
  return success;
}

std::string json_fault(const std::string& body) {
  simdjson::dom::parser parser;
  std::string_view message;
  if (parser.parse(body)["message"].get(message) != simdjson::SUCCESS) return {};
  return shortened(message);
}

std::string_view status_name(int status) {
  switch (status) {
    case 400:
      return " Bad Request";
    case 401:
      return " Unauthorized";
    case 403:
      return " Forbidden";
    case 404:
      return " Not Found";
    case 413:
      return " Content Too Large";
    case 415:
      return " Unsupported Media Type";
    case 429:
      return " Too Many Requests";
    case 500:
      return " Internal Server Error";
    case 502:
      return " Bad Gateway";
    case 503:
      return " Service Unavailable";
    case 504:
      return " Gateway Timeout";
    default:
      return "";
  }
}

}  // namespace

Delivery judge_answer(const CollectorAnswer& answer, bool json) {
  constexpr int kTooLarge = 413;
  if (answer.status == 0) return {DeliveryStep::kRetry, 0, answer.fault};
  if (answer.status / 100 == 2) {
    const PartialSuccess success = json ? json_success(answer.body) : protobuf_success(answer.body);
    // Without a number the message is a warning.
    if (success.rejected == 0) return {};
    return {DeliveryStep::kDone, success.rejected,
            success.message.empty() ? "it does not say why" : success.message};
  }
  const std::string said = json ? json_fault(answer.body) : protobuf_fault(answer.body);
  std::string words = fmt::format("it says {}{}{}{}", answer.status, status_name(answer.status),
                                  said.empty() ? "" : ": ", said);
  // Others are not to be tried again: "OTLP/HTTP Response", "Retryable Response Codes".
  constexpr int kRetryable[] = {429, 502, 503, 504};
  const bool later = std::ranges::find(kRetryable, answer.status) != std::end(kRetryable);
  const DeliveryStep step = later                        ? DeliveryStep::kRetry
                            : answer.status == kTooLarge ? DeliveryStep::kSplit
                                                         : DeliveryStep::kGiveUp;
  return {step, 0, std::move(words)};
}

}  // namespace smtpscope
