#pragma once

// Catch2 2.13 (Debian 12) or 3.x, whichever the build found.
#ifdef SMTPSCOPE_CATCH3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
