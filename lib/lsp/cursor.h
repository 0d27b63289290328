// Where a position of a job file is: in which blocks, before or behind an attribute's `=`, in a string or an interpolation.
//
// Works on text that does not parse, since a text is mostly half-written when somebody asks: it follows braces, quotes, comments and
// heredocs and nothing else. Pure; one pass.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::lsp {

// A block around the position, or an object value.
struct Frame {
  std::string type;                                // of an object: the name of the attribute or key it is the value of
  std::vector<std::string> labels;
  bool object = false;                             // `= {`, not a block
  std::map<std::string, std::string> texts;        // attributes that are plain strings
  std::set<std::string> names;                     // attributes and blocks of it
};

struct Cursor {
  enum class Place { statement, header, expression, text, comment };
  Place place = Place::statement;
  // From the outermost in; filled to the end of each block, also behind the position.
  std::vector<std::shared_ptr<const Frame>> frames;
  std::string attribute;  // whose value the position is in; of an object's entry: its key
  bool interpolation = false;
  std::string prefix;     // of an expression: `var.na`; of a statement or text: what is written of it so far
  std::size_t prefix_start = 0;  // the byte
};

struct Outline {
  Cursor cursor;
  std::shared_ptr<const Frame> file;
  // Names declared by `variable "x"` blocks (and their frames), and attributes of `locals`.
  std::map<std::string, std::shared_ptr<const Frame>> variables;
  std::set<std::string> locals;
};

[[nodiscard]] Outline look_at(std::string_view text, std::size_t byte);

}  // namespace drover::lsp
