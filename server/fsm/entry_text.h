// Log entries in words, for people who look into a log. Pure.
#pragma once

#include <string>
#include <string_view>

#include "sdk/base/error.h"

namespace drover::fsm {

struct EntryText {
  std::string type;             // the reference's name of such a request
  bool ignore_unknown = false;  // a server that does not know the type passes it over
  std::string body;             // JSON; empty for a type of another version
};
// An entry that cannot be decoded is an error.
[[nodiscard]] Result<EntryText> entry_text(std::string_view entry);

}  // namespace drover::fsm
