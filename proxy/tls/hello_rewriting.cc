#include "proxy/tls/hello_rewriting.h"

#include <algorithm>

#include "base/ascii.h"

namespace smtpscope {
namespace {

constexpr std::size_t kCode = 3;  // digits; the mark follows

/// The keyword of "250-STARTTLS" (RFC 5321 4.1.1.1: ehlo-line), whatever its case and parameters.
bool offers_starttls(std::string_view line) {
  constexpr std::string_view kKeyword = "STARTTLS";
  if (line.size() <= kCode) return false;
  line.remove_prefix(kCode + 1);
  const std::size_t end = std::min(line.find_first_of(" \t\r\n"), line.size());
  return equal_ignoring_case(line.substr(0, end), kKeyword);
}

}  // namespace

std::string without_starttls(std::string_view reply) {
  std::string kept;
  std::size_t last_line = 0;  // where the last kept line begins
  bool first = true;
  bool last_went = false;
  while (!reply.empty()) {
    const std::size_t lf = reply.find('\n');
    const std::string_view line = reply.substr(0, lf == std::string_view::npos ? lf : lf + 1);
    reply.remove_prefix(line.size());
    last_went = !first && offers_starttls(line);
    first = false;
    if (last_went) continue;
    last_line = kept.size();
    kept += line;
  }
  if (last_went && kept.size() > last_line + kCode && kept[last_line + kCode] == '-') {
    kept[last_line + kCode] = ' ';
  }
  return kept;
}

}  // namespace smtpscope
