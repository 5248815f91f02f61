#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace smtpscope {

/// The flat tables that a run is written down as, one JSON object a line.
enum class RecordTable : std::uint8_t { kSessions, kExchanges, kTransactions, kFindings };
inline constexpr std::size_t kRecordTables = 4;

/// What a column holds. Each is one JSON scalar, and one type of each engine's.
enum class ColumnType : std::uint8_t {
  kUuid,
  kText,
  kWord,      // a text of few values: engines may keep them as a dictionary
  kCount,     // a whole number, never negative
  kDuration,  // nanoseconds
  kFlag,
  kTime,  // RFC 3339, UTC, nine decimals
};

/// What becomes of a column where names are not to leave the machine.
enum class ColumnPrivacy : std::uint8_t {
  kPlain,     // says nothing about a person: stays
  kAddress,   // of a host, or its name: a keyed hash
  kMailbox,   // keyed hashes of its local part and of its domain
  kDigest,    // of content or of names, which could be guessed: hashed again, with the key
  kFreeText,  // may quote anything: null
};

struct RecordColumn {
  std::string_view name;
  ColumnType type = ColumnType::kText;
  bool nullable = false;
  ColumnPrivacy privacy = ColumnPrivacy::kPlain;
  std::string_view meaning;
  /// Where it comes from: an event of the timeline and what of it, as -f jsonl names them.
  std::string_view source;
};

struct RecordTableWords {
  std::string_view name;                  // "sessions": of the table, and what its files begin with
  std::string_view meaning;               // one sentence
  std::span<const std::string_view> key;  // columns that name a row
};

/// The one list of columns: rows, schemas, DDL and documentation are all made from it.
std::span<const RecordColumn> columns_of(RecordTable table);
const RecordTableWords& words_of(RecordTable table);
std::optional<RecordTable> record_table(std::string_view name);

}  // namespace smtpscope
