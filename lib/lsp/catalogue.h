// What may stand inside of a block, and what it means: from the tables of the job file's reference, and from the drivers' schemas. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/lint/driver_config.h"
#include "lib/lsp/cursor.h"

namespace drover::lsp {

struct Entry {
  std::string name;
  std::string takes;        // "text, required"
  std::string api;          // the field of the job's JSON
  std::string note;         // more, for a hover
  bool block = false, labelled = false, repeatable = false;
  const std::vector<std::string>* values = nullptr;  // that an attribute takes
};

// Of the innermost block; nothing when any name may stand there, or none is known.
[[nodiscard]] std::vector<Entry> entries_at(const std::vector<std::shared_ptr<const Frame>>& frames, const lint::DriverSchemas& schemas);

// A name that an expression may use: a function, a variable, what is known when the task runs.
struct Name {
  std::string name;
  std::string shape;  // "format(format, args...)" or "variable, number"
  std::string note;
  bool function = false;
  bool runtime = false;
};
[[nodiscard]] std::vector<Name> names_at(const Outline& outline);

}  // namespace drover::lsp
