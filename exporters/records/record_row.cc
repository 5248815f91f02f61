#include "exporters/records/record_row.h"

#include <fmt/format.h>

#include <cassert>

#include "exporters/escape.h"
#include "exporters/records/record_pseudonyms.h"

namespace smtpscope {

RecordRow::RecordRow(RecordTable table, RecordPseudonyms* pseudonyms)
    : columns_(columns_of(table)), pseudonyms_(pseudonyms) {}

void RecordRow::begin(std::string_view run, std::string_view host, std::string_view tap,
                      std::uint64_t session) {
  at_ = 0;
  json_.clear();
  json_.begin_object();
  next("run");
  json_.string("run", run);
  text("host", host);
  text("tap", tap);
  count("session", session);
}

const RecordColumn& RecordRow::next([[maybe_unused]] std::string_view name) {
  assert(at_ < columns_.size() && columns_[at_].name == name);
  return columns_[at_++];
}

void RecordRow::text(std::string_view name, std::string_view value) {
  const RecordColumn& column = next(name);
  assert(column.type == ColumnType::kText || column.type == ColumnType::kWord);
  if (pseudonyms_ != nullptr && column.privacy != ColumnPrivacy::kPlain) {
    if (column.privacy == ColumnPrivacy::kAddress) {
      json_.string(name, pseudonyms_->address(value));
    } else if (column.privacy == ColumnPrivacy::kMailbox) {
      json_.string(name, pseudonyms_->mailbox(value));
    } else {
      json_.null(name);
    }
    return;
  }
  if (value.find('\0') == std::string_view::npos && is_utf8(value)) {
    json_.string(name, value);
  } else {
    json_.string(name, escape(value, Wording::kWire, Charset::kUtf8));
  }
}

void RecordRow::count(std::string_view name, std::uint64_t value) {
  assert(columns_[at_].type == ColumnType::kCount);
  next(name);
  json_.number(name, value);
}

void RecordRow::duration(std::string_view name, std::optional<Duration> value) {
  if (!value) return null(name);
  assert(columns_[at_].type == ColumnType::kDuration);
  next(name);
  json_.number(name, value->count());
}

void RecordRow::flag(std::string_view name, bool value) {
  assert(columns_[at_].type == ColumnType::kFlag);
  next(name);
  json_.boolean(name, value);
}

void RecordRow::time(std::string_view name, WallTime value) {
  assert(columns_[at_].type == ColumnType::kTime);
  next(name);
  json_.wall_time(name, value);
}

void RecordRow::digest(std::string_view name, std::uint64_t value) {
  assert(columns_[at_].privacy == ColumnPrivacy::kDigest);
  next(name);
  if (pseudonyms_ != nullptr) value = pseudonyms_->digest(value);
  json_.string(name, fmt::format("{:016x}", value));
}

void RecordRow::null(std::string_view name) {
  assert(columns_[at_].nullable);
  next(name);
  json_.null(name);
}

std::string_view RecordRow::end() {
  assert(at_ == columns_.size());
  json_.end_object();
  json_.end_line();
  return json_.text();
}

}  // namespace smtpscope
