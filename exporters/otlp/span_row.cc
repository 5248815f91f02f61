#include "exporters/otlp/span_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "exporters/escape.h"

namespace smtpscope {

/// A column, and what its attribute is called.
struct SpanRow::Column {
  RecordColumn column;
  std::string key;
  bool left_out = false;  // a time, or what times say already

  static const std::vector<Column>& of(RecordTable table);
};

namespace {

/// Columns that all rows of a table begin with: the resource has them, or the trace.
constexpr std::size_t kColumnsOfAll = 4;

/// https://opentelemetry.io/docs/specs/semconv: general attributes of client and server.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kConventions = {{
    {"client_address", "client.address"},
    {"client_port", "client.port"},
    {"server_address", "server.address"},
    {"server_port", "server.port"},
}};

std::string key_of(std::string_view column) {
  for (const auto& [name, key] : kConventions) {
    if (name == column) return std::string(key);
  }
  return fmt::format("smtpscope.{}", column);
}

}  // namespace

const std::vector<SpanRow::Column>& SpanRow::Column::of(RecordTable table) {
  static const auto kAll = [] {
    std::array<std::vector<Column>, kRecordTables> all;
    for (std::size_t i = 0; i < kRecordTables; ++i) {
      const auto columns = columns_of(static_cast<RecordTable>(i)).subspan(kColumnsOfAll);
      all.at(i).reserve(columns.size());
      for (const RecordColumn& each : columns) {
        const bool time = each.type == ColumnType::kTime || each.name == "duration_ns";
        all.at(i).push_back({each, key_of(each.name), time});
      }
    }
    return all;
  }();
  return kAll.at(static_cast<std::size_t>(table));
}

std::string span_text(std::string_view text) {
  if (text.find('\0') == std::string_view::npos && is_utf8(text)) return std::string(text);
  return escape(text, Wording::kWire, Charset::kUtf8);
}

SpanRow::SpanRow(RecordTable table, RecordPseudonyms* pseudonyms)
    : columns_(Column::of(table)), pseudonyms_(pseudonyms) {}

void SpanRow::begin() {
  at_ = 0;
  attributes_.clear();
  attributes_.reserve(columns_.size() + 4);
  times_.clear();
}

const SpanRow::Column& SpanRow::next([[maybe_unused]] std::string_view name) {
  assert(at_ < columns_.size() && columns_[at_].column.name == name);
  return columns_[at_++];
}

void SpanRow::text(std::string_view name, std::string_view value) {
  const Column& column = next(name);
  std::string text;
  if (pseudonyms_ == nullptr || column.column.privacy == ColumnPrivacy::kPlain) {
    text = span_text(value);
  } else if (column.column.privacy == ColumnPrivacy::kAddress) {
    text = pseudonyms_->address(value);
  } else if (column.column.privacy == ColumnPrivacy::kMailbox) {
    text = pseudonyms_->mailbox(value);
  } else {
    return;
  }
  attributes_.push_back({column.key, std::move(text)});
}

void SpanRow::put(const Column& column, std::int64_t value) {
  if (column.left_out || (value == 0 && !column.column.nullable)) return;
  attributes_.push_back({column.key, value});
}

void SpanRow::count(std::string_view name, std::uint64_t value) {
  put(next(name), static_cast<std::int64_t>(value));
}

void SpanRow::duration(std::string_view name, std::optional<Duration> value) {
  const Column& column = next(name);
  if (value) put(column, value->count());
}

void SpanRow::flag(std::string_view name, bool value) {
  const Column& column = next(name);
  if (value || column.column.nullable) attributes_.push_back({column.key, value});
}

void SpanRow::time(std::string_view name, WallTime value) {
  next(name);
  times_.push_back(value);
}

void SpanRow::digest(std::string_view name, std::uint64_t value) {
  const Column& column = next(name);
  if (pseudonyms_ != nullptr) value = pseudonyms_->digest(value);
  attributes_.push_back({column.key, fmt::format("{:016x}", value)});
}

void SpanRow::null(std::string_view name) { next(name); }

const SpanAttribute* SpanRow::find(std::string_view column) const {
  const auto named = std::ranges::find_if(
      columns_, [&](const Column& each) { return each.column.name == column; });
  assert(named != columns_.end());
  const auto found =
      std::ranges::find(attributes_, std::string_view(named->key), &SpanAttribute::key);
  return found == attributes_.end() ? nullptr : &*found;
}

std::string_view SpanRow::word(std::string_view column) const {
  const SpanAttribute* found = find(column);
  return found == nullptr ? std::string_view() : std::get<std::string>(found->value);
}

std::uint64_t SpanRow::number(std::string_view column) const {
  const SpanAttribute* found = find(column);
  return found == nullptr ? 0 : static_cast<std::uint64_t>(std::get<std::int64_t>(found->value));
}

bool SpanRow::is_set(std::string_view column) const {
  const SpanAttribute* found = find(column);
  return found != nullptr && std::get<bool>(found->value);
}

}  // namespace smtpscope
