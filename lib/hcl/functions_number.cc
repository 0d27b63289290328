#include <fmt/format.h>

#include <cmath>

#include "lib/hcl/function_table.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

FunctionResult extreme(const Arguments& arguments, bool largest) {
  if (arguments.empty()) return function_error("must pass at least one number");
  Number best = arguments[0].as_number();
  for (const Value& argument : arguments) {
    const bool better = largest ? argument.as_number() > best : argument.as_number() < best;
    if (better) best = argument.as_number();
  }
  return Value::number(best);
}

FunctionResult from_double(double value, const char* what) {
  // The reference stops with a stack trace here; a reason is kinder.
  if (std::isnan(value)) return function_error(fmt::format("{} has no real result for these numbers", what));
  return Value::number(Number::from_double(value));
}

FunctionResult parse_integer(const Arguments& arguments) {
  if (arguments[0].kind() != Kind::string) {
    return function_error(fmt::format("first argument must be a string, not {}", arguments[0].type().friendly_name()), 0);
  }
  const auto base = whole(arguments[1]);
  if (!base) return function_error(base.error().message, 1);
  if (*base < 2 || *base > 62) return function_error("base must be a whole number between 2 and 62 inclusive", 1);
  if (const auto number = Number::parse_base(arguments[0].as_string(), static_cast<int>(*base))) return Value::number(*number);
  return function_error(fmt::format("cannot parse {} as a base {} integer", quote(arguments[0].as_string()), *base), 0);
}

FunctionResult make_range(const Arguments& arguments) {
  if (arguments.empty() || arguments.size() > 3) return function_error("must have one, two, or three arguments");
  Number start = 0;
  Number end = arguments[0].as_number();
  if (arguments.size() > 1) {
    start = end;
    end = arguments[1].as_number();
  }
  const Number step = arguments.size() == 3 ? arguments[2].as_number() : Number(end < start ? -1 : 1);
  const bool down = step.sign() < 0;
  if (arguments.size() == 3 && !down && end < start) return function_error("end must be greater than start when step is positive", 1);
  if (arguments.size() == 3 && down && end > start) return function_error("end must be less than start when step is negative", 1);
  Value::List values;
  for (Number at = start; down ? at > end : at < end;) {
    if (values.size() >= 1024) {
      return function_error("more than 1024 values were generated; either decrease the difference between start and end or use a smaller step");
    }
    values.push_back(Value::number(at));
    const auto next = add(at, step);
    if (!next) break;
    at = *next;
  }
  return Value::list(Type::number(), std::move(values));
}

}  // namespace

void add_number_functions(FunctionTable& table) {
  table["abs"] = function({number("num")}, [](const Arguments& a) { return Value::number(a[0].as_number().abs()); });
  table["ceil"] = function({number("num")}, [](const Arguments& a) { return Value::number(a[0].as_number().ceil()); });
  table["floor"] = function({number("num")}, [](const Arguments& a) { return Value::number(a[0].as_number().floor()); });
  table["log"] = function({number("num"), number("base")}, [](const Arguments& a) {
    return from_double(std::log(a[0].as_number().to_double()) / std::log(a[1].as_number().to_double()), "log");
  });
  table["pow"] = function({number("num"), number("power")}, [](const Arguments& a) {
    return from_double(std::pow(a[0].as_number().to_double(), a[1].as_number().to_double()), "pow");
  });
  table["signum"] = function({number("num")}, [](const Arguments& a) -> FunctionResult {
    const auto value = whole(a[0]);
    if (!value) return tl::unexpected(value.error());
    return Value::number(*value < 0 ? -1 : *value > 0 ? 1 : 0);
  });
  table["max"] = variadic({}, number("numbers"), [](const Arguments& a) { return extreme(a, true); });
  table["min"] = variadic({}, number("numbers"), [](const Arguments& a) { return extreme(a, false); });
  table["parseint"] = function({any("number"), number("base")}, parse_integer);
  table["range"] = variadic({}, number("params"), make_range);
}

}  // namespace drover::hcl
