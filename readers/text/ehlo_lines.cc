#include "readers/text/ehlo_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace smtpscope {
namespace {

/// Keywords of EHLO (RFC 5321 4.1.1.1) that servers are known to offer: those of the IANA registry,
/// and Exchange's own.
constexpr std::array<std::string_view, 40> kEhloKeywords = {"8BITMIME",
                                                            "AUTH",
                                                            "BDAT",
                                                            "BINARYMIME",
                                                            "BURL",
                                                            "CHECKPOINT",
                                                            "CHUNKING",
                                                            "DELIVERBY",
                                                            "DSN",
                                                            "ENHANCEDSTATUSCODES",
                                                            "ETRN",
                                                            "EXPN",
                                                            "FUTURERELEASE",
                                                            "HELP",
                                                            "LIMITS",
                                                            "MT-PRIORITY",
                                                            "MTRK",
                                                            "NO-SOLICITING",
                                                            "PIPELINING",
                                                            "REQUIRETLS",
                                                            "SIZE",
                                                            "SMTPUTF8",
                                                            "STARTTLS",
                                                            "VRFY",
                                                            "X-ANONYMOUSTLS",
                                                            "X-EXPS",
                                                            "X-LINK2STATE",
                                                            "X-MESSAGECONTEXT",
                                                            "XATTRDIRECT",
                                                            "XCLIENT",
                                                            "XEXCH50",
                                                            "XFORWARD",
                                                            "XOORG",
                                                            "XORIGFROM",
                                                            "XPROXY",
                                                            "XPROXYFROM",
                                                            "XPROXYTO",
                                                            "XRDST",
                                                            "XSESSIONPARAMS",
                                                            "XSHADOWREQUEST"};

bool is_ehlo_keyword(std::string_view word) {
  return std::any_of(kEhloKeywords.begin(), kEhloKeywords.end(),
                     [&](std::string_view keyword) { return equal_ignoring_case(word, keyword); });
}

}  // namespace

std::vector<std::string> ehlo_lines(std::string_view text) {
  std::vector<std::string> lines = {""};
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    if (is_ehlo_keyword(word)) {
      lines.emplace_back(word);
    } else {
      lines.back() += fmt::format("{}{}", lines.back().empty() ? "" : " ", word);
    }
  }
  return lines;
}

}  // namespace smtpscope
