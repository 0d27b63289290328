// Short ways to write a Function, and the parts the standard table is made of. Internal to lib/hcl.
#pragma once

#include "lib/hcl/functions.h"

namespace drover::hcl {

void add_number_functions(FunctionTable& table);
void add_text_functions(FunctionTable& table);
void add_format_functions(FunctionTable& table);
void add_list_functions(FunctionTable& table);
void add_map_functions(FunctionTable& table);
void add_encoding_functions(FunctionTable& table);
void add_yaml_functions(FunctionTable& table);
void add_hash_functions(FunctionTable& table);
void add_network_functions(FunctionTable& table);
void add_date_functions(FunctionTable& table);
void add_file_functions(FunctionTable& table, const FileAccess& files);
void add_control_functions(FunctionTable& table);

using Arguments = std::vector<Value>;

inline Parameter text(std::string name) { return {std::move(name), Type::string()}; }
inline Parameter number(std::string name) { return {std::move(name), Type::number()}; }
inline Parameter any(std::string name) { return {std::move(name), Type::dynamic()}; }
// For functions that say by its type what is wrong with a value that is not known.
inline Parameter typed(Parameter parameter) {
  parameter.allow_unknown = true;
  return parameter;
}
inline Parameter nullable(Parameter parameter) {
  parameter.allow_null = true;
  return parameter;
}

template <class Call>
Function function(std::vector<Parameter> parameters, Call call) {
  Function out;
  out.parameters = std::move(parameters);
  out.call = [call](const Arguments& arguments, Budget&) -> FunctionResult { return call(arguments); };
  return out;
}
template <class Call>
Function variadic(std::vector<Parameter> parameters, Parameter rest, Call call) {
  Function out = function(std::move(parameters), call);
  out.rest = std::move(rest);
  return out;
}

// The whole number of an argument, or the reference's complaint.
[[nodiscard]] tl::expected<std::int64_t, FunctionError> whole(const Value& value);

// The JSON text of a value: sorted keys, <>& escaped. Fails for infinities.
[[nodiscard]] tl::expected<std::string, FunctionError> json_text(const Value& value);

}  // namespace drover::hcl
