// How Go's fmt prints values: print, println and printf of templates, and the text of an action.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/gotemplate/value.h"

namespace drover::gotemplate {

// %v.
[[nodiscard]] std::string to_text(const Value& value);
// fmt.Sprint: a blank between operands when neither is a string.
[[nodiscard]] std::string print(const std::vector<Value>& values);
// fmt.Sprintf with Go's verbs, flags, widths and complaints (`%!d(string=x)`).
[[nodiscard]] std::string print_format(std::string_view format, const std::vector<Value>& values);
// A float as %v prints it: shortest form, exponent below 1e-4 and from 1e21.
[[nodiscard]] std::string float_text(double value);

}  // namespace drover::gotemplate
