#include "lib/gotemplate/ast.h"

namespace drover::gotemplate {

std::string Operand::str() const {
  switch (form) {
    case Form::pipe: return "(" + pipe->str() + ")";
    case Form::chain: {
      std::string out = base->str();
      for (const std::string& name : names) out += "." + name;
      return out;
    }
    case Form::field: {
      std::string out;
      for (const std::string& name : names) out += "." + name;
      return out;
    }
    case Form::variable: {
      std::string out;
      for (const std::string& name : names) out += (out.empty() ? "" : ".") + name;
      return out;
    }
    default: return text;
  }
}

std::string Command::str() const {
  std::string out;
  for (const Operand& operand : operands) out += (out.empty() ? "" : " ") + operand.str();
  return out;
}

std::string Pipe::str() const {
  std::string out;
  for (const std::string& name : variables) out += (out.empty() ? "" : ", ") + name;
  if (!variables.empty()) out += assigns ? " = " : " := ";
  for (std::size_t i = 0; i < commands.size(); ++i) out += (i > 0 ? " | " : "") + commands[i].str();
  return out;
}

}  // namespace drover::gotemplate
