// `-json` and `-t` of commands that show one value.
#pragma once

#include <string>

#include "cli/command.h"

namespace drover::cli {

struct OutputOptions {
  bool json = false;
  std::string format;

  void flags(FlagSet& set) {
    set.boolean("json", json, "Write JSON.");
    set.text("t", format, "Write by a Go template.");
  }
  [[nodiscard]] bool wanted() const { return json || !format.empty(); }
};

// Writes JSON text as asked. Returns the exit code.
inline int write_formatted(Context& context, const OutputOptions& options, std::string_view json) {
  if (options.json && !options.format.empty()) return context.failed("Both json and template formatting are not allowed");
  if (!options.format.empty()) return context.failed("Error formatting the data: templates are not supported by this build; use -json");
  context.ui.out(pretty_json(json));
  return 0;
}

}  // namespace drover::cli
