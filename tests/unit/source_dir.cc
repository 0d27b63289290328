#include "tests/unit/source_dir.h"

namespace drover {

std::string source_dir() { return DROVER_SOURCE_DIR; }

}  // namespace drover
