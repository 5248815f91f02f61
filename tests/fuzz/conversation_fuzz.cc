// A session made of the input: what find_fault() checks of scripts must hold for any.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "tests/parser/dialogue.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

/// The input is a row of steps: an octet that says what, an octet for how long, then octets. The
/// first octet of all says where the trace begins.
Script script_of(std::span<const std::uint8_t> input) {
  Script script;
  while (input.size() >= 2) {
    const std::uint8_t what = input[0] % 16;
    const std::size_t length = std::min<std::size_t>(input[1], input.size() - 2);
    const auto octets = input.subspan(2, length);
    const Side side = what % 2 == 0 ? Side::kClient : Side::kServer;
    if (what < 2) {
      script.push_back(gap(side, length));
      input = input.subspan(2);
      continue;
    }
    if (what < 4) {
      script.push_back(eof(side));
      input = input.subspan(2);
      continue;
    }
    std::string text(reinterpret_cast<const char*>(octets.data()), octets.size());
    script.push_back(side == Side::kClient ? C(std::move(text)) : S(std::move(text)));
    input = input.subspan(2 + length);
  }
  return script;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto start =
      data[0] % 4 == 0 ? Conversation::Start::kMidSession : Conversation::Start::kBeginning;
  const Script script = script_of(std::span(data, size).subspan(1));
  const std::string fault = find_fault(script, start, 3, 2);
  if (!fault.empty()) {
    std::fprintf(stderr, "%s%s\n", to_text(script).c_str(), fault.c_str());
    std::abort();
  }
  return 0;
}
