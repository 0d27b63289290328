// Whether an environment variable looks like a secret written down. A guess: it must rather miss one than cry at "TOKEN_URL". Pure.
#pragma once

#include <string_view>

namespace drover::lint {

// False for values that are filled in when the task runs, for names of files and addresses, and for words such as "true".
[[nodiscard]] bool looks_secret(std::string_view name, std::string_view value);

}  // namespace drover::lint
