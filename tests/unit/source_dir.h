// Where the sources of this build are, for tests that read recordings and documents. Compiled into one file, so that no other
// differs between two clones.
#pragma once

#include <string>

namespace drover {

[[nodiscard]] std::string source_dir();

}  // namespace drover
