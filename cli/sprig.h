// The functions templates of the command line have besides Go's own: sprig's, under `sprig_<name>`.
#pragma once

#include "lib/gotemplate/template.h"

namespace drover::cli {

void add_sprig(gotemplate::Functions& functions);

}  // namespace drover::cli
