// `-json` and `-t` of commands that show one value.
#pragma once

#include <string>

#include "cli/client_value.h"
#include "cli/command.h"

namespace drover::cli {

struct OutputOptions {
  bool json = false;
  std::string format;

  void flags(FlagSet& set) {
    set.boolean("json", json, "Write JSON.");
    set.text("t", format, "Write by a Go template over the API's field names.");
  }
  [[nodiscard]] bool wanted() const { return json || !format.empty(); }
};

// Writes a value as asked; `step` stands before a complaint about the template. Returns the exit code.
int write_formatted(Context& context, const OutputOptions& options, const gotemplate::Value& value, std::string_view step = "");
// The same of a list with one element that is a map of parts, in the order given.
[[nodiscard]] gotemplate::Value record(const char* type, std::vector<std::pair<std::string, gotemplate::Value>> fields);

}  // namespace drover::cli
