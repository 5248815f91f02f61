#include "diff/runs/message_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/ascii.h"
#include "base/counted.h"
#include "diff/alignment.h"

namespace smtpscope {
namespace {

/// A line of a body, or a header field with the lines that continue it.
struct MessagePiece {
  std::string text;  // as it is, without line end
  NormalizedText normalized;
  std::uint64_t key() const { return std::hash<std::string>()(normalized.text); }
  std::string_view field() const {
    const std::size_t colon = text.find(':');
    return std::string_view(text).substr(0, colon == std::string::npos ? text.size() : colon);
  }
};

/// A message taken apart, as far as it was kept.
struct MessageParts {
  std::vector<MessagePiece> fields;
  bool header_ended = false;       // the empty line behind them was kept
  std::vector<MessagePiece> body;  // lines; those of the header sections of its parts too
};

/// Takes messages apart and normalises their pieces.
class MessageReader {
 public:
  MessageReader(const KeptContent& content, const Normalizers& normalizers)
      : rest_(content.octets), normalizers_(normalizers) {}

  MessageParts read() {
    while (!rest_.empty()) {
      const std::string_view line = next_line();
      if (in_first_header_ && line.empty()) {
        finish_field();
        parts_.header_ended = true;
        in_first_header_ = in_header_ = false;
        continue;
      }
      if (in_first_header_) {
        const bool continues = !parts_.fields.empty() && is_blank(line.front());
        if (!continues) finish_field();
        if (!continues) parts_.fields.emplace_back();
        // Unfolded (RFC 5322 2.2.3): where a line was broken says nothing.
        parts_.fields.back().text += line;
        continue;
      }
      body_line(line);
    }
    finish_field();
    return std::move(parts_);
  }

 private:
  /// Without its end; of CRLF, LF, and CRs in front of it, which are compared by their counts.
  std::string_view next_line() {
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
  }

  NormalizedText normalize(std::string_view text, TextPlace place) {
    NormalizedText out = normalizers_.apply(text, place);
    for (const SetAside& each : out.values) {
      if (each.normalizer == kBoundary) boundaries_.push_back(each.value);
    }
    return out;
  }

  void finish_field() {
    if (parts_.fields.empty()) return;
    MessagePiece& field = parts_.fields.back();
    if (field.normalized.text.empty()) field.normalized = normalize(field.text, kInHeader);
  }

  /// RFC 2046 5.1.1: a boundary line, and behind it the header section of a part.
  void body_line(std::string_view line) {
    MessagePiece piece{std::string(line), {}};
    if (const std::string* boundary = boundary_of(line)) {
      const std::string_view behind = line.substr(2 + boundary->size());
      piece.normalized = {fmt::format("--<{}>{}", kBoundary, behind), {{kBoundary, *boundary}}};
      in_header_ = behind != "--";
    } else {
      if (line.empty()) in_header_ = false;
      piece.normalized = normalize(line, in_header_ ? kInHeader : kInBody);
    }
    parts_.body.push_back(std::move(piece));
  }

  const std::string* boundary_of(std::string_view line) const {
    if (!line.starts_with("--")) return nullptr;
    const auto found = std::ranges::find_if(boundaries_, [&](const std::string& boundary) {
      if (!line.substr(2).starts_with(boundary)) return false;
      const std::string_view behind = without_trailing_blanks(line.substr(2 + boundary.size()));
      return behind.empty() || behind == "--";
    });
    return found == boundaries_.end() ? nullptr : &*found;
  }

  std::string_view rest_;
  const Normalizers& normalizers_;
  bool in_first_header_ = true;
  bool in_header_ = true;
  std::vector<std::string> boundaries_;
  MessageParts parts_;
};

std::vector<std::uint64_t> keys_of(const std::vector<MessagePiece>& pieces) {
  std::vector<std::uint64_t> keys;
  keys.reserve(pieces.size());
  for (const MessagePiece& piece : pieces) keys.push_back(piece.key());
  return keys;
}

/// Compares the parts of two messages; gathers the differences.
class MessageComparer {
 public:
  MessageComparer(MessageParts before, MessageParts after, SetAsideLog& set_aside)
      : before_(std::move(before)), after_(std::move(after)), set_aside_(set_aside) {}

  std::vector<Difference> compare(bool whole) {
    header(whole);
    body(whole);
    return std::move(differences_);
  }

 private:
  void add(DifferenceKind kind, std::string_view subject, std::string before, std::string after) {
    Difference& difference = differences_.emplace_back();
    difference.kind = kind;
    difference.subject = subject;
    difference.before = std::move(before);
    difference.after = std::move(after);
  }

