#include "lib/hcl/functions.h"

#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "lib/hcl/evaluator.h"
#include "lib/hcl/function_table.h"
#include "sdk/base/text.h"

namespace drover::hcl {

tl::expected<std::int64_t, FunctionError> whole(const Value& value) {
  if (const auto number = value.as_number().to_int64()) return *number;
  return function_error("value must be a whole number, between -9223372036854775808 and 9223372036854775807");
}

namespace {

Value evaluate_can(const CallExpr& call, const Expression&, const EvalContext& context, Diagnostics&) {
  Diagnostics problems;
  const Value value = evaluate(*call.arguments[0], context, problems);
  if (problems.has_errors()) return Value::boolean(false);
  // What is not known yet may still fail.
  return value.is_wholly_known() ? Value::boolean(true) : Value::unknown(Type::boolean());
}

Value evaluate_try(const CallExpr& call, const Expression& whole, const EvalContext& context, Diagnostics& diagnostics) {
  const auto failed = [&](const std::string& why) {
    diagnostics.add("Error in function call", fmt::format("Call to function \"try\" failed: {}.", why), whole.start_range());
    return Value();
  };
  if (call.arguments.empty()) return failed("at least one argument is required");
  std::string problems;
  for (const ExprPtr& argument : call.arguments) {
    Diagnostics found;
    Value value = evaluate(*argument, context, found);
    if (!found.has_errors()) return value.is_wholly_known() ? value : Value();
    for (const Diagnostic& item : found.items()) {
      problems += fmt::format("\n- {} (at {})\n  {}", item.summary, item.subject ? item.subject->str() : "", item.detail);
    }
  }
  return failed(fmt::format("no expression succeeded:{}\n\nAt least one expression must produce a successful result", problems));
}

Value evaluate_convert(const CallExpr& call, const Expression&, const EvalContext& context, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.size();
  const Value value = evaluate(*call.arguments[0], context, diagnostics);
  const auto type = type_from_expression(*call.arguments[1], true, diagnostics);
  if (diagnostics.size() > before || !type) return {};
  const auto converted = convert(value, *type);
  if (converted) return *converted;
  diagnostics.add("Invalid function argument", fmt::format("Invalid value for \"value\" parameter: {}.", converted.error()), call.arguments[0]->start_range());
  return {};
}

}  // namespace

void add_control_functions(FunctionTable& table) {
  Function can;
  can.parameters = {any("expression")};
  can.special = evaluate_can;
  table["can"] = can;
  Function attempt;
  attempt.rest = any("expressions");
  attempt.special = evaluate_try;
  table["try"] = attempt;
  Function conversion;
  conversion.parameters = {any("value"), any("type")};
  conversion.special = evaluate_convert;
  table["convert"] = conversion;
}

namespace {

void set_results(FunctionTable& table, const Type& type, std::initializer_list<const char*> names) {
  for (const char* name : names) table.find(name)->second.returns = type;
}

}  // namespace

FunctionTable standard_functions(const FileAccess& files) {
  FunctionTable table;
  add_number_functions(table);
  add_text_functions(table);
  add_format_functions(table);
  add_list_functions(table);
  add_map_functions(table);
  add_encoding_functions(table);
  add_yaml_functions(table);
  add_hash_functions(table);
  add_network_functions(table);
  add_date_functions(table);
  add_file_functions(table, files);
  add_control_functions(table);
  set_results(table, Type::number(), {"abs", "ceil", "floor", "length", "log", "max", "min", "parseint", "pow", "signum", "strlen"});
  set_results(table, Type::boolean(), {"contains", "fileexists"});
  set_results(table, Type::list(Type::string()), {"compact", "formatlist", "sort", "split"});
  set_results(table, Type::list(Type::number()), {"range"});
  set_results(table, Type::set(Type::string()), {"fileset"});
  set_results(table, Type::string(),
              {"abspath", "base64decode", "base64encode", "basename", "bcrypt", "chomp", "cidrhost", "cidrnetmask", "cidrsubnet", "dirname", "file", "filebase64",
               "format", "formatdate", "indent", "join", "jsonencode", "lower", "md5", "pathexpand", "regex_replace", "replace", "reverse", "rsadecrypt", "sha1",
               "sha256", "sha512", "strrev", "substr", "timeadd", "title", "trim", "trimprefix", "trimspace", "trimsuffix", "upper", "urlencode", "uuidv5", "yamlencode"});
  return table;
}

}  // namespace drover::hcl
