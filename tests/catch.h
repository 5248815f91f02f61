#pragma once

// Catch2 2.13 (Debian 12) or 3.x (Debian 13), whichever the build found.
#ifdef SMTPSCOPE_CATCH3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace smtpscope::test {

/// Matches a text with these words in it. The two Catch2s call it differently.
inline auto holds(const std::string& words) {
#ifdef SMTPSCOPE_CATCH3
  return Catch::Matchers::ContainsSubstring(words);
#else
  return Catch::Matchers::Contains(words);
#endif
}

}  // namespace smtpscope::test
