// What an expression can call. A FunctionTable maps names to functions; `standard_functions` is the job file's set of 83.
//
// Functions are pure but for uuidv4 and bcrypt (randomness) and the file functions, which read below one folder or are switched off.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lib/hcl/ast.h"
#include "lib/hcl/diagnostic.h"
#include "lib/hcl/limits.h"
#include "lib/hcl/value.h"

namespace drover::hcl {

struct EvalContext;

struct FunctionError {
  std::string message;
  int argument = -1;  // the argument it is about, else the call as a whole
};
using FunctionResult = tl::expected<Value, FunctionError>;

[[nodiscard]] inline tl::unexpected<FunctionError> function_error(std::string message, int argument = -1) {
  return tl::unexpected(FunctionError{std::move(message), argument});
}

struct Parameter {
  std::string name;
  Type type;
  bool allow_null = false;
  // false: a call with an unknown argument is itself unknown and the function is not run
  bool allow_unknown = false;
};

struct Function {
  std::vector<Parameter> parameters;
  std::optional<Parameter> rest;  // any number more
  Type returns;                   // of a call with arguments that are not known yet, when it does not depend on them
  std::function<Type(const std::vector<Value>& arguments)> unknown_type;  // the same, when it does
  // Arguments are converted to their parameters' types and checked for null and unknown.
  std::function<FunctionResult(const std::vector<Value>& arguments, Budget& budget)> call;
  // Takes the unevaluated call instead (can, try, convert).
  std::function<Value(const CallExpr& call, const Expression& expression, const EvalContext& context, Diagnostics& diagnostics)> special;
};

using FunctionTable = std::map<std::string, Function, std::less<>>;

struct FileAccess {
  bool enabled = false;
  std::string folder;     // relative paths start here
  bool anywhere = false;  // else nothing outside the folder is read
};

[[nodiscard]] FunctionTable standard_functions(const FileAccess& files);

}  // namespace drover::hcl
