#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "parser/item.h"
#include "parser/verb.h"
#include "timeline/rule.h"

namespace smtpscope {

/// The codes with which a command may be answered (RFC 5321 4.3.2 and the RFC of each extension).
/// A single digit stands for all codes that begin with it; 0 for nothing.
struct ExpectedCodes {
  Verb verb;
  std::array<std::uint16_t, 16> codes;
};

/// What may answer anything: RFC 5321 4.3.2 (500, 501, 421), 4.1.4 (503 for what is out of order),
/// RFC 4954 6 and RFC 3207 4 (530, 538), RFC 7504 (521, after which Postfix hangs up).
inline constexpr std::array<std::uint16_t, 7> kAnywhereExpected = {421, 500, 501, 503,
                                                                   521, 530, 538};

/// Behind the codes of the RFCs stand those so common that they surprise nobody: 554 and 450 to
/// MAIL, 550 to DATA, 556 (RFC 7504 4) to RCPT, 502 to what a server need not implement.
inline constexpr ExpectedCodes kExpectedCodes[] = {
    {Verb::kEhlo, {250, 504, 550, 502, 554}},
    {Verb::kHelo, {250, 504, 550, 502, 554}},
    {Verb::kLhlo, {250, 504, 550, 502, 554}},
    {Verb::kMail, {250, 552, 451, 452, 550, 553, 455, 555, 450, 554}},
    {Verb::kRcpt, {250, 251, 550, 551, 552, 553, 450, 451, 452, 455, 555, 554, 556}},
    {Verb::kData, {354, 554, 451, 450, 550}},
    {Verb::kBdat, {250, 4, 5}},
    {Verb::kBurl, {250, 4, 5}},
    {Verb::kRset, {250}},
    {Verb::kVrfy, {250, 251, 252, 550, 551, 553, 502, 504}},
    {Verb::kExpn, {250, 252, 550, 502, 504}},
    {Verb::kHelp, {211, 214, 502, 504}},
    {Verb::kNoop, {250}},
    {Verb::kQuit, {221, 250}},  // 250: RFC 1652's example
    {Verb::kStartTls, {220, 454, 502}},
    {Verb::kXanonymousTls, {220, 454, 502}},
    {Verb::kAuth, {334, 235, 432, 454, 502, 504, 534, 535}},
    {Verb::kXexps, {334, 235, 432, 454, 502, 504, 534, 535}},
    {Verb::kEtrn, {250, 251, 252, 253, 458, 459, 502}},
    {Verb::kAtrn, {250, 450, 451, 453, 502}},
    {Verb::kTurn, {250, 502}},
    {Verb::kXclient, {220, 502, 550}},
    {Verb::kXforward, {250, 502, 550}},
    {Verb::kXexch50, {2, 3, 5}},
};
inline constexpr std::array<std::uint16_t, 8> kExpectedAtEndOfData = {250, 552, 554, 451,
                                                                      452, 450, 550, 353};

/// Where a verb's row is in kExpectedCodes; its size where there is none.
inline constexpr auto kExpectedRow = [] {
  std::array<std::uint8_t, kVerbSlots> rows{};
  rows.fill(std::size(kExpectedCodes));
  std::uint8_t at = 0;
  for (const ExpectedCodes& row : kExpectedCodes) rows[static_cast<std::size_t>(row.verb)] = at++;
  return rows;
}();

/// False when the code is one that nobody would expect there. Where nothing is known, all are
/// expected.
constexpr bool is_expected(Answers answers, Verb verb, std::uint16_t code) {
  const auto fits = [&](std::uint16_t one) { return one == code || one == code / 100; };
  const auto anywhere = [&] { return std::ranges::any_of(kAnywhereExpected, fits); };
  if (answers == Answers::kEndOfData) {
    return std::ranges::any_of(kExpectedAtEndOfData, fits) || anywhere();
  }
  if (answers == Answers::kAuthResponse) verb = Verb::kAuth;
  if (answers == Answers::kBlob) verb = Verb::kXexch50;
  const std::size_t row = kExpectedRow[static_cast<std::size_t>(verb)];
  if (row == std::size(kExpectedCodes)) return true;
  return std::ranges::any_of(kExpectedCodes[row].codes, fits) || anywhere();
}

static_assert(is_expected(Answers::kCommand, Verb::kRcpt, 251));
static_assert(is_expected(Answers::kCommand, Verb::kBdat, 571));
static_assert(!is_expected(Answers::kCommand, Verb::kNoop, 251));
static_assert(is_expected(Answers::kEndOfData, Verb::kData, 250));
static_assert(!is_expected(Answers::kCommand, Verb::kData, 250));

}  // namespace smtpscope
