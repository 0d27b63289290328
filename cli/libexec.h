// Where the plugins that come with Drover are: beside the binary in an installation, or where DROVER_LIBEXEC says.
#pragma once

#include <string>

namespace drover::cli {

[[nodiscard]] std::string libexec_directory();

}  // namespace drover::cli
