// Random (version 4) UUIDs in the usual 8-4-4-4-12 lower-case form.
#pragma once

#include <string>
#include <string_view>

#include "sdk/base/clock.h"

namespace drover {

[[nodiscard]] std::string make_uuid();           // from getrandom(2)
[[nodiscard]] std::string make_uuid(Rng& rng);   // reproducible, for pure code and tests
[[nodiscard]] bool is_uuid(std::string_view text);

}  // namespace drover
