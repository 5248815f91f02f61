#include "web/record_head.h"

#include <charconv>

namespace smtpscope {

RecordHead head_of_record(std::string_view record) {
  constexpr std::string_view kEvent = "{\"event\":\"";
  constexpr std::string_view kSession = "\",\"session\":";
  RecordHead head;
  if (!record.starts_with(kEvent)) return head;
  record.remove_prefix(kEvent.size());
  head.event = record.substr(0, record.find('"'));
  record.remove_prefix(head.event.size());
  if (!record.starts_with(kSession)) return head;
  record.remove_prefix(kSession.size());
  std::from_chars(record.data(), record.data() + record.size(), head.session);
  return head;
}

}  // namespace smtpscope