  /// Fields that are equal are paired in order; of the others those of one name with each other.
  void header(bool whole) {
    std::vector<bool> known_before(before_.fields.size()), known_after(after_.fields.size());
    const std::vector<AlignedPair> pairs = align(keys_of(before_.fields), keys_of(after_.fields));
    for (const AlignedPair& pair : pairs) {
      known_before[pair.a] = known_after[pair.b] = true;
      set_aside_.add(before_.fields[pair.a].normalized.values,
                     after_.fields[pair.b].normalized.values);
    }
    // Where a capture breaks off inside the header section nobody knows what followed: only what
    // stands before fields that are equal can be judged.
    std::size_t end_before = before_.fields.size(), end_after = after_.fields.size();
    if (!whole && (!before_.header_ended || !after_.header_ended)) {
      end_before = pairs.empty() ? 0 : pairs.back().a;
      end_after = pairs.empty() ? 0 : pairs.back().b;
    }
    const auto counterpart = [&](auto&& matches) {
      std::size_t i = 0;
      while (i < after_.fields.size() && (known_after[i] || !matches(after_.fields[i]))) ++i;
      return i;
    };
    for (std::size_t i = 0; i < end_before; ++i) {
      if (known_before[i]) continue;
      const MessagePiece& field = before_.fields[i];
      DifferenceKind kind = DifferenceKind::kHeaderMoved;
      std::size_t other = counterpart(
          [&](const MessagePiece& each) { return each.normalized.text == field.normalized.text; });
      if (other == after_.fields.size()) {
        kind = DifferenceKind::kHeaderChanged;
        other = counterpart([&](const MessagePiece& each) {
          return equal_ignoring_case(each.field(), field.field());
        });
      }
      if (other == after_.fields.size()) {
        add(DifferenceKind::kHeaderRemoved, field.field(), field.text, {});
        continue;
      }
      known_after[other] = true;
      add(kind, field.field(), field.text, after_.fields[other].text);
    }
    for (std::size_t i = 0; i < end_after; ++i) {
      const MessagePiece& field = after_.fields[i];
      if (!known_after[i]) add(DifferenceKind::kHeaderAdded, field.field(), {}, field.text);
    }
  }

  /// One difference tells of the whole body: where it begins, and how much differs.
  void body(bool whole) {
    const std::vector<AlignedPair> pairs = align(keys_of(before_.body), keys_of(after_.body));
    for (const AlignedPair& pair : pairs) {
      set_aside_.add(before_.body[pair.a].normalized.values, after_.body[pair.b].normalized.values);
    }
    std::size_t first = 0;
    while (first < pairs.size() && pairs[first] == AlignedPair{first, first}) ++first;
    const bool ends_before = first == before_.body.size(), ends_after = first == after_.body.size();
    if (ends_before && ends_after) return;
    // What only one of the captures has kept is no difference; nor is a last line that may be cut.
    const std::size_t sure = std::min(before_.body.size(), after_.body.size());
    if (!whole && first + 1 >= sure) return;
    add(DifferenceKind::kBody,
        fmt::format("body, line {}: {} removed, {} added", first + 1,
                    before_.body.size() - pairs.size(), after_.body.size() - pairs.size()),
        ends_before ? "" : before_.body[first].text, ends_after ? "" : after_.body[first].text);
  }

  MessageParts before_, after_;
  SetAsideLog& set_aside_;
  std::vector<Difference> differences_;
};

/// Line ends that are not CRLF (RFC 5321 2.3.8), in words; "CRLF only" where there are none.
std::string line_endings(const MessageFacts& facts) {
  std::string words;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count == 0) return;
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, what);
  };
  add(facts.bare_lf, "bare LF");
  add(facts.bare_cr, "bare CR");
  add(facts.cr_cr_lf, "CR CR LF");
  return words.empty() ? "CRLF only" : words;
}

}  // namespace

MessageComparison compare_messages(const TransactionRecord& before, const TransactionRecord& after,
                                   const Normalizers& normalizers, SetAsideLog& set_aside) {
  MessageComparison result;
  if (!before.has_data && !after.has_data) return result;
  const bool whole = before.content.whole && after.content.whole;
  result.in_part = !whole;
  // A message that one of them does not have at all shows as commands and outcome, and one that a
  // trace does not have is like any.
  if (before.has_data != after.has_data) return result;
  if (before.facts.unseen || after.facts.unseen) return result;
  result.differences = MessageComparer(MessageReader(before.content, normalizers).read(),
                                       MessageReader(after.content, normalizers).read(), set_aside)
                           .compare(whole);
  if (!whole && before.facts.octets != after.facts.octets) {
    Difference& size = result.differences.emplace_back();
    size.kind = DifferenceKind::kSize;
    size.subject = "size of the message";
    size.before = counted(before.facts.octets, "octet");
    size.after = counted(after.facts.octets, "octet");
  }
  if (line_endings(before.facts) != line_endings(after.facts)) {
    Difference& endings = result.differences.emplace_back();
    endings.kind = DifferenceKind::kLineEndings;
    endings.subject = "line endings of the message";
    endings.before = line_endings(before.facts);
    endings.after = line_endings(after.facts);
  }
  return result;
}

}  // namespace smtpscope
