// The parsed form of a template. Nodes know the byte they start at, for messages, and how they are written.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/gotemplate/value.h"

namespace drover::gotemplate {

struct Pipe;

enum class Form { dot, nil, boolean, number, string, field, variable, function, chain, pipe };

// One operand: `.A.B`, `$x.A`, `"text"`, `f`, `(pipe).A`.
struct Operand {
  Form form = Form::dot;
  std::size_t at = 0;
  std::string text;                 // as written; a string's or number's literal
  std::vector<std::string> names;   // fields; of a variable the first is its name
  Value constant;                   // of boolean, number and string
  std::shared_ptr<Operand> base;    // of a chain
  std::shared_ptr<Pipe> pipe;

  [[nodiscard]] std::string str() const;
};

struct Command {
  std::size_t at = 0;
  std::vector<Operand> operands;
  [[nodiscard]] std::string str() const;
};

struct Pipe {
  std::size_t at = 0;
  bool assigns = false;                  // `=`, not `:=`
  std::vector<std::string> variables;    // with the $
  std::vector<Command> commands;
  [[nodiscard]] std::string str() const;
};

enum class NodeKind { text, action, if_, range, with, template_, break_, continue_ };

struct Node;
using Nodes = std::vector<Node>;

struct Node {
  NodeKind kind = NodeKind::text;
  std::size_t at = 0;
  std::string text;          // of text; a template's name
  std::shared_ptr<Pipe> pipe;
  Nodes body;
  Nodes otherwise;
};

// The templates of one text: the main one and those it defines.
struct Tree {
  std::string name;   // as messages show it
  std::string text;
  std::map<std::string, Nodes, std::less<>> templates;
};

}  // namespace drover::gotemplate
