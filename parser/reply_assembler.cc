#include "parser/reply_assembler.h"

#include <cassert>

#include "base/ascii.h"

namespace smtpscope {
std::optional<ReplyLineParts> split_reply_line(std::string_view line) {
  if (line.size() < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) {
    return std::nullopt;
  }
  const auto code =
      static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
  // A bare code, also without the space, must be processed (RFC 5321 4.2).
  if (line.size() == 3) return ReplyLineParts{code, false, {}};
  if (line[3] != ' ' && line[3] != '-') return std::nullopt;
  return ReplyLineParts{code, line[3] == '-', line.substr(4)};
}

bool ReplyAssembler::add(const Line& line, std::uint64_t end) {
  assert(!complete_);
  const std::optional<ReplyLineParts> parts = split_reply_line(line.text);
  if (!parts && count_ == 0) return false;
  if (count_ == 0) begin();

  ReplyLine entry;
  entry.text = parts ? parts->text : line.text;
  entry.code = parts ? parts->code : std::uint16_t{0};
  entry.end = end;
  entry.octets = line.octets;
  entry.flags = line.flags;
  entry.ending = line.ending;

  flags_ |= line.flags;
  end_ = end;
  if (parts) {
    if (code_ != 0 && parts->code != code_) codes_differ_ = true;
    code_ = parts->code;
    complete_ = !parts->more;
  }
  ++count_;
  if (count_ == 1 && complete_) {
    single_ = entry;
  } else {
    keep(entry);
  }
  return true;
}

void ReplyAssembler::begin() {
  lines_.clear();
  text_.clear();
  end_ = 0;
  code_ = flags_ = 0;
  cut_ = codes_differ_ = false;
}

void ReplyAssembler::keep(const ReplyLine& line) {
  const bool one_was_left_out = lines_.size() + 1 < count_;
  if (one_was_left_out || lines_.size() >= kKeptReplyLines ||
      text_.size() + line.text.size() > kKeptReplyText) {
    return;
  }
  text_.append(line.text);
  lines_.push_back(line);  // of its text only the length counts until describe()
}

void ReplyAssembler::cut() {
  assert(count_ > 0);
  complete_ = cut_ = true;
}

void ReplyAssembler::describe(Reply& reply) {
  assert(complete_);
  reply.code = code_;
  reply.line_count = count_;
  reply.codes_differ = codes_differ_;
  reply.complete = !cut_;
  reply.flags = flags_;
  if (lines_.empty()) {
    reply.lines = std::span(&single_, count_ == 1 ? 1U : 0U);
    return;
  }
  std::string_view rest = text_;
  for (ReplyLine& line : lines_) {
    line.text = rest.substr(0, line.text.size());
    rest.remove_prefix(line.text.size());
  }
  reply.lines = lines_;
}

void ReplyAssembler::recycle() {
  if (count_ > 0) return;
  // Few replies have several lines; what those took is not kept for the next one.
  std::vector<ReplyLine>().swap(lines_);
  std::string().swap(text_);
}

}  // namespace smtpscope
