#include "parser/barrier.h"

#include <algorithm>
#include <iterator>

namespace smtpscope {
namespace {

struct Grant {
  Barrier::Kind kind;
  int first_code, last_code;
};
constexpr Grant kGrants[] = {
    {Barrier::Kind::kData, 300, 399},      // RFC 5321 4.3.2: 354
    {Barrier::Kind::kAuth, 300, 399},      // RFC 4954 4: 334
    {Barrier::Kind::kStartTls, 220, 220},  // RFC 3207 4
    {Barrier::Kind::kChunk, 200, 299},     // a server that takes BDAT without offering it
    {Barrier::Kind::kBlob, 300, 399},      // XEXCH50
    {Barrier::Kind::kTurn, 250, 250},      // RFC 5321 App. F, RFC 2645 5
};

}  // namespace

bool Barrier::granted_by(int code) const {
  return std::any_of(std::begin(kGrants), std::end(kGrants), [&](const Grant& grant) {
    return grant.kind == kind && code >= grant.first_code && code <= grant.last_code;
  });
}

}  // namespace smtpscope
