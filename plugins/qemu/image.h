// Which disk images a task may use. The file that QEMU opens, links followed, must lie beneath the allocation's directory or one
// of the operator's, and so must every file that its header refers to: a few bytes of an image can name any file of the host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover::qemu {

struct ImageRules {
  std::string alloc_dir, task_dir;
  std::vector<std::string> image_paths;
};
// The absolute path to give to QEMU; a relative one is of the task's directory. Error "image_path is not in the allowed paths".
[[nodiscard]] Result<std::string> check_image(const ImageRules& rules, const std::string& image_path);

// What the first bytes of an image say of other files.
struct References {
  std::optional<std::string> backing;  // a path, or something else QEMU can open
  std::string refused;                 // why such an image is not used at all; empty: it may be
};
[[nodiscard]] References find_references(std::string_view header);
// How much of a file find_references() wants.
inline constexpr std::size_t header_bytes = 64u << 10;

}  // namespace drover::qemu
