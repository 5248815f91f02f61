// For the precompiled header to be made of.
#include "tests/catch.h"
