// Named steps at which a process can be made to die, for crash tests (F-02, F-03). Outside of them a point costs one branch.
//
// The variable DROVER_FAIL_POINTS of the process names a directory. A file there with the name of a point arms it: the first
// process to pass the point removes the file, then kills with SIGKILL the processes whose numbers the file holds, in
// their order, and itself for the word "self"; an empty file means "self". So a test chooses step and victims while the
// processes run, a point fires once, and the file that is gone tells that it did.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drover {

void fail_point(std::string_view name);

// For a step that another program passes: the victims, when the point was armed; it no longer is.
[[nodiscard]] std::optional<std::string> take_fail_point(std::string_view name);

}  // namespace drover
