// A TLS connection made of the input: its handshakes are read alike however they are cut, whatever
// their lengths say; and any octets as a certificate.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "capture/certificate.h"
#include "tests/parser/dialogue.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// The input is written as in tests/parser/tls: C or S, and what that side says in hexadecimal.
Script script_of(std::string_view input) {
  Script script;
  std::string octets;
  Side side = Side::kClient;
  int high = -1;
  const auto say = [&] {
    if (octets.empty()) return;
    script.push_back(side == Side::kClient ? C(std::move(octets)) : S(std::move(octets)));
    octets.clear();
  };
  for (const char c : input) {
    if (c == 'C' || c == 'S') {
      say();
      side = c == 'C' ? Side::kClient : Side::kServer;
      high = -1;
    }
    const int digit = digit_of(c);
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      octets += static_cast<char>(high << 4 | digit);
      high = -1;
    }
  }
  say();
  return script;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Script script = script_of(input);
  const std::string fault = find_fault(script, Conversation::Start::kBeginning, 3, 2);
  if (!fault.empty()) {
    std::fprintf(stderr, "%s%s\n", to_text(script).c_str(), fault.c_str());
    std::abort();
  }
  read_certificate({data, size});
  return 0;
}
